"""The fMP4 shaper as a stream of boxes: what passes, what goes, where chunks end, what damage does."""

from __future__ import annotations

import struct

import pytest
from tests.fmp4_source import (
    AUDIO,
    VIDEO,
    Base,
    Consumer,
    Part,
    Sample,
    Writer,
    box,
    fragment,
    init,
    large,
    read_file,
    second,
    segment,
)

from ouzel.base.errors import FormatError
from ouzel.formats.fmp4 import Fmp4Shaper
from ouzel.formats.shape import Edge, Head, KeyPoint

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


def test_how_long_the_sound_is_that_goes_on_beside_a_picture_that_stands_still(
    consumer: Consumer, video: Writer, audio: Writer
) -> None:
    consumer.segment(segment(fragment(second(video, audio)), fragment([audio.part(48, 1000)])))
    (span,) = consumer.file.spans
    assert span.duration_s == pytest.approx(1.0)
    assert span.beside_s == pytest.approx(2.0, abs=0.03)


def test_segments_become_one_file_that_starts_at_zero(consumer: Consumer, video: Writer, audio: Writer) -> None:
    for _ in range(3):
        consumer.segment(segment(fragment(second(video, audio))))

    file = read_file(bytes(consumer.file.data))

    assert file.kinds == ["ftyp", "moov", *["styp", "moof", "mdat"] * 3]
    assert file.sequences == [1, 2, 3]
    assert [read.dts for read in file.tracks[1]] == [18000 * n for n in range(15)]
    assert [read.dts for read in file.tracks[2]] == [1024 * n for n in range(len(file.tracks[2]))]
    assert file.names(1) == list(range(1, 16))
    assert [(s.start_s, s.end_s, s.frames, s.independent) for s in consumer.file.spans] == [
        (0.0, 1.0, 5, True),
        (1.0, 2.0, 5, True),
        (2.0, 3.0, 5, True),
    ]
    assert consumer.file.spans[1].source_s == 1_700_000_001
    assert consumer.file.spans[0].repairs[0].code == "start"


def test_one_segment_may_hold_many_fragments(consumer: Consumer, video: Writer) -> None:
    parts = [video.part(2, 18000), video.part(2, 18000, key_first=False), video.part(1, 18000)]
    fragments = [fragment([part]) for part in parts]

    consumer.segment(segment(*fragments))

    span = consumer.span
    assert (span.frames, span.end_s, span.damage) == (5, 1.0, "")
    # the second begins with no key frame; each moof grew by nothing, as its tfdt was 64 bits wide already
    assert span.keys == (KeyPoint(24, 0.0), KeyPoint(24 + len(fragments[0]) + len(fragments[1]), 0.8))


def test_a_chunk_that_starts_without_a_key_frame_is_not_independent(consumer: Consumer, video: Writer) -> None:
    consumer.segment(segment(fragment([video.part(5, 18000, key_first=False)]), fragment(second(video))))

    assert not consumer.span.independent
    assert [key.at_s for key in consumer.span.keys] == [1.0]


@pytest.mark.parametrize("base", ["moof", "absolute", "payload", "first", "vague"])
@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize("version", [0, 1])
def test_data_offsets_of_every_form_find_their_samples(base: Base, runs: int, version: int) -> None:
    video, audio = Writer(VIDEO), Writer(AUDIO)
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(INIT)
    at = len(INIT)
    for _ in range(2):
        parts = second(video, audio)
        parts[0].runs = runs
        whole = fragment(parts, base=base, at=at, version=version)
        at += len(whole)
        consumer.segment(whole)

    file = read_file(bytes(consumer.file.data))

    assert file.names(1) == list(range(1, 11))
    assert file.names(2) == list(range(1, audio.number + 1))
    assert [s.damage for s in consumer.file.spans] == ["", ""]


def test_boxes_between_moof_and_mdat_keep_their_place(consumer: Consumer, video: Writer) -> None:
    consumer.segment(fragment(second(video), between=box("sidx", bytes(40)) + box("emsg", bytes(12))))

    file = read_file(bytes(consumer.file.data))

    assert file.kinds[2:] == ["moof", "free", "emsg", "mdat"]
    assert file.names(1) == [1, 2, 3, 4, 5]


def test_what_passes_and_what_goes(consumer: Consumer, video: Writer) -> None:
    others = b"".join(box(kind, bytes(16)) for kind in ("prft", "emsg", "free", "ssix", "abcd"))
    consumer.segment(segment(others, fragment(second(video)), box("mfra", bytes(60))))

    assert read_file(bytes(consumer.file.data)).kinds[2:] == ["styp", "prft", "emsg", "free", "abcd", "moof", "mdat"]
    assert consumer.span.dropped_bytes == 0


