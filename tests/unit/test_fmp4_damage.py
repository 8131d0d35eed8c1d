"""The fMP4 shaper on streams that are not what they should be."""

from __future__ import annotations

import struct

import pytest
from tests.fmp4_source import (
    AUDIO,
    VIDEO,
    Consumer,
    Part,
    Source,
    Writer,
    box,
    fragment,
    init,
    read_file,
    second,
    segment,
)

from ouzel.base.errors import FormatError, IndexAtEnd, TooLarge
from ouzel.formats.fmp4 import Fmp4Shaper
from ouzel.formats.fmp4.shaper import Mode

INIT = init([VIDEO, AUDIO])


@pytest.fixture
def video() -> Writer:
    return Writer(VIDEO, time=90000 * 1_700_000_000)


@pytest.fixture
def audio() -> Writer:
    return Writer(AUDIO, time=48000 * 1_700_000_000)


@pytest.fixture
def consumer() -> Consumer:
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(INIT)
    return consumer


@pytest.mark.parametrize(
    "page",
    [
        b"<!doctype html><html><body>not found</body></html>",
        b"#EXTM3U\n#EXT-X-VERSION:7\n",
        b"\x47" * 188 * 3,
        bytes(400),
        b"FLV\x01\x05\0\0\0\x09\0\0\0\0",
    ],
)
@pytest.mark.parametrize("fresh", [True, False])
def test_what_is_not_mp4_is_refused(page: bytes, fresh: bool, consumer: Consumer) -> None:
    if fresh:
        consumer = Consumer(Fmp4Shaper())

    with pytest.raises(FormatError):
        consumer.feed(page)


def test_media_without_an_init_is_refused_before_anything_is_handed_on(video: Writer) -> None:
    consumer = Consumer(Fmp4Shaper())

    with pytest.raises(FormatError, match="without an init"):
        consumer.feed(segment(fragment(second(video))))
    consumer.cut()

    assert consumer.files == []


def test_a_plain_file_whose_index_comes_last_is_told_as_such() -> None:
    plain = box("ftyp", b"isom", bytes(4), b"isom") + box("free") + box("mdat", bytes(1000))
    consumer = Consumer(Fmp4Shaper(mode="continuous"))

    with pytest.raises(IndexAtEnd, match="stands behind its media") as caught:
        consumer.feed(plain)
    consumer.feed(bytes(50_000))
    consumer.cut()

    assert caught.value.context["media_bytes"] == 1008
    assert consumer.files == []


@pytest.mark.parametrize("mode", ["segments", "continuous"])
def test_a_fragment_or_a_segment_without_an_init_is_no_plain_file(mode: Mode, video: Writer) -> None:
    data = segment(fragment(second(video))) if mode == "continuous" else box("mdat", bytes(1000))

    with pytest.raises(FormatError, match="without an init"):
        Consumer(Fmp4Shaper(mode=mode)).feed(data)


def test_padding_before_the_init_is_left_out(video: Writer) -> None:
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(box("free", bytes(8)) + INIT + fragment(second(video)))

    assert read_file(bytes(consumer.file.data)).kinds == ["ftyp", "moov", "moof", "mdat"]


def test_nothing_is_taken_behind_an_init_that_was_refused(video: Writer) -> None:
    consumer = Consumer(Fmp4Shaper())
    with pytest.raises(FormatError):
        consumer.feed(INIT[:28] + box("moov"))
    consumer.segment(fragment(second(video)))

    assert consumer.files == []


def test_a_fragment_of_a_track_that_was_never_announced_is_refused(consumer: Consumer) -> None:
    stranger = Writer(Source(7, "vide", 90000))

    with pytest.raises(FormatError):
        consumer.feed(fragment(second(stranger)))


@pytest.mark.parametrize("kind", ["moof", "moov", "styp", "emsg", "abcd"])
@pytest.mark.parametrize("size", [9 << 20, 2 << 30, 1 << 62])
def test_boxes_beyond_the_limit_are_refused_at_their_header(
    consumer: Consumer, video: Writer, kind: str, size: int
) -> None:
    header = struct.pack(">I4sQ", 1, kind.encode(), size)
    consumer.feed(fragment(second(video)))

    with pytest.raises(TooLarge):
        consumer.feed(header)
    consumer.cut()

    assert (consumer.span.frames, consumer.span.damage) == (5, "garbage")


