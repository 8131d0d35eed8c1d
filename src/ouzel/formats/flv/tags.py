"""The frame of an FLV file: its header, and tags that each end with their own size.

    header   "FLV" · version 1 · flags (4 audio, 1 video) · size of the header (9) · PreviousTagSize (0)
    tag      type (8 audio, 9 video, 18 script) · size of the body · time stamp (ms) · stream id (0) · body · PreviousTagSize

A *unit* is what the readers here move along by: the PreviousTagSize in front of a tag, its header, its body. So the place
between two units is 4 bytes before a tag's first byte.

Source: Adobe Flash Video File Format Specification 10.1, annex E.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ouzel.base.errors import FormatError, TooLarge
from ouzel.formats.shape import Buffer

AUDIO, VIDEO, SCRIPT = 8, 9, 18
KINDS = frozenset({AUDIO, VIDEO, SCRIPT})

HEADER_SIZE = 9
"""Of the file header; the PreviousTagSize of 0 behind it belongs to the first unit."""
TAG_HEADER = 11
UNIT_HEADER = 15
"""PreviousTagSize and tag header."""
MAX_BODY = 0xFF_FFFF
MAX_STAMP = 0xFFFF_FFFF

_TAG = struct.Struct(">IIB2x")
_UNIT = struct.Struct(">IIIBH")
SIZE = struct.Struct(">I")


class UnitHeader(NamedTuple):
    """A tag's header with what stands before it."""

    previous: int
    """PreviousTagSize: body and header of the tag before, as announced."""
    kind: int
    """8, 9 or 18; anything else when this is not a tag."""
    size: int
    """Bytes of the body."""
    stamp: int
    """Milliseconds, 0 to 2**32 - 1."""
    stream: int

    @property
    def plausible(self) -> bool:
        return self.kind in KINDS and self.stream == 0


@dataclass(frozen=True, slots=True)
class Tag:
    kind: int
    stamp: int
    body: memoryview
    offset: int
    """Of the tag's first byte."""

    @property
    def size(self) -> int:
        """Of the whole tag, with the PreviousTagSize behind it."""
        return TAG_HEADER + len(self.body) + 4


def read_unit(buffer: Buffer, at: int) -> UnitHeader:
    """Read the 15 bytes at `at`. Raises: struct.error when there are fewer."""
    previous, kind_size, stamp, high, low = _UNIT.unpack_from(buffer, at)
    return UnitHeader(
        previous, kind_size >> 24, kind_size & MAX_BODY, stamp >> 8 | (stamp & 0xFF) << 24, high << 16 | low
    )


def stamp_field(stamp: int) -> int:
    """A time stamp as the four bytes of its field: the low 24 bits, then the high 8."""
    return (stamp & 0xFF_FFFF) << 8 | stamp >> 24 & 0xFF


def is_file_header(buffer: Buffer, at: int = 0) -> bool:
    return bytes(buffer[at : at + 4]) == b"FLV\x01"


def file_header_size(buffer: Buffer, at: int = 0) -> int:
    """Bytes of the file header up to the first PreviousTagSize, from its first 9 bytes.

    Raises: FormatError when it announces less than itself; TooLarge when more than 1 KB, which no writer ever did.
    """
    size = int.from_bytes(buffer[at + 5 : at + 9], "big")
    if size < HEADER_SIZE:
        raise FormatError("FLV header: announces less than its own size", size=size)
    if size > 1024:
        raise TooLarge("FLV header too large", size=size, limit=1024)
    return size


def render_file_header(*, video: bool, audio: bool) -> bytes:
    """The 9 bytes of the header and the PreviousTagSize behind them."""
    return b"FLV\x01" + bytes([4 * audio + video]) + HEADER_SIZE.to_bytes(4, "big") + bytes(4)


def render_tag(kind: int, stamp: int, body: Buffer) -> bytes:
    """A whole tag with the PreviousTagSize behind it. Raises: TooLarge when the body is beyond 2**24 - 1 bytes."""
    size = len(body)
    if size > MAX_BODY:
        raise TooLarge("FLV tag too large", size=size, limit=MAX_BODY)
    head = _TAG.pack(kind << 24 | size, stamp_field(stamp & MAX_STAMP), 0)
    return b"".join((head, body, SIZE.pack(size + TAG_HEADER)))


def read_tags(data: Buffer, at: int = 0) -> Iterator[Tag]:
    """The tags of a buffer from `at` on, which is where a tag begins; an incomplete one at the end is left out.

    For buffers in memory: heads of files and tests. Streams go through `FlvShaper`.
    Raises: FormatError at anything that is not a tag.
    """
    view = memoryview(data)
    while at + TAG_HEADER <= len(view):
        kind_size, stamp, _ = _TAG.unpack_from(view, at)
        kind, size = kind_size >> 24, kind_size & MAX_BODY
        if kind not in KINDS:
            raise FormatError("not an FLV tag", offset=at, kind=kind)
        if at + TAG_HEADER + size + 4 > len(view):
            return
        body = view[at + TAG_HEADER : at + TAG_HEADER + size]
        yield Tag(kind, stamp >> 8 | (stamp & 0xFF) << 24, body, at)
        at += TAG_HEADER + size + 4
