"""Video headers: parameter sets as encoders write them (x264, x265, libaom), and rare fields written by hand."""

from __future__ import annotations

import pytest

from ouzel.base.errors import FormatError, TooLarge
from ouzel.formats.codecs import (
    H264Nal,
    HevcNal,
    Obu,
    VideoConfig,
    has_recovery_point,
    is_random_access,
    is_slice,
    nal_name,
    nal_type,
    nals,
    obus,
    parse_av1_sequence_header,
    parse_av1c,
    parse_avcc,
    parse_h264_sps,
    parse_hevc_sps,
    parse_hvcc,
    unescape,
)

AVCC = "0142c00bffe100186742c00bda0b378893011000000300100000030320f142aa01000468ce0fc8"
HVCC = (
    "0101600000009000000000001ef000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003001e9594092100"
    "01002a42010101600000030090000003000003001ea0162061c449965654a4c2f0168080000003008000000c8422000100064401c073c189"
)
AV1C = "81000c000a0a00000003b50d936be401"


class BitWriter:
    """The opposite of the reader under test."""

    def __init__(self) -> None:
        self.bits = ""

    def u(self, count: int, value: int) -> BitWriter:
        self.bits += format(value, f"0{count}b")
        return self

    def ue(self, *values: int) -> BitWriter:
        for value in values:
            code = format(value + 1, "b")
            self.bits += "0" * (len(code) - 1) + code
        return self

    def se(self, *values: int) -> BitWriter:
        for value in values:
            self.ue(2 * value - 1 if value > 0 else -2 * value)
        return self

    def done(self) -> bytes:
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big")


def escape(data: bytes) -> bytes:
    out = bytearray()
    for byte in data:
        if byte <= 3 and bytes(out[-2:]) == b"\0\0":
            out.append(3)
        out.append(byte)
    return bytes(out)


@pytest.mark.parametrize(
    ("sps", "expected"),
    [
        (
            "6742c00bda0b378893011000000300100000030320f142aa",
            VideoConfig("h264", 162, 90, 66, 11, 1, 8, 25.0),
        ),
        (
            "67f4002a919680780227e27011000003000100000300640f1832a0",
            VideoConfig("h264", 1920, 1080, 244, 42, 3, 8, 50.0),
        ),
        (
            "677a0028b6cd94078044fcb8088000000300800000190f8b16cb",
            VideoConfig("h264", 1920, 1080, 122, 40, 2, 10, 25.0),
        ),
        (
            "6764000dacd941419f9f01b5010202a500000303e90000ea600f142996",
            VideoConfig("h264", 320, 180, 100, 13, 1, 8, 30000 / 1001),
        ),
    ],
    ids=["cropped to 162x90", "4:4:4, cropped from 1088", "interlaced, 4:2:2, 10 bits", "scaling lists, full VUI"],
)
def test_h264_parameter_sets_of_an_encoder(sps: str, expected: VideoConfig) -> None:
    assert parse_h264_sps(bytes.fromhex(sps)) == expected


@pytest.mark.parametrize(
    ("sps", "expected"),
    [
        (
            "42010101600000030090000003000003001ea0162061c449965654a4c2f01680800001f480003a9804",
            VideoConfig("hevc", 162, 90, 1, 30, 1, 8, 30000 / 1001),
        ),
        (
            "4201010408000003009d0800000300007bb003c0801107c4b65959929385e096a020405c20000003002000000641",
            VideoConfig("hevc", 1920, 1080, 4, 123, 2, 10, 50.0),
        ),
    ],
    ids=["cropped to 162x90", "4:2:2, 10 bits, full VUI"],
)
def test_hevc_parameter_sets_of_an_encoder(sps: str, expected: VideoConfig) -> None:
    assert parse_hevc_sps(bytes.fromhex(sps)) == expected


def test_av1_sequence_headers_of_an_encoder() -> None:
    assert parse_av1_sequence_header(bytes.fromhex("0a0a00000003b50d936be401")) == VideoConfig(
        "av1", 162, 90, 0, 0, 1, 8, None
    )
    assert parse_av1_sequence_header(bytes.fromhex("0a0a20000003b50d936be508")) == VideoConfig(
        "av1", 162, 90, 1, 0, 3, 10, None
    )


def test_decoder_records_hold_the_config_and_the_parameter_sets() -> None:
    avc, hevc, av1 = (parse_avcc(bytes.fromhex(AVCC)), parse_hvcc(bytes.fromhex(HVCC)), parse_av1c(bytes.fromhex(AV1C)))

    assert [(r.config.width, r.config.height) for r in (avc, hevc, av1) if r.config] == [(162, 90)] * 3
    assert [nal_name("h264", nal_type("h264", unit[0])) for unit in avc.parameter_sets] == ["SPS", "PPS"]
    assert [nal_name("hevc", nal_type("hevc", unit[0])) for unit in hevc.parameter_sets] == ["VPS", "SPS", "PPS"]
    assert av1.parameter_sets == (bytes.fromhex(AV1C)[4:],)
    assert (avc.length_size, hevc.length_size, av1.length_size) == (4, 4, 0)


