"""Segments that are dressed up as something else: behind a picture that is whole, or packed with gzip although nobody said so.

Hosters of pictures are used as CDNs in this way; `field` tools know PNG, GIF, BMP and JPEG in front of a transport stream.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

from ouzel.base.errors import NotMedia

_PICTURES = (b"\x89PNG\r\n", b"GIF8", b"BM", b"\xff\xd8\xff")
_GZIP = b"\x1f\x8b\x08"
_PACKET, _SYNC = 188, 0x47
_LOOK_BYTES = 256 * 1024
"""A picture in front is a small one."""
_BOXES = (b"ftyp", b"styp", b"moof", b"sidx")

Put = Callable[[memoryview], None]


def is_dressed(first: bytes) -> bool:
    return first.startswith((*_PICTURES, _GZIP))


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    def decompress(self, data: bytes | memoryview, max_length: int, /) -> bytes: ...


class Peel:
    """Takes it off one segment.

    Args:
        put: takes what is inside.
        found: told, before anything is put, how many bytes stand before the media; None where their count tells nothing, because
            they are packed.
    """

    def __init__(self, first: bytes, put: Put, found: Callable[[int | None], None]) -> None:
        self._put = put
        self._found = found
        self._inflate: _Inflater | None = zlib.decompressobj(31) if first.startswith(_GZIP) else None
        self._held: bytearray | None = bytearray()
        if self._inflate is not None:
            self._held = None
            found(None)

    def feed(self, piece: memoryview) -> None:
        """Raises: NotMedia when there is no media behind the picture, or the packing is broken."""
        if self._inflate is not None:
            self._unpack(self._inflate, piece)
        elif self._held is None:
            self._put(piece)
        else:
            self._held += piece
            start = _media_in(self._held)
            if start is None:
                if len(self._held) > _LOOK_BYTES:
                    raise NotMedia("the segment is a picture")
                return
            held, self._held = self._held, None
            self._found(start)
            self._put(memoryview(held)[start:])

    def finish(self) -> None:
        """Raises: NotMedia."""
        if self._held is not None:
            raise NotMedia("the segment is a picture")
        if self._inflate is not None and not self._inflate.eof:
            raise NotMedia("the segment is packed with gzip, and its end is missing")

    def _unpack(self, inflate: _Inflater, piece: memoryview) -> None:
        data: bytes | memoryview = piece
        try:
            while data:
                if out := inflate.decompress(data, _LOOK_BYTES):
                    self._put(memoryview(bytearray(out)))
                data = inflate.unconsumed_tail
        except zlib.error as exc:
            raise NotMedia(f"the segment is packed with gzip, and broken: {exc}") from exc


def _media_in(data: bytearray) -> int | None:
    """Where the first three packets of a transport stream, or a box of MP4, begin."""
    at = data.find(_SYNC)
    while 0 <= at < len(data) - 2 * _PACKET:
        if data[at + _PACKET] == _SYNC and data[at + 2 * _PACKET] == _SYNC:
            return at
        at = data.find(_SYNC, at + 1)
    starts = [found - 4 for name in _BOXES if (found := data.find(name)) >= 4]
    return min(starts, default=None)
