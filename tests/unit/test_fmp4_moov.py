"""Init segments: what is read from them, what opens a file, and how it is filled in at the end."""

from __future__ import annotations

import struct

import pytest
from tests.fmp4_source import (
    AUDIO,
    VIDEO,
    Consumer,
    Source,
    Writer,
    avc1,
    box,
    boxes,
    child,
    fragment,
    init,
    mp4a,
    read_file,
    second,
)

from ouzel.base.errors import Encrypted, FormatError, Unsupported
from ouzel.formats.fmp4 import Fmp4Shaper, finish
from ouzel.formats.shape import Head, Track


def head_of(data: bytes) -> Head:
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(data)
    return consumer.file.head


def track_of(source: Source) -> Track:
    return head_of(init([source])).tracks[0]


def entry(kind: str, fields: int, *parts: bytes) -> bytes:
    return box(kind, bytes(6), b"\0\1", bytes(fields), *parts)


VISUAL = struct.pack(">16xHH50x", 640, 360)
AUDIBLE = struct.pack(">8xHH4xI", 6, 16, 44100 << 16)


@pytest.mark.parametrize(
    ("data", "codec"),
    [
        (entry("hvc1", 0, VISUAL), "hevc"),
        (entry("hev1", 0, VISUAL), "hevc"),
        (entry("av01", 0, VISUAL), "av1"),
        (entry("vp09", 0, VISUAL), "vp9"),
        (entry("dvh1", 0, VISUAL), "hevc"),
        (entry("avc3", 0, VISUAL), "h264"),
        (entry("apcn", 0, VISUAL), "apcn"),
    ],
)
def test_names_of_video_codecs(data: bytes, codec: str) -> None:
    track = track_of(Source(1, "vide", 90000, data))

    assert (track.kind, track.codec, track.width, track.height) == ("video", codec, 640, 360)


@pytest.mark.parametrize(
    ("data", "codec", "rate", "channels"),
    [
        (mp4a(), "aac", 48000, 2),
        (mp4a(asc=bytes.fromhex("130856e59d4880")), "aac", 48000, 2),
        (mp4a(object_type=0x6B, asc=b""), "mp3", 48000, 2),
        (mp4a(object_type=0x69, asc=b""), "mp3", 48000, 2),
        (mp4a(object_type=0xA5, asc=b""), "ac3", 48000, 2),
        (entry("Opus", 0, AUDIBLE), "opus", 44100, 6),
        (entry("ac-3", 0, AUDIBLE), "ac3", 44100, 6),
        (entry("ec-3", 0, AUDIBLE), "eac3", 44100, 6),
        (entry("fLaC", 0, AUDIBLE), "flac", 44100, 6),
        (entry(".mp3", 0, AUDIBLE), "mp3", 44100, 6),
    ],
)
def test_names_of_audio_codecs(data: bytes, codec: str, rate: int, channels: int) -> None:
    track = track_of(Source(1, "soun", 48000, data))

    assert (track.kind, track.codec, track.sample_rate, track.channels) == ("audio", codec, rate, channels)


def test_other_tracks_are_kept() -> None:
    head = head_of(init([VIDEO, Source(3, "text", 1000)]))

    assert [(t.kind, t.codec) for t in head.tracks] == [("video", "h264"), ("other", "wvtt")]


def test_the_size_of_a_picture_may_stand_in_its_parameter_sets_only() -> None:
    track = track_of(Source(1, "vide", 90000, avc1(0, 0)))

    assert (track.width, track.height) == (162, 90)


def test_a_quicktime_sound_description_is_read() -> None:
    esds = child(mp4a()[8 + 28 :], "esds")
    fields = struct.pack(">HHIHHHHI", 1, 0, 0, 2, 16, 0, 0, 44100 << 16)
    track = track_of(Source(1, "soun", 44100, entry("mp4a", 0, fields, bytes(16), box("esds", esds))))

    assert (track.codec, track.sample_rate, track.channels) == ("aac", 48000, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (avc1(), avc1(162, 90, box("btrt", bytes(12)))),
        (avc1(), avc1(name=b"an encoder")),
        (mp4a(), mp4a(bitrate=96_000)),
        (mp4a(), mp4a(box("btrt", bytes(12)))),
    ],
)
def test_what_may_vary_harmlessly_is_no_part_of_the_config(one: bytes, other: bytes) -> None:
    kind = "vide" if b"avc1" in one else "soun"

    assert track_of(Source(1, kind, 90000, one)) == track_of(Source(1, kind, 90000, other))


