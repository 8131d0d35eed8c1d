"""NAL units: where they start, what they are, and their bytes without emulation prevention."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from ouzel.base.errors import TooLarge
from ouzel.formats.codecs.bits import MAX_HEADER
from ouzel.formats.shape import Buffer


class H264Nal(IntEnum):
    """nal_unit_type, H.264 table 7-1."""

    SLICE = 1
    PARTITION_A = 2
    PARTITION_B = 3
    PARTITION_C = 4
    IDR = 5
    SEI = 6
    SPS = 7
    PPS = 8
    AUD = 9
    END_OF_SEQUENCE = 10
    END_OF_STREAM = 11
    FILLER = 12
    SPS_EXTENSION = 13
    PREFIX = 14
    SUBSET_SPS = 15


class HevcNal(IntEnum):
    """nal_unit_type, H.265 table 7-1."""

    TRAIL_N = 0
    TRAIL_R = 1
    TSA_N = 2
    TSA_R = 3
    STSA_N = 4
    STSA_R = 5
    RADL_N = 6
    RADL_R = 7
    RASL_N = 8
    RASL_R = 9
    BLA_W_LP = 16
    BLA_W_RADL = 17
    BLA_N_LP = 18
    IDR_W_RADL = 19
    IDR_N_LP = 20
    CRA = 21
    VPS = 32
    SPS = 33
    PPS = 34
    AUD = 35
    END_OF_SEQUENCE = 36
    END_OF_STREAM = 37
    FILLER = 38
    PREFIX_SEI = 39
    SUFFIX_SEI = 40


class Obu(IntEnum):
    """obu_type, AV1 section 6.2.2."""

    SEQUENCE_HEADER = 1
    TEMPORAL_DELIMITER = 2
    FRAME_HEADER = 3
    TILE_GROUP = 4
    METADATA = 5
    FRAME = 6
    REDUNDANT_FRAME_HEADER = 7
    TILE_LIST = 8
    PADDING = 15


_NAMES: dict[str, dict[int, str]] = {
    codec: {member.value: member.name for member in kinds}
    for codec, kinds in (("h264", H264Nal), ("hevc", HevcNal), ("av1", Obu))
}


def nal_type(codec: str, first: int) -> int:
    """The type in a unit's first byte; `codec` is h264, hevc or av1 (there: obu_type)."""
    if codec == "h264":
        return first & 0x1F
    if codec == "hevc":
        return first >> 1 & 0x3F
    if codec == "av1":
        return first >> 3 & 0x0F
    raise ValueError(codec)


def nal_name(codec: str, kind: int) -> str:
    """`IDR`, `SPS` …; `type 25` for one without a name here."""
    return _NAMES.get(codec, {}).get(kind, f"type {kind}")


def is_random_access(codec: str, kind: int) -> bool:
    """Whether decoding can start at an access unit that holds a unit of this type.

    H.264: IDR only (open groups of pictures need `has_recovery_point` as well); HEVC: the IRAP range, 16 to 23; AV1: a
    sequence header, which stands before each key frame.
    """
    if codec == "h264":
        return kind == H264Nal.IDR
    if codec == "hevc":
        return 16 <= kind <= 23
    return codec == "av1" and kind == Obu.SEQUENCE_HEADER


def is_slice(codec: str, kind: int) -> bool:
    """Whether a unit of this type is coded picture: after it, no parameter set of this access unit follows."""
    if codec == "h264":
        return 1 <= kind <= 5
    if codec == "hevc":
        return kind < 32
    return codec == "av1" and kind in {Obu.FRAME, Obu.FRAME_HEADER, Obu.TILE_GROUP}


def nals(buffer: Buffer, limit: int = 64 * 1024) -> Iterator[tuple[int, int]]:
    """Yield start and end offset of each NAL unit of an Annex B byte stream.

    Only the first `limit` bytes are looked at. `buffer[start]` is the unit's header byte; zeros before the next start code
    belong to no unit; a unit that is cut off by the limit ends there. Source: H.264 annex B, H.265 annex B.
    """
    end = min(len(buffer), limit)
    data = bytes(buffer[:end]) if isinstance(buffer, memoryview) else buffer
    found = data.find(b"\x00\x00\x01", 0, end)
    while found >= 0:
        start = found + 3
        found = data.find(b"\x00\x00\x01", start, end)
        stop = end if found < 0 else found
        while stop > start and data[stop - 1] == 0:
            stop -= 1
        if stop > start:
            yield start, stop


def unescape(nal: Buffer, limit: int = MAX_HEADER) -> bytes:
    """The unit without its emulation prevention bytes (00 00 03 becomes 00 00).

    Raises: TooLarge when it is longer than `limit`. Source: H.264 section 7.4.1.1.
    """
    if len(nal) > limit:
        raise TooLarge(f"NAL unit of {len(nal)} bytes", size=len(nal), limit=limit)
    data = bytes(nal)
    at = data.find(b"\x00\x00\x03")
    if at < 0:
        return data
    parts: list[bytes] = []
    start = 0
    while at >= 0:
        parts.append(data[start : at + 2])
        start = at + 3
        at = data.find(b"\x00\x00\x03", start)
    parts.append(data[start:])
    return b"".join(parts)


def has_recovery_point(sei: Buffer) -> bool:
    """Whether an H.264 SEI unit announces a recovery point: an I picture at which an open group of pictures can be entered.

    Source: H.264 section 7.3.2.3.1 and D.2.8 (payload type 6).
    """
    data = unescape(sei[:1024])
    at = 1
    while at + 2 <= len(data) and data[at] != 0x80:
        numbers: list[int] = []
        for _ in range(2):
            number = 0
            while at < len(data) and data[at] == 0xFF:
                number += 255
                at += 1
            if at >= len(data):
                return False
            numbers.append(number + data[at])
            at += 1
        if numbers[0] == 6:
            return True
        at += numbers[1]
    return False
