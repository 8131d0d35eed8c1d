"""How a file is cut for S3, and what its ETag must then be."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import BinaryIO

PART_BYTES = 8 * 1024 * 1024
_MOST_PARTS = 9000
"""S3 takes 10,000."""
_OF_DIGEST = re.compile(r"[0-9a-f]{32}(-\d+)?")


def part_bytes(size: int) -> int:
    """The same for the same size, so that the ETag of an earlier upload can be known."""
    length = PART_BYTES
    while length * _MOST_PARTS < size:
        length *= 2
    return length


class Etags:
    """Of bytes in their order: what S3 calls them, sent whole or in parts."""

    def __init__(self, size: int) -> None:
        self._length = part_bytes(size)
        self._whole = hashlib.md5(usedforsecurity=False)
        self._part = hashlib.md5(usedforsecurity=False)
        self._held = 0
        self._parts: list[bytes] = []

    def add(self, data: bytes) -> None:
        self._whole.update(data)
        while data:
            piece, data = data[: self._length - self._held], data[self._length - self._held :]
            self._part.update(piece)
            self._held += len(piece)
            if self._held == self._length:
                self._close()

    def _close(self) -> None:
        self._parts.append(self._part.digest())
        self._part, self._held = hashlib.md5(usedforsecurity=False), 0

    @property
    def whole(self) -> str:
        """MD5 of all, in hexadecimal digits."""
        return self._whole.hexdigest()

    def fits(self, etag: str | None) -> bool | None:
        """Whether an ETag is of these bytes; None: it is no digest of S3's."""
        text = (etag or "").strip('"').lower()
        if not _OF_DIGEST.fullmatch(text):
            return None
        parts = [*self._parts, self._part.digest()] if self._held else self._parts
        joined = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
        return text in {self.whole, f"{joined}-{len(parts)}"}


def etags_of(file: BinaryIO, size: int, beat: Callable[[], None] = lambda: None) -> Etags:
    """Of a whole file; blocking."""
    etags = Etags(size)
    while data := file.read(1024 * 1024):
        etags.add(data)
        beat()
    return etags