def test_sizes_of_64_bits(video: Writer) -> None:
    whole = fragment(second(video))
    moof = int.from_bytes(whole[:4], "big")
    consumer = Consumer(Fmp4Shaper())
    ftyp = int.from_bytes(INIT[:4], "big")
    consumer.segment(large(INIT[:ftyp]) + large(INIT[ftyp:]))
    # the moof is 8 bytes longer, and so is the header of the mdat
    patched = whole[:moof].replace(struct.pack(">i", moof + 8), struct.pack(">i", moof + 24))

    consumer.segment(large(patched) + large(whole[moof:]))

    assert read_file(bytes(consumer.file.data)).names(1) == [1, 2, 3, 4, 5]
    assert consumer.span.damage == ""


def test_an_mdat_without_a_size_reaches_as_far_as_its_samples(consumer: Consumer, video: Writer) -> None:
    whole = fragment(second(video))
    moof = int.from_bytes(whole[:4], "big")
    endless = whole[:moof] + bytes(4) + whole[moof + 4 :]

    consumer.segment(endless + b"what follows")
    consumer.segment(fragment(second(video)))

    assert read_file(bytes(consumer.file.data)).names(1) == list(range(1, 11))
    assert consumer.file.spans[0].dropped_bytes == len(b"what follows")
    assert consumer.file.spans[0].damage == ""


def test_a_segment_with_its_own_init(consumer: Consumer, video: Writer) -> None:
    """Self-initialising segments, and those that start with ftyp instead of styp."""
    consumer.segment(INIT + fragment(second(video)))
    consumer.segment(box("ftyp", b"msdh", bytes(4)) + fragment(second(video)))

    assert read_file(bytes(consumer.file.data)).kinds == ["ftyp", "moov", *["moof", "mdat"] * 2]


# ---------------------------------------------------------------------------------------------------------------- heads


def test_an_init_that_says_the_same_is_not_repeated(consumer: Consumer, video: Writer) -> None:
    consumer.segment(fragment(second(video)))
    consumer.segment(init([VIDEO, AUDIO], created=3_900_000_000, brand="cmfc"))
    consumer.segment(fragment(second(video)))

    assert len(consumer.file.spans) == 2
    assert consumer.span.end_s == 2.0


def test_another_init_opens_another_file(consumer: Consumer, video: Writer) -> None:
    consumer.segment(fragment(second(video)))
    consumer.segment(init([VIDEO]) + fragment(second(video)))

    assert [len(file.head.tracks) for file in consumer.files] == [2, 1]
    second_file = read_file(bytes(consumer.files[1].data))
    assert [read.dts for read in second_file.tracks[1]] == [18000 * n for n in range(5)]
    assert second_file.sequences == [1]
    assert consumer.span.start_s == 0.0


def test_another_init_in_mid_chunk_ends_the_chunk_first(consumer: Consumer, video: Writer) -> None:
    consumer.segment(fragment(second(video)) + init([VIDEO]) + fragment(second(video)))

    assert [len(file.spans) for file in consumer.files] == [1, 1]
    assert [file.spans[0].frames for file in consumer.files] == [5, 5]


def test_another_init_after_a_fragment_that_lacks_data(consumer: Consumer, video: Writer) -> None:
    whole = fragment(second(video))
    moof = int.from_bytes(whole[:4], "big")
    consumer.segment(whole[:moof] + box("mdat") + init([VIDEO]) + fragment(second(video)))

    assert [(file.spans[0].frames, file.spans[0].damage) for file in consumer.files] == [(5, "truncated"), (5, "")]


def test_an_init_alone_makes_no_chunk(consumer: Consumer) -> None:
    assert consumer.file.spans == []
    assert bytes(consumer.file.data) == consumer.file.head.data == consumer.file.head.preamble


def test_restart_begins_a_new_file(consumer: Consumer, video: Writer, audio: Writer) -> None:
    for _ in range(2):
        consumer.segment(fragment(second(video, audio)))
        consumer.restart()
    consumer.segment(fragment(second(video, audio)))

    assert len(consumer.files) == 3
    for file in consumer.files:
        read = read_file(bytes(file.data))
        assert read.sequences == [1]
        assert min(read.tracks[1][0].dts / 90000, read.tracks[2][0].dts / 48000) == 0
        assert read.tracks[2][0].dts / 48000 - read.tracks[1][0].dts / 90000 < 0.022
        assert file.spans[0].start_s == 0


def test_restart_before_any_head_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(RuntimeError):
        Fmp4Shaper().restart()


# ---------------------------------------------------------------------------------------------- rollback and refusals


def test_rollback_keeps_the_head_and_forgets_the_rest(consumer: Consumer, video: Writer) -> None:
    whole = segment(fragment(second(video)))
    consumer.feed(init([VIDEO]))
    consumer.feed(whole[:-5])
    consumer.rollback()
    consumer.feed(init([VIDEO]))
    consumer.segment(whole)

    assert len(consumer.files) == 2
    assert read_file(bytes(consumer.files[1].data)).names(1) == [1, 2, 3, 4, 5]
    assert (consumer.span.start_s, consumer.span.damage) == (0.0, "")