@pytest.mark.parametrize(
    "other",
    [
        Source(1, "vide", 90000, avc1(160, 90)),
        Source(1, "vide", 90000, avc1(162, 90, box("pasp", b"\0\0\0\4\0\0\0\3"))),
        Source(1, "vide", 48000),
        Source(2, "vide", 90000),
        Source(1, "vide", 90000, trex=(1, 3000, 0, 0)),
        Source(1, "vide", 90000, edits=((0, 3000),)),
    ],
    ids=["size", "aspect", "time scale", "id", "defaults", "delay"],
)
def test_what_must_not_vary_within_a_file(other: Source) -> None:
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(init([VIDEO]))
    consumer.segment(init([other]))

    assert len(consumer.files) == 2


@pytest.mark.parametrize(
    ("kind", "handler", "size", "scheme"),
    [
        ("encv", "vide", 70, "cbcs"),
        ("enca", "soun", 20, "cenc"),
        ("encv", "vide", 70, None),
        ("drmi", "vide", 70, None),
    ],
)
def test_encrypted_tracks_are_refused_by_name(kind: str, handler: str, size: int, scheme: str | None) -> None:
    schm = box("schm", bytes(4), scheme.encode(), b"\0\1\0\0") if scheme else b""
    data = entry(kind, size, box("sinf", box("frma", b"avc1"), schm))

    with pytest.raises(Encrypted, match=scheme or "unknown") as caught:
        head_of(init([Source(1, "vide" if handler == "vide" else "soun", 90000, data)]))

    assert caught.value.context["scheme"] == (scheme or "unknown")


def test_a_plain_mp4_with_one_encrypted_track_is_encrypted() -> None:
    sound = Source(2, "soun", 48000, entry("enca", 20, box("sinf", box("frma", b"mp4a"))))

    with pytest.raises(Encrypted):
        head_of(init([VIDEO, sound], samples=3))


def test_a_plain_mp4_is_refused() -> None:
    with pytest.raises(Unsupported, match="not fragmented") as caught:
        head_of(init([VIDEO], samples=3))

    assert caught.type is Unsupported, "and not as encrypted"


@pytest.mark.parametrize(
    "data",
    [
        init([]),
        init([VIDEO, VIDEO]),
        init([Source(0, "vide", 90000)]),
        init([Source(1, "vide", 0)]),
        init([Source(1, "vide", 90000, box("avc1", bytes(20)))]),
        init([Source(1, "vide", 90000, box("avc1", bytes(78), b"\0\0\0\xffavcC"))]),
        init([Source(1, "soun", 90000, mp4a()[:40] + b"\0" * 60)]),
        box("moov", bytes(30)),
        box("moov", box("mvhd", bytes(100))),
        box("moov", *[box("free")] * 5000),
    ],
)
def test_unusable_inits_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        head_of(data)


# ------------------------------------------------------------------------------------------------------------- writing


def test_the_head_says_that_the_file_is_fragmented_and_how_long_it_is_not() -> None:
    head = head_of(init([VIDEO, AUDIO], created=1234, brand="cmfc")).data
    ftyp, moov = child(head, "ftyp"), child(head, "moov")

    assert ftyp[:4] == b"iso6"
    assert {ftyp[at : at + 4] for at in range(8, len(ftyp), 4)} >= {b"iso6", b"mp41", b"cmfc", b"iso5", b"mp42"}
    assert [name for name, *_ in boxes(moov)] == ["mvhd", "trak", "trak", "mvex"]
    assert [name for name, *_ in boxes(child(moov, "mvex"))] == ["mehd", "trex", "trex"]
    mvhd, mdhd = child(moov, "mvhd"), child(moov, "trak", "mdia", "mdhd")
    assert struct.unpack_from(">B3xQQIQ", mvhd) == (1, 0, 0, 1000, 0)
    assert struct.unpack_from(">B3xQQIQH", mdhd) == (1, 0, 0, 90000, 0, 0x55C4)
    assert struct.unpack(">IQ", child(moov, "mvex", "mehd")) == (1 << 24, 0)


def test_tracks_are_enabled() -> None:
    data = init([VIDEO]).replace(b"tkhd\0\0\0\3", b"tkhd\0\0\0\0")

    assert child(head_of(data).data, "moov", "trak", "tkhd")[:4] == b"\1\0\0\3"


