"""AV1: the sequence header OBU and the av1C record."""

from __future__ import annotations

from collections.abc import Iterator

from ouzel.base.errors import FormatError
from ouzel.formats.codecs.bits import Bits
from ouzel.formats.codecs.config import DecoderRecord, VideoConfig, checked_rate, checked_size
from ouzel.formats.codecs.nal import Obu
from ouzel.formats.shape import Buffer

_WHAT = "AV1 sequence header"


def obus(buffer: Buffer, limit: int = 64 * 1024) -> Iterator[tuple[int, int, int]]:
    """Yield type, start and end offset of each OBU (header included) in the low-overhead format.

    Only the first `limit` bytes are looked at; an OBU that is cut off by the end stops there. Source: AV1 section 5.3.
    """
    end = min(len(buffer), limit)
    at = 0
    while at < end:
        head = buffer[at]
        body = at + 1 + (head >> 2 & 1)
        if not head & 2:  # no size: it goes on to the end
            yield head >> 3 & 0x0F, at, end
            return
        size, body = _leb128(buffer, body, end)
        stop = min(end, body + size)
        yield head >> 3 & 0x0F, at, stop
        at = stop


def _leb128(buffer: Buffer, at: int, end: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        if at >= end:
            raise FormatError("OBU: cut short")
        value |= (buffer[at] & 0x7F) << (7 * index)
        at += 1
        if not buffer[at - 1] & 0x80:
            return value, at
    raise FormatError("OBU: bad size")


def parse_av1_sequence_header(obu: Buffer) -> VideoConfig:
    """Read a sequence header OBU, its header byte included.

    `level` is seq_level_idx of the first operating point; width and height are the largest that may occur.
    Raises: FormatError. Source: AV1 section 5.5.
    """
    if not len(obu) or obu[0] >> 3 & 0x0F != Obu.SEQUENCE_HEADER:
        raise FormatError("not an AV1 sequence header")
    at = 1 + (obu[0] >> 2 & 1)
    end = len(obu)
    if obu[0] & 2:
        size, at = _leb128(obu, at, end)
        end = min(end, at + size)
    bits = Bits(obu[at:end], _WHAT)
    profile = bits.u(3)
    bits.skip(1)  # still_picture
    reduced = bits.flag()
    level, fps = (bits.u(5), None) if reduced else _operating_points(bits)
    width_bits, height_bits = bits.u(4) + 1, bits.u(4) + 1
    width, height = bits.u(width_bits) + 1, bits.u(height_bits) + 1
    width, height = checked_size(_WHAT, width, height)
    _tools(bits, reduced)
    chroma, depth = _colour(bits, profile)
    return VideoConfig("av1", width, height, profile, level, chroma, depth, fps)


def _operating_points(bits: Bits) -> tuple[int, float | None]:
    fps: float | None = None
    decoder_model = False
    delay_bits = 0
    if bits.flag():
        units, scale = bits.u(32), bits.u(32)
        if bits.flag():  # equal_picture_interval
            fps = checked_rate(scale, units * (bits.uvlc() + 1))
        decoder_model = bits.flag()
        if decoder_model:
            delay_bits = bits.u(5) + 1
            bits.skip(32 + 5 + 5)
    display_delay = bits.flag()
    level = 0
    for index in range(bits.u(5) + 1):
        bits.skip(12)  # operating_point_idc
        this = bits.u(5)
        level = level if index else this
        if this > 7:
            bits.skip(1)  # seq_tier
        if decoder_model and bits.flag():
            bits.skip(2 * delay_bits + 1)
        if display_delay and bits.flag():
            bits.skip(4)
    return level, fps


def _tools(bits: Bits, reduced: bool) -> None:
    if not reduced and bits.flag():
        bits.skip(7)  # frame id lengths
    bits.skip(3)  # 128x128 superblocks, filter_intra, intra_edge_filter
    if not reduced:
        bits.skip(4)  # interintra, masked, warped, dual filter
        order_hint = bits.flag()
        if order_hint:
            bits.skip(2)
        choose_screen = bits.flag()
        screen = 2 if choose_screen else bits.u(1)
        if screen and not bits.flag():  # seq_choose_integer_mv
            bits.skip(1)
        if order_hint:
            bits.skip(3)
    bits.skip(3)  # superres, cdef, restoration


def _colour(bits: Bits, profile: int) -> tuple[int, int]:
    high = bits.flag()
    depth = 12 if profile == 2 and high and bits.flag() else 10 if high else 8
    grey = bits.flag() if profile != 1 else False
    described = (bits.u(8), bits.u(8), bits.u(8)) if bits.flag() else None
    if grey:
        return 0, depth
    if described == (1, 13, 0):  # sRGB with the identity matrix
        return 3, depth
    bits.skip(1)  # color_range
    if profile == 0:
        return 1, depth
    if profile == 1:
        return 3, depth
    if depth < 12:
        return 2, depth
    if not bits.flag():  # subsampling_x
        return 3, depth
    return 1 if bits.flag() else 2, depth


def parse_av1c(record: Buffer) -> DecoderRecord:
    """Read an AV1CodecConfigurationRecord. Raises: FormatError. Source: AV1 in ISOBMFF section 2.3.3."""
    if len(record) < 4 or record[0] != 0x81:
        raise FormatError("not an av1C record", size=len(record))
    body = bytes(record[4 : 1 << 16])
    units = [(kind, body[start:end]) for kind, start, end in obus(body)]
    header = next((unit for kind, unit in units if kind == Obu.SEQUENCE_HEADER), None)
    return DecoderRecord(parse_av1_sequence_header(header) if header else None, tuple(u for _, u in units), 0)