def test_an_edge_that_the_consumer_refuses_can_be_rolled_back(consumer: Consumer, video: Writer) -> None:
    """A recorder looks at the Span and may want the segment once more: it stops at the Edge."""
    consumer.segment(fragment(second(video)))
    whole = fragment(second(video))
    consumer.feed(whole)
    ops = consumer.shaper.cut()
    assert isinstance(next(ops), Edge)

    consumer.rollback()
    consumer.segment(whole)

    assert [s.end_s for s in consumer.file.spans] == [1.0, 2.0]
    assert read_file(bytes(consumer.file.data)).names(1) == list(range(1, 11))


def test_nothing_more_is_taken_after_an_error_until_the_segment_ends(consumer: Consumer, video: Writer) -> None:
    with pytest.raises(FormatError):
        consumer.feed(b"<html><body>")
    consumer.feed(b"</body></html>")
    consumer.feed(fragment(second(Writer(VIDEO))))
    consumer.cut()
    consumer.segment(fragment(second(video)))

    assert len(consumer.file.spans) == 1


# --------------------------------------------------------------------------------------------- streams without segments


def test_a_continuous_stream_is_cut_at_key_frames(video: Writer, audio: Writer) -> None:
    consumer = Consumer(Fmp4Shaper(mode="continuous"))
    parts = [second(video, audio), [video.part(5, 18000, key_first=False)], second(video, audio), second(video, audio)]

    consumer.feed(INIT + b"".join(fragment(p) for p in parts), cuts=range(0, 10_000, 100))

    assert [(s.start_s, s.end_s, s.frames) for s in consumer.file.spans] == [(0.0, 2.0, 10), (2.0, 3.0, 5)]
    consumer.cut()
    assert consumer.span.end_s == 4.0


def test_a_continuous_stream_with_short_groups_is_not_cut_more_often_than_once_a_second(video: Writer) -> None:
    consumer = Consumer(Fmp4Shaper(mode="continuous"))
    consumer.segment(INIT + b"".join(fragment([video.part(1, 18000)]) for _ in range(12)))

    assert [s.frames for s in consumer.file.spans] == [5, 5, 2]


def test_a_continuous_stream_without_key_frames_is_cut_all_the_same(video: Writer) -> None:
    consumer = Consumer(Fmp4Shaper(mode="continuous"))
    consumer.segment(INIT + b"".join(fragment([video.part(5, 18000, key_first=False)]) for _ in range(25)))

    assert [(s.frames, s.independent) for s in consumer.file.spans] == [(50, False), (50, False), (25, False)]


def test_a_new_file_may_begin_at_any_edge_of_a_continuous_stream(video: Writer, audio: Writer) -> None:
    shaper = Fmp4Shaper(mode="continuous")
    consumer = Consumer(shaper)
    data = INIT + b"".join(fragment(second(video, audio)) for _ in range(4))
    for op in shaper.feed(memoryview(bytearray(data))):
        consumer.take([op])
        if isinstance(op, Edge):
            consumer.restart()
    consumer.cut()

    assert [file.spans[0].frames for file in consumer.files] == [5, 5, 5, 5]
    for file in consumer.files:
        read = read_file(bytes(file.data))
        assert read.sequences == [1]
        assert read.tracks[1][0].dts < 2000


def test_garbage_in_a_continuous_stream_is_an_error(video: Writer) -> None:
    consumer = Consumer(Fmp4Shaper(mode="continuous"))
    consumer.feed(INIT + fragment(second(video)))

    with pytest.raises(FormatError):
        consumer.feed(b"\0\0\0\x10\xffbad" + bytes(8))
    consumer.cut()

    assert (consumer.span.frames, consumer.span.damage) == (5, "garbage")


def test_payload_is_handed_on_as_views_of_what_was_fed(consumer: Consumer, video: Writer) -> None:
    whole = bytearray(fragment([video.part(3, 18000, size=50_000)]))
    views = [op for op in consumer.shaper.feed(memoryview(whole)) if isinstance(op, memoryview)]

    assert [len(view) for view in views] == [150_000]
    assert all(view.obj is whole for view in views)


def test_a_sample_of_zero_duration_ends_the_fragment(consumer: Consumer) -> None:
    part = Part(VIDEO, 0, [Sample(18000, b"a"), Sample(0, b"b", sync=False)])
    consumer.segment(fragment([part]))
    consumer.segment(fragment([Part(VIDEO, 18000, [Sample(18000, b"c")])]))

    assert [s.end_s for s in consumer.file.spans] == [0.2, 0.4]


def test_the_head_is_told_before_any_bytes() -> None:
    ops = list(Fmp4Shaper().feed(memoryview(bytearray(INIT))))

    assert len(ops) == 1
    head = ops[0]
    assert isinstance(head, Head)
    assert head.container == "mp4"
    assert [(t.id, t.kind, t.codec, t.width, t.sample_rate) for t in head.tracks] == [
        (1, "video", "h264", 162, None),
        (2, "audio", "aac", None, 48000),
    ]