def test_a_missing_trex_is_made() -> None:
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(init([VIDEO], mvex=False))
    consumer.segment(fragment(second(Writer(VIDEO))))

    assert read_file(bytes(consumer.file.data)).names(1) == [1, 2, 3, 4, 5]


def test_delays_in_edit_lists_are_kept() -> None:
    source = Source(1, "vide", 90000, edits=((48, -1), (0, 3600)))
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(init([source]))  # 48 ticks of 1/600 s
    writer = Writer(source)
    for _ in range(2):
        consumer.segment(fragment(second(writer)))

    elst = child(consumer.file.head.data, "moov", "trak", "edts", "elst")
    assert struct.unpack(">II QqI QqI", elst) == (1 << 24, 2, 80, -1, 0x10000, 0, 3600, 0x10000)
    assert consumer.span.keys[0].at_s == pytest.approx(1.04)  # 80 ms later, less a delay of 40 ms


@pytest.mark.parametrize("edits", [((0, 1_700_000_000),), ((60_000, -1), (0, 0)), ((0, 0),)])
def test_edit_lists_that_move_the_clock_are_left_out(edits: tuple[tuple[int, int], ...]) -> None:
    """Some packagers cut off everything before the first fragment: our file starts at 0 anyway."""
    head = head_of(init([Source(1, "vide", 90000, edits=edits)])).data

    assert [name for name, *_ in boxes(child(head, "moov", "trak"))] == ["tkhd", "mdia"]


def test_boxes_that_mean_nothing_for_us_are_kept_or_left_out() -> None:
    extra = box("udta", box("meta", bytes(12))) + box("pssh", bytes(24)) + box("free", bytes(5))
    moov = child(head_of(init([VIDEO], extra=extra)).data, "moov")

    assert [name for name, *_ in boxes(moov)] == ["mvhd", "trak", "mvex", "udta"]


# ------------------------------------------------------------------------------------------------------------- closing


def test_closing_fills_in_the_duration_and_appends_an_index() -> None:
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(init([AUDIO, VIDEO]))
    video, audio = Writer(VIDEO, 10_000 * 90000), Writer(AUDIO, 10_000 * 48000)
    for _ in range(3):
        consumer.segment(fragment(second(video, audio)))
    file = consumer.file

    done = finish(file.head.data, file.spans[-1].end_s, file.key_points())
    data = bytearray(file.data)
    for offset, patch in done.patches:
        data[offset : offset + len(patch)] = patch
    data += done.tail

    moov = child(bytes(data), "moov")
    assert struct.unpack_from(">B3xQQIQ", child(moov, "mvhd"))[3:] == (1000, 3000)
    assert struct.unpack(">4xQ", child(moov, "mvex", "mehd")) == (3000,)
    assert struct.unpack_from(">B3xQQIQ", child(moov, "trak", "mdia", "mdhd"))[3:] == (48000, 144000)
    assert struct.unpack_from(">B3xQQIIQ", child(moov, "trak", "tkhd"))[3:] == (2, 0, 3000)
    tfra = child(bytes(data), "mfra", "tfra")
    version, track, lengths, count = struct.unpack_from(">IIII", tfra)
    entries = [struct.unpack_from(">QQBBB", tfra, 16 + 19 * n) for n in range(count)]
    assert (version, track, lengths) == (1 << 24, 1, 0)
    assert [e[0] for e in entries] == [0, 90000, 180000]
    assert all(data[e[1] + 4 : e[1] + 8] == b"moof" for e in entries)
    assert struct.unpack(">I", data[-4:])[0] == len(done.tail)
    assert finish(bytes(data[: len(file.head.data)]), 3.0, file.key_points()) == done


def test_only_heads_of_ours_are_closed() -> None:
    with pytest.raises(FormatError):
        finish(init([VIDEO]), 3.0, [])
    with pytest.raises(FormatError):
        finish(b"", 3.0, [])


def test_a_long_index_is_thinned_out() -> None:
    done = finish(head_of(init([VIDEO])).data, 10.0, [(n, float(n)) for n in range(10)], index_limit=4)

    tfra = child(done.tail, "mfra", "tfra")
    assert [struct.unpack_from(">Q", tfra, 24 + 19 * n)[0] for n in range((len(tfra) - 16) // 19)] == [0, 3, 6, 9]


def test_a_file_without_key_points_gets_no_index() -> None:
    assert finish(head_of(init([VIDEO])).data, 0.0, []).tail == b""
