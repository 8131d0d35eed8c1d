"""Recognising that a connection brings again what the one before brought, from its first byte on. Pure.

A file of unknown length is read from its start each time that it is asked for, and what the child makes of it is the same each
time, byte for byte, since it counts from zero. What is on air does not begin twice with the same bytes.
"""

from __future__ import annotations

from array import array

import xxhash

BLOCK = 188 * 256
"""Bytes that are remembered by one digest, and held back until they are known to be new: 3 s at 128 kb/s."""


class Again:
    """What was in the last connection, and how far the present one is like it.

    Of each connection: `begin`, `new_of` for all its bytes, `close`, `settle`.
    """

    def __init__(self) -> None:
        self._prints = array("Q")  # of the blocks; the last may be a short one
        self._total = 0  # bytes in them
        self._seconds = 0.0
        self._good = False
        self.begin()

    def begin(self) -> None:
        """A connection begins."""
        self._alike = self._total > 0
        self._at = 0  # bytes that were the same
        self._held = bytearray()
        self._hash = xxhash.xxh3_64()
        self.dropped_s = 0.0
        """Seconds of media that were there before; known once it differs, or is settled."""
        self.is_file = False
        """It was the same as the one before from the first byte to the last, and both ended in good order."""
        if not self._alike:
            self._prints = array("Q")

    def new_of(self, piece: memoryview) -> memoryview:
        """The bytes that are to be kept, now that these have come: none as long as they may be the same as before."""
        if not self._alike:
            self._note(piece)
            return piece
        self._held += piece
        while size := min(BLOCK, self._total - self._at):
            if len(self._held) < size:
                return memoryview(b"")
            if xxhash.xxh3_64_intdigest(self._held[:size]) != self._prints[self._at // BLOCK]:
                return self._part()
            self._at += size
            if size < BLOCK:  # should it go on from here, this is how the next block begins
                self._hash = xxhash.xxh3_64(self._held[:size])
            del self._held[:size]
        return self._part() if self._held else memoryview(b"")

    def close(self) -> memoryview:
        """The connection is over. Returns: bytes that are to be kept after all, since too few came to tell."""
        if not self._alike:
            return memoryview(b"")
        return memoryview(b"" if self._at else self._held)

    def settle(self, gained_s: float, *, good: bool) -> None:
        """It has brought so much new media, and ended in good order or not."""
        if self._alike:
            self.dropped_s = self._share()
            self.is_file = good and self._good and self._at == self._total and not self._held
            self._good = good and (self._good or self._at == self._total)
            return
        if self._total % BLOCK:
            self._prints.append(self._hash.intdigest())
        self._seconds = self.dropped_s + gained_s
        self._good = good

    def _part(self) -> memoryview:
        """From here on it is another."""
        self.dropped_s = self._share()
        self._alike = False
        del self._prints[self._at // BLOCK :]
        self._total = self._at
        new = memoryview(self._held)
        self._note(new)
        return new

    def _share(self) -> float:
        return self._seconds * self._at / self._total

    def _note(self, piece: memoryview) -> None:
        while piece:
            part = piece[: BLOCK - self._total % BLOCK]
            self._hash.update(part)
            self._total += len(part)
            piece = piece[len(part) :]
            if not self._total % BLOCK:
                self._prints.append(self._hash.intdigest())
                self._hash.reset()
