"""H.264: the sequence parameter set and the avcC record."""

from __future__ import annotations

from ouzel.base.errors import FormatError
from ouzel.formats.codecs.bits import Bits
from ouzel.formats.codecs.config import DecoderRecord, VideoConfig, checked_rate, checked_size
from ouzel.formats.codecs.nal import H264Nal, unescape
from ouzel.formats.shape import Buffer

_WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_WHAT = "H.264 SPS"


def parse_h264_sps(nal: Buffer) -> VideoConfig:
    """Read a sequence parameter set: one NAL unit with its header byte, without start code or length.

    Raises: FormatError. A damaged VUI only costs `fps`, since it comes last. Source: H.264 section 7.3.2.1.1.
    """
    if len(nal) < 4 or nal[0] & 0x1F != H264Nal.SPS:
        raise FormatError("not an H.264 SPS")
    bits = Bits(unescape(nal), _WHAT)
    bits.skip(8)
    profile = bits.u(8)
    bits.skip(8)  # constraint_set flags
    level = bits.u(8)
    bits.ue_max(31)  # seq_parameter_set_id
    chroma, separate, depth = _chroma(bits) if profile in _WITH_CHROMA else (1, False, 8)
    bits.ue_max(12)  # log2_max_frame_num_minus4
    _picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.skip(1)  # gaps_in_frame_num_value_allowed_flag
    width = (bits.ue() + 1) * 16
    units = bits.ue() + 1
    frames_only = bits.flag()
    height = units * 16 * (1 if frames_only else 2)
    if not frames_only:
        bits.skip(1)  # mb_adaptive_frame_field_flag
    bits.skip(1)  # direct_8x8_inference_flag
    if bits.flag():
        across = 1 if separate or chroma in {0, 3} else 2
        down = (2 if chroma == 1 and not separate else 1) * (1 if frames_only else 2)
        width -= across * (bits.ue() + bits.ue())
        height -= down * (bits.ue() + bits.ue())
    width, height = checked_size(_WHAT, width, height)
    return VideoConfig("h264", width, height, profile, level, chroma, depth, _vui_fps(bits))


def _chroma(bits: Bits) -> tuple[int, bool, int]:
    chroma = bits.ue_max(3)
    separate = bits.flag() if chroma == 3 else False
    depth = 8 + bits.ue_max(6)
    bits.ue_max(6)  # bit_depth_chroma_minus8
    bits.skip(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():
        for index in range(12 if chroma == 3 else 8):
            if bits.flag():
                _scaling_list(bits, 16 if index < 6 else 64)
    return chroma, separate, depth


def _scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) & 0xFF
        last = following or last


def _picture_order(bits: Bits) -> None:
    kind = bits.ue_max(2)
    if kind == 0:
        bits.ue_max(12)  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.skip(1)
        bits.se()
        bits.se()
        for _ in range(bits.ue_max(255)):
            bits.se()


def _vui_fps(bits: Bits) -> float | None:
    try:
        return _read_vui_fps(bits)
    except FormatError:
        return None


def _read_vui_fps(bits: Bits) -> float | None:
    if not bits.flag():
        return None
    if bits.flag() and bits.u(8) == 255:  # aspect_ratio_idc: Extended_SAR
        bits.skip(32)
    if bits.flag():
        bits.skip(1)  # overscan_appropriate_flag
    if bits.flag():
        bits.skip(4)  # video_format, video_full_range_flag
        if bits.flag():
            bits.skip(24)  # colour_description
    if bits.flag():
        bits.ue()
        bits.ue()  # chroma sample location
    if not bits.flag():
        return None
    units, scale = bits.u(32), bits.u(32)
    return checked_rate(scale, 2 * units)  # a tick is a field


def parse_avcc(record: Buffer) -> DecoderRecord:
    """Read an AVCDecoderConfigurationRecord (the payload of an avcC box or of an FLV AVC sequence header).

    Raises: FormatError. Source: ISO/IEC 14496-15 section 5.3.3.1.
    """
    data = bytes(record[: 1 << 16])
    if len(data) < 6 or data[0] != 1:
        raise FormatError("not an avcC record", size=len(data))
    sets: list[bytes] = []
    at = _take_sets(data, 6, data[5] & 0x1F, sets)
    first_sps = sets[0] if sets else None
    if at < len(data):
        at = _take_sets(data, at + 1, data[at], sets)
    if data[1] in _WITH_CHROMA and at + 4 <= len(data):
        _take_sets(data, at + 4, data[at + 3], sets)
    length_size = (data[4] & 3) + 1
    if length_size == 3:
        raise FormatError("avcC: a NAL length of 3 bytes")
    return DecoderRecord(parse_h264_sps(first_sps) if first_sps else None, tuple(sets), length_size)


def _take_sets(data: bytes, at: int, count: int, sets: list[bytes]) -> int:
    for _ in range(count):
        size = int.from_bytes(data[at : at + 2], "big")
        at += 2
        if at + size > len(data):
            raise FormatError("avcC: cut short")
        sets.append(data[at : at + size])
        at += size
    return at