def test_a_record_without_parameter_sets_has_no_config() -> None:
    assert parse_avcc(bytes.fromhex("014d401fffe000")).config is None
    assert parse_av1c(bytes.fromhex("81000c00")).config is None
    assert parse_hvcc(bytes.fromhex(HVCC)[:22] + b"\0").config is None


@pytest.mark.parametrize("cut", [n for n in range(1, len(AVCC) // 2 - 6) if n != 7])
def test_a_short_avcc_is_refused(cut: int) -> None:
    with pytest.raises(FormatError):
        parse_avcc(bytes.fromhex(AVCC)[:-cut])


def test_an_avcc_without_picture_parameter_sets_is_read() -> None:
    """Some cameras leave out even their number: the PPS comes with the stream."""
    assert len(parse_avcc(bytes.fromhex(AVCC)[:-7]).parameter_sets) == 1


def high_sps(*, chroma: int = 1, frames_only: bool = True, crop: tuple[int, int, int, int] | None = None) -> BitWriter:
    """An SPS of the High 4:4:4 profile with scaling lists and picture order of type 1, up to the VUI flag."""
    w = BitWriter().u(8, 0x67).u(8, 244).u(8, 0).u(8, 51).ue(0, chroma)
    if chroma == 3:
        w.u(1, 0)
    w.ue(2, 2).u(1, 0).u(1, 1)
    w.u(1, 1).se(-8)  # the first list: one step to zero, so that the rest is not coded
    w.u(1, 1).se(*[1] * 16)
    for _ in range(10 if chroma == 3 else 6):
        w.u(1, 0)
    w.ue(0, 1).u(1, 0).se(-3, 4).ue(2).se(5, -6)  # frame numbers, picture order with a cycle of two
    w.ue(4).u(1, 0).ue(119, 67 if frames_only else 33).u(1, int(frames_only))
    if not frames_only:
        w.u(1, 1)
    w.u(1, 1).u(1, int(crop is not None))
    return w.ue(*crop) if crop else w


@pytest.mark.parametrize(
    ("chroma", "frames_only", "crop", "size"),
    [
        (1, True, (0, 0, 0, 4), (1920, 1080)),
        (1, False, (0, 0, 0, 2), (1920, 1080)),
        (2, True, (1, 2, 0, 8), (1914, 1080)),
        (3, True, (1, 2, 3, 5), (1917, 1080)),
        (0, True, (1, 2, 3, 5), (1917, 1080)),
        (1, True, None, (1920, 1088)),
    ],
)
def test_cropping_counts_in_chroma_units(
    chroma: int, frames_only: bool, crop: tuple[int, int, int, int] | None, size: tuple[int, int]
) -> None:
    sps = escape(high_sps(chroma=chroma, frames_only=frames_only, crop=crop).u(1, 0).done())

    config = parse_h264_sps(sps)

    assert (config.width, config.height, config.chroma, config.bit_depth) == (*size, chroma, 10)
    assert config.fps is None


def test_a_damaged_vui_costs_only_the_frame_rate() -> None:
    whole = parse_h264_sps(bytes.fromhex("6742c00bda0b378893011000000300100000030320f142aa"))
    cut = parse_h264_sps(bytes.fromhex("6742c00bda0b37889301100000030010"))

    assert (whole.fps, cut.fps) == (25.0, None)
    assert (cut.width, cut.height) == (162, 90)


def test_a_picture_cropped_to_nothing_is_refused() -> None:
    with pytest.raises(FormatError, match="picture of"):
        parse_h264_sps(escape(high_sps(crop=(480, 480, 0, 0)).u(1, 0).done()))


def test_hevc_short_term_sets_before_the_vui() -> None:
    """Predicted reference sets, sub-layers with their own levels, PCM and scaling lists stand before the frame rate."""
    w = BitWriter().u(16, 0x4201).u(4, 0).u(3, 1).u(1, 1)
    w.u(3, 0).u(5, 2).u(32, 0).u(32, 0).u(16, 0).u(8, 93).u(1, 1).u(1, 1).u(14, 0).u(32, 0).u(32, 0).u(24, 0).u(8, 90)
    w.ue(0, 1, 640, 368).u(1, 1).ue(0, 0, 0, 4).ue(2, 2, 4).u(1, 1).ue(1, 0, 0, 1, 0, 0)
    w.ue(0, 3, 0, 3, 0, 0).u(1, 1).u(1, 1)
    for size in range(4):
        for matrix in range(2 if size == 3 else 6):
            if matrix:
                w.u(1, 0).ue(0)
            else:
                w.u(1, 1).se(*([3] if size > 1 else [])).se(*[0] * (16 if size == 0 else 64))
    w.u(2, 0).u(1, 1).u(8, 0x77).ue(0, 0).u(1, 0)
    w.ue(2).ue(2, 1).ue(0).u(1, 1).ue(0).u(1, 1).ue(0).u(1, 0)  # first set: two before, one after
    w.u(1, 1).u(1, 0).ue(0).u(1, 1).u(1, 0).u(1, 0).u(1, 0).u(1, 1).u(1, 1)  # second: predicted, four entries
    w.u(1, 1).ue(1).u(8, 1).u(1, 1).u(2, 0)
    w.u(1, 1).u(1, 0).u(1, 0).u(1, 0).u(1, 0).u(3, 0).u(1, 0).u(1, 1).u(32, 1001).u(32, 60000)

    config = parse_hevc_sps(escape(w.done()))

    assert config == VideoConfig("hevc", 640, 360, 2, 93, 1, 10, 60000 / 1001)


def test_av1_timing_and_decoder_model() -> None:
    w = BitWriter().u(8, 0x08).u(3, 2).u(1, 0).u(1, 0)
    w.u(1, 1).u(32, 1).u(32, 120).u(1, 1).u(3, 0b010).u(1, 1)  # 120 ticks a second, two ticks a picture (uvlc 1)
    w.u(5, 9).u(32, 1).u(5, 0).u(5, 0).u(1, 1)
    w.u(5, 1)
    w.u(12, 0x101).u(5, 13).u(1, 1).u(1, 1).u(10, 1).u(10, 2).u(1, 0).u(1, 1).u(4, 3)
    w.u(12, 0x100).u(5, 4).u(1, 0).u(1, 0)
    w.u(4, 11).u(4, 11).u(12, 3839).u(12, 2159).u(1, 1).u(7, 0x25).u(3, 0)
    w.u(4, 0).u(1, 1).u(2, 0).u(1, 0).u(1, 1).u(1, 0).u(1, 1).u(3, 6).u(3, 0)
    w.u(1, 1).u(1, 1).u(1, 0).u(1, 0).u(1, 0).u(1, 1).u(1, 0)  # 12 bits, colour, no description, 4:2:2

    assert parse_av1_sequence_header(w.done()) == VideoConfig("av1", 3840, 2160, 2, 13, 2, 12, 60.0)


def test_nal_units_are_found_between_start_codes_of_either_length() -> None:
    stream = b"junk\0\0\0\1\x67aa\0\0\1\x68b\0\0\0\0\1\x65slice\0"

    found = [(nal_name("h264", nal_type("h264", stream[a])), stream[a + 1 : b]) for a, b in nals(stream)]

    assert found == [("SPS", b"aa"), ("PPS", b"b"), ("IDR", b"slice")]
    assert list(nals(memoryview(bytearray(stream)))) == list(nals(stream))


def test_the_search_for_nal_units_stops_at_its_limit() -> None:
    stream = b"\0\0\1\x67abcdef\0\0\1\x68"

    assert [stream[a:b] for a, b in nals(stream, limit=8)] == [b"\x67abcd"]
    assert list(nals(b"")) == []


def test_unescape_undoes_emulation_prevention() -> None:
    raw = bytes(range(4)) + b"\0\0\0\0\0\1\0\0\2\0\0\3\xff"

    assert unescape(escape(raw)) == raw
    with pytest.raises(TooLarge):
        unescape(bytes(100), limit=99)


def test_what_opens_a_group_of_pictures() -> None:
    assert [kind for kind in range(32) if is_random_access("h264", kind)] == [H264Nal.IDR]
    assert [kind for kind in range(64) if is_random_access("hevc", kind)] == list(range(16, 24))
    assert is_random_access("av1", Obu.SEQUENCE_HEADER)
    assert not is_random_access("vp9", 5)
    assert is_slice("h264", H264Nal.SLICE)
    assert is_slice("hevc", HevcNal.CRA)
    assert not is_slice("hevc", HevcNal.SPS)
    assert not is_slice("av1", Obu.SEQUENCE_HEADER)


def test_recovery_points_are_found_among_other_sei_messages() -> None:
    user_data = b"\x05\xff\x01" + bytes(256)

    assert has_recovery_point(b"\x06" + escape(user_data + b"\x06\x01\xc4\x80"))
    assert not has_recovery_point(b"\x06" + escape(user_data) + b"\x80")
    assert not has_recovery_point(b"\x06\xff\xff")
    assert not has_recovery_point(b"\x06")


def test_obus_are_walked_and_the_last_may_be_cut() -> None:
    stream = bytes.fromhex("1200") + bytes.fromhex(AV1C)[4:] + b"\x32\x81\x01abc"

    assert [(kind, end - start) for kind, start, end in obus(stream)] == [(2, 2), (1, 12), (6, 6)]
    with pytest.raises(FormatError):
        list(obus(b"\x0a" + b"\xff" * 9))


@pytest.mark.parametrize(
    "parse", [parse_h264_sps, parse_hevc_sps, parse_av1_sequence_header, parse_avcc, parse_hvcc, parse_av1c]
)
def test_other_things_are_refused(parse: object) -> None:
    for wrong in (b"", b"\0", bytes(64), b"\xff" * 64, b"<!doctype html><html>"):
        with pytest.raises(FormatError):
            parse(wrong)  # type: ignore[operator]