def test_a_run_of_four_thousand_million_samples_is_refused(consumer: Consumer) -> None:
    traf = box("traf", box("tfhd", struct.pack(">II", 0x20000, 1)), box("trun", struct.pack(">II", 0, 0xFFFFFFFF)))

    with pytest.raises(TooLarge):
        consumer.feed(box("moof", box("mfhd", bytes(8)), traf))


@pytest.mark.parametrize("bad", [b"\0\0\0\4moof", b"\0\0\0\0moof", b"\0\0\0\x10\xff\0\1\2" + bytes(8), b"\0" * 8])
def test_garbage_after_whole_fragments_costs_only_what_follows(consumer: Consumer, video: Writer, bad: bytes) -> None:
    consumer.segment(segment(fragment(second(video))) + bad + fragment(second(Writer(VIDEO, video.time))))
    consumer.segment(segment(fragment(second(video))))

    first, second_span = consumer.file.spans
    assert (first.damage, first.frames, first.excess) == ("garbage", 5, 0)
    assert first.dropped_bytes > 0
    assert (second_span.damage, second_span.start_s, second_span.end_s) == ("", 1.0, 2.0)


def test_a_broken_moof_after_whole_fragments_costs_only_what_follows(consumer: Consumer, video: Writer) -> None:
    consumer.segment(fragment(second(video)) + box("moof", box("traf")) + box("mdat", bytes(50)))

    assert (consumer.span.damage, consumer.span.frames) == ("garbage", 5)


def test_every_place_where_a_segment_can_be_cut_off(video: Writer, audio: Writer) -> None:
    """Whatever is missing, the file stays whole up to the last whole fragment, and time goes on from there."""
    first, then = segment(fragment(second(video, audio))), [fragment(second(video, audio)) for _ in range(2)]
    whole = segment(*then)
    pictures = video.time
    for end in range(1, len(whole), 7):
        consumer = Consumer(Fmp4Shaper())
        consumer.segment(INIT)
        consumer.segment(first)
        consumer.segment(whole[:end])
        kept = consumer.span
        again = Writer(VIDEO, pictures, 100)
        consumer.shaper.splice()
        consumer.segment(segment(fragment(second(again))))

        file = read_file(bytes(consumer.file.data))
        fragments = sum(end >= len(whole) - sum(map(len, then[n + 1 :])) for n in range(2))
        assert file.names(1) == [*range(1, 6 + 5 * fragments), *range(101, 106)]
        assert all(abs(r.dts - 18000 * n) <= 1920 for n, r in enumerate(file.tracks[1]))  # one frame of sound
        if len(consumer.file.spans) == 3:
            assert kept.damage == ("" if end in {24, 76} else "truncated") or kept.damage == "no_media"
            assert kept.frames == 5 * fragments
        assert consumer.span.start_s == 1 + fragments
        assert file.sequences == list(range(1, 3 + fragments))


def test_an_mdat_that_is_too_short_for_its_samples_is_excess(consumer: Consumer, video: Writer) -> None:
    whole = fragment(second(video))
    moof = int.from_bytes(whole[:4], "big")
    shorter = whole[:moof] + box("mdat", whole[moof + 8 : -10])

    consumer.segment(fragment(second(Writer(VIDEO, video.time - 180000))) + shorter)

    assert (consumer.span.damage, consumer.span.frames) == ("truncated", 5)
    assert len(consumer.file.data) == consumer.file.offsets[-1]
    assert read_file(bytes(consumer.file.data)).sequences == [1]


def test_an_mdat_that_belongs_to_nothing_is_left_out(consumer: Consumer, video: Writer) -> None:
    consumer.segment(box("mdat", bytes(100)) + fragment(second(video)))

    assert read_file(bytes(consumer.file.data)).kinds[2:] == ["moof", "mdat"]
    assert consumer.span.dropped_bytes == 108


def test_a_segment_without_media_is_all_excess(consumer: Consumer) -> None:
    consumer.segment(segment())

    assert (consumer.span.damage, consumer.span.duration_s, consumer.span.frames) == ("no_media", 0, 0)
    assert bytes(consumer.file.data) == consumer.file.head.data


def test_an_empty_fragment_is_left_out(consumer: Consumer, video: Writer) -> None:
    empty = fragment([Part(VIDEO, video.time, [])])
    consumer.segment(empty + fragment(second(video)))

    assert read_file(bytes(consumer.file.data)).kinds[2:] == ["moof", "mdat"]
    assert (consumer.span.frames, consumer.span.end_s) == (5, 1.0)
