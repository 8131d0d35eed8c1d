"""HEVC: the sequence parameter set and the hvcC record."""

from __future__ import annotations

from ouzel.base.errors import FormatError
from ouzel.formats.codecs.bits import Bits
from ouzel.formats.codecs.config import DecoderRecord, VideoConfig, checked_rate, checked_size
from ouzel.formats.codecs.nal import HevcNal, nal_type, unescape
from ouzel.formats.shape import Buffer

_WHAT = "HEVC SPS"


def parse_hevc_sps(nal: Buffer) -> VideoConfig:
    """Read a sequence parameter set of the base layer: one NAL unit with its two header bytes.

    Raises: FormatError. Damage behind the picture size only costs `fps`. Source: H.265 section 7.3.2.2.
    """
    if len(nal) < 4 or nal_type("hevc", nal[0]) != HevcNal.SPS or (nal[0] & 1 or nal[1] >> 3):
        raise FormatError("not an HEVC SPS of the base layer")
    bits = Bits(unescape(nal), _WHAT)
    bits.skip(16 + 4)  # header, sps_video_parameter_set_id
    sub_layers = bits.u(3)
    bits.skip(1)  # sps_temporal_id_nesting_flag
    profile, level = _profile_tier_level(bits, sub_layers)
    bits.ue_max(15)  # sps_seq_parameter_set_id
    chroma = bits.ue_max(3)
    separate = bits.flag() if chroma == 3 else False
    width, height = bits.ue(), bits.ue()
    if bits.flag():
        across = 2 if chroma in {1, 2} and not separate else 1
        down = 2 if chroma == 1 else 1
        width -= across * (bits.ue() + bits.ue())
        height -= down * (bits.ue() + bits.ue())
    width, height = checked_size(_WHAT, width, height)
    depth = 8 + bits.ue_max(8)
    return VideoConfig("hevc", width, height, profile, level, chroma, depth, _fps(bits, sub_layers))


def _profile_tier_level(bits: Bits, sub_layers: int) -> tuple[int, int]:
    bits.skip(3)  # general_profile_space, general_tier_flag
    profile = bits.u(5)
    bits.skip(32 + 48)  # compatibility flags, constraint flags
    level = bits.u(8)
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.skip(2 * (8 - sub_layers))  # reserved_zero_2bits
    for has_profile, has_level in present:
        bits.skip(88 * has_profile + 8 * has_level)
    return profile, level


def _fps(bits: Bits, sub_layers: int) -> float | None:
    try:
        _skip_to_vui(bits, sub_layers)
        return _vui_fps(bits) if bits.flag() else None
    except FormatError:
        return None


def _skip_to_vui(bits: Bits, sub_layers: int) -> None:
    bits.ue_max(8)  # bit_depth_chroma_minus8
    lsb_bits = bits.ue_max(12) + 4
    for _ in range(sub_layers + 1 if bits.flag() else 1):
        for _ in range(3):
            bits.ue()  # buffering, reordering, latency
    for _ in range(6):
        bits.ue()  # block sizes and transform depths
    if bits.flag() and bits.flag():
        _scaling_lists(bits)
    bits.skip(2)  # amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.flag():
        bits.skip(8)  # PCM bit depths
        bits.ue()
        bits.ue()
        bits.skip(1)
    _reference_sets(bits, bits.ue_max(64))
    if bits.flag():
        bits.skip(bits.ue_max(32) * (lsb_bits + 1))  # long-term reference pictures
    bits.skip(2)  # sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag


def _scaling_lists(bits: Bits) -> None:
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():
                bits.ue()
                continue
            if size > 1:
                bits.se()
            for _ in range(min(64, 1 << (4 + (size << 1)))):
                bits.se()


def _reference_sets(bits: Bits, count: int) -> None:
    """Skip the short-term reference picture sets: each may be coded as a change of the one before (section 7.3.7)."""
    pictures = 0
    for index in range(count):
        if index and bits.flag():
            bits.skip(1)  # delta_rps_sign
            bits.ue()
            kept = 0
            for _ in range(pictures + 1):
                kept += bits.flag() or bits.flag()  # used_by_curr_pic_flag, else use_delta_flag
            pictures = kept
        else:
            before, after = bits.ue_max(16), bits.ue_max(16)
            for _ in range(before + after):
                bits.ue()
                bits.skip(1)
            pictures = before + after


def _vui_fps(bits: Bits) -> float | None:
    """Source: H.265 section E.2.1."""
    if bits.flag() and bits.u(8) == 255:  # aspect_ratio_idc: EXTENDED_SAR
        bits.skip(32)
    if bits.flag():
        bits.skip(1)
    if bits.flag():
        bits.skip(4)
        if bits.flag():
            bits.skip(24)
    if bits.flag():
        bits.ue()
        bits.ue()
    bits.skip(3)  # neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
    if bits.flag():
        for _ in range(4):
            bits.ue()  # default display window
    if not bits.flag():
        return None
    units, scale = bits.u(32), bits.u(32)
    return checked_rate(scale, units)


def parse_hvcc(record: Buffer) -> DecoderRecord:
    """Read an HEVCDecoderConfigurationRecord. Raises: FormatError. Source: ISO/IEC 14496-15 section 8.3.3.1."""
    data = bytes(record[: 1 << 16])
    if len(data) < 23 or data[0] > 1 or not (data[0] or data[22]):  # version 0 was written by early muxers
        raise FormatError("not an hvcC record", size=len(data))
    length_size = (data[21] & 3) + 1
    if length_size == 3:
        raise FormatError("hvcC: a NAL length of 3 bytes")
    sets: list[bytes] = []
    config: VideoConfig | None = None
    at = 23
    for _ in range(data[22]):
        if at + 3 > len(data):
            raise FormatError("hvcC: cut short")
        kind = data[at] & 0x3F
        count = int.from_bytes(data[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(data[at : at + 2], "big")
            unit = data[at + 2 : at + 2 + size]
            at += 2 + size
            if at > len(data) or not size:
                raise FormatError("hvcC: cut short")
            sets.append(unit)
            if kind == HevcNal.SPS and config is None and not (unit[0] & 1 or unit[1:2] > b"\x07"):
                config = parse_hevc_sps(unit)
    return DecoderRecord(config, tuple(sets), length_size)
