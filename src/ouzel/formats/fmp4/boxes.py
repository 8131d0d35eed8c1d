"""Boxes of the ISO base media file format: reading them within bounds, and writing them.

Source: ISO/IEC 14496-12 section 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ouzel.base.errors import FormatError, TooLarge

MAX_CHILDREN = 4096
"""Boxes in one container. A real moof has a few; without a limit, eight zero bytes each would keep a reader busy."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box lies in the buffer that it was found in."""

    kind: bytes
    start: int
    body: int
    """First byte behind the header."""
    end: int


def children(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets of `data`.

    A size of 0 reaches to `end`. Fewer than 8 bytes behind the last box are padding (QuickTime ends containers so).
    Raises: FormatError when a box leaves its container; TooLarge for more than `MAX_CHILDREN`.
    """
    found = 0
    while start + 8 <= end:
        size = int.from_bytes(data[start : start + 4], "big")
        kind = data[start + 4 : start + 8]
        body = start + 8
        if size == 1:
            body += 8
            size = int.from_bytes(data[start + 8 : body], "big")
        elif size == 0:
            size = end - start
        if start + size > end or body > start + size:
            raise FormatError(f"box {name_of(kind)} leaves its container", size=size, room=end - start)
        found += 1
        if found > MAX_CHILDREN:
            raise TooLarge("too many boxes in one container", limit=MAX_CHILDREN)
        yield Box(kind, start, body, start + size)
        start += size


def inside(data: bytes, box: Box, skip: int = 0) -> Iterator[Box]:
    """The children of a box whose own fields take `skip` bytes."""
    return children(data, min(box.body + skip, box.end), box.end)


def first(data: bytes, box: Box, *path: bytes) -> Box | None:
    """The first box found by going down `path` from `box`; None when a step is missing."""
    here: Box | None = box
    for kind in path:
        if here is None:
            return None
        here = next((child for child in inside(data, here) if child.kind == kind), None)
    return here


def wanted(data: bytes, box: Box, *path: bytes) -> Box:
    """Like `first`. Raises: FormatError when it is not there."""
    found = first(data, box, *path)
    if found is None:
        raise FormatError(f"{name_of(box.kind)} without {name_of(path[-1])}")
    return found


class Fields:
    """A cursor over the fields of one box. Raises: FormatError when it is read beyond its end."""

    __slots__ = ("_at", "_box", "_data")

    def __init__(self, data: bytes, box: Box) -> None:
        self._data = data
        self._box = box
        self._at = box.body

    def u(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def i(self, size: int) -> int:
        """A signed number of `size` bytes."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def take(self, size: int) -> bytes:
        at, self._at = self._at, self._at + size
        if self._at > self._box.end:
            raise FormatError(f"{name_of(self._box.kind)} is cut short")
        return self._data[at : self._at]

    def version_and_flags(self) -> tuple[int, int]:
        return self.u(1), self.u(3)

    def rest(self) -> bytes:
        return self._data[self._at : self._box.end]


def box(kind: bytes, *parts: bytes) -> bytes:
    """One box around `parts`."""
    return b"".join((u32(8 + sum(map(len, parts))), kind, *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, u32(version << 24 | flags), *parts)


def u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")


def name_of(kind: bytes) -> str:
    """A box type for a message, whatever its bytes are."""
    return kind.decode("ascii") if kind.isascii() and kind.decode("ascii").isprintable() else kind.hex()
