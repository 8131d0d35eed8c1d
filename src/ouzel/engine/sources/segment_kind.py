"""What a segment of HLS is, by its first bytes."""

from __future__ import annotations

from typing import Literal

from ouzel.base.errors import Unsupported
from ouzel.engine.sources.detect import not_media

SegmentKind = Literal["ts", "mp4", "packed"]
_TELLING_BYTES = 8
_TS_SYNC = 0x47
_MP4_BOXES = frozenset({b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"emsg", b"prft", b"free"})


def kind_of_segment(first: bytes) -> SegmentKind:
    """By at least 8 bytes of a segment. Raises: NotMedia, Unsupported."""
    if (kind := _beginning(first)) is not None:
        return kind
    if first.lstrip()[:1] == b"<":
        raise not_media("the segment is a web page", first)
    if first[:6] == b"WEBVTT" or first[3:9] == b"WEBVTT":
        raise Unsupported("the segments are subtitles")
    return "ts"  # its shaper looks for the packets, and says so when there are none


def is_noise(first: bytes) -> bool:
    """Whether what turned out not to be media does not even begin like media."""
    return len(first) < _TELLING_BYTES or _beginning(first) is None


def _beginning(first: bytes) -> SegmentKind | None:
    if first[4:8] in _MP4_BOXES:
        return "mp4"
    if first[:3] == b"ID3" or (first[0] == 0xFF and first[1] & 0xE0 == 0xE0) or first[:2] == b"\x0b\x77":
        return "packed"
    return "ts" if first[0] == _TS_SYNC else None
