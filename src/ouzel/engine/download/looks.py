"""What the first bytes of a segment prove. Pure."""

from __future__ import annotations

import codecs

from ouzel.engine.sources.segment_kind import is_noise
from ouzel.system.http import Answer

LOOK_BYTES = 3 * 204
_SYNC = 0x47
_STRIDES = (188, 192, 204)


def is_media(first: bytes) -> bool:
    """Whether it begins like media, and what begins like a packet of TS goes on like packets."""
    return not is_noise(first) and (first[0] != _SYNC or _has_packets(first))


def may_be_chance(first: bytes) -> bool:
    """Whether noise may begin like this: one segment in 2,000 begins like a frame of sound."""
    return (first[:1] == b"\xff" and not _has_two_frames(first)) or first[:2] == b"\x0b\x77"


def version_of(answer: Answer) -> str:
    """Of a plain file: what changes when another one is put in its place; empty where that is not told.

    Servers that stand for one another give one file the same time more often than the same tag.
    """
    tag = answer.headers.get("etag") or ""
    return answer.headers.get("last-modified") or ("" if tag.startswith("W/") else tag)


def is_text(first: bytes) -> bool:
    """Whether it is the beginning of a text in UTF-8."""
    try:
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return False


def packed_ending(first: bytes) -> str:
    """Of sound without a container: behind an ID3 tag, which every segment begins with (RFC 8216 section 3.4)."""
    at = 0
    if first[:3] == b"ID3" and len(first) >= 10:
        at = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(first[6:10], (21, 14, 7, 0), strict=True))
    if first[at : at + 2] == b"\x0b\x77":
        return "ac3"
    return "mp3" if len(first) > at + 1 and first[at + 1] & 0x06 else "aac"


def _has_packets(first: bytes) -> bool:
    return any(all(byte == _SYNC for byte in first[::stride]) for stride in _STRIDES)


def _has_two_frames(first: bytes) -> bool:
    """Whether a frame of ADTS ends where another one begins. Source: ISO/IEC 13818-7, 6.2."""
    if len(first) < 6 or not _is_adts(first, 0):
        return False
    length = (first[3] & 3) << 11 | first[4] << 3 | first[5] >> 5
    return length >= 7 and _is_adts(first, length)


def _is_adts(data: bytes, at: int) -> bool:
    return len(data) > at + 1 and data[at] == 0xFF and data[at + 1] & 0xF6 == 0xF0
