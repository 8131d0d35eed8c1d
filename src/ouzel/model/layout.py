"""Where the pieces of a file that is written in any order belong. Pure.

A piece begins where the one before it ends, and its length is known when the head of its answer has come, long before its bytes.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

_UNKNOWN = -1
TS_PACKET = 188
AES_BLOCK = 16


class Misplaced(Exception):
    """A piece has another length than was told, or than it had room for: what stands behind it cannot stay there. A signal
    between our own callbacks; who gets it stops writing, and sets the file right (`moves`)."""

    def __init__(self, position: int) -> None:
        super().__init__(f"what stands behind piece {position} cannot stay there")
        self.position = position


class Move(NamedTuple):
    """A piece that stands elsewhere than it belongs."""

    position: int
    by: int


class Layout:
    """Lengths and places of `count` pieces behind a head of `head` bytes."""

    def __init__(self, head: int, count: int) -> None:
        self._sizes = array("q", [_UNKNOWN]) * count
        self._offsets = array("q", [_UNKNOWN]) * (count + 1)
        self._offsets[0] = head
        self._stands = array("q", [_UNKNOWN]) * count
        self._known = 0
        self._given = -1
        self._looked = 0
        """Nothing stands from `known` up to here."""

    @property
    def known(self) -> int:
        """How many pieces from the beginning have a length: all of these, and the next, have a place."""
        return self._known

    @property
    def end(self) -> int | None:
        """The length of the file; None while it is not known."""
        end = self._offsets[-1]
        return None if end == _UNKNOWN else end

    def size(self, position: int) -> int | None:
        size = self._sizes[position]
        return None if size == _UNKNOWN else size

    def place(self, position: int) -> int | None:
        """Where the piece begins; None while that is not known. Who has asked may write there."""
        place = self._offsets[position]
        if place == _UNKNOWN:
            return None
        self._given = max(self._given, position)
        return place

    def room(self, position: int) -> int:
        """What there is for it between what stands before it and behind it; 0 where that is not known."""
        place, taken = self._offsets[position], 0
        if place == _UNKNOWN:
            return 0
        for behind in range(position + 1, len(self._sizes)):
            if self._stands[behind] != _UNKNOWN:
                return max(0, self._stands[behind] - place - taken)
            if self._sizes[behind] == _UNKNOWN:
                return 0
            taken += self._sizes[behind]
        return 0

    def is_followed(self, position: int) -> bool:
        """Whether something stands behind it. `position`: the first without a length, or one behind that."""
        behind = self._next_standing()
        return behind is not None and behind > position

    def stand(self, position: int, at: int, size: int) -> None:
        """The piece is whole, and stands there; it is in its place, or `moves` tells."""
        self._stands[position] = at
        if position >= self._known:
            self._looked = min(self._looked, position)
        self._sizes[position] = size
        self._advance()

    def learn(self, position: int, size: int) -> None:
        """Raises: Misplaced: a place behind it was given away that is another one by now."""
        told = self._sizes[position]
        if told == size:
            return
        self._sizes[position] = size
        known = min(self._known, position + 1)
        if told != _UNKNOWN:
            self._offsets[position + 1 :] = array("q", [_UNKNOWN]) * (len(self._sizes) - position)
            self._known = min(self._known, position)
        self._advance()
        if (told != _UNKNOWN and position < self._given) or self._is_in_the_way(known):
            self._given = position
            raise Misplaced(position)

    def moves(self) -> list[Move]:
        """What has to be moved, in the order in which nothing is overwritten.

        What stands behind a piece of unknown length makes room for those before it, and no more.
        """
        moves: list[Move] = []
        by, end = 0, self._offsets[self._known]
        for position, stands in enumerate(self._stands):
            if stands == _UNKNOWN:
                continue
            place = self._offsets[position]
            by = max(by, end - stands) if place == _UNKNOWN else place - stands
            if by:
                moves.append(Move(position, by))
        forward = [move for move in moves if move.by > 0]
        return [*(move for move in moves if move.by < 0), *reversed(forward)]

    def _is_in_the_way(self, known: int) -> bool:
        """Whether something stands where it cannot stay: a piece from `known` on whose place is known by now, or the one
        behind them."""
        for number in range(known, self._known):
            if self._stands[number] not in {_UNKNOWN, self._offsets[number]}:
                return True
        behind = self._next_standing()
        return behind is not None and self._stands[behind] < self._offsets[self._known]

    def _next_standing(self) -> int | None:
        """The first piece that stands and has no place, because lengths before it are not known."""
        at, count = max(self._looked, self._known), len(self._stands)
        while at < count and self._stands[at] == _UNKNOWN:
            at += 1
        self._looked = at
        return at if at < count else None

    def _advance(self) -> None:
        sizes, offsets, known = self._sizes, self._offsets, self._known
        while known < len(sizes) and sizes[known] != _UNKNOWN:
            offsets[known + 1] = offsets[known] + sizes[known]
            known += 1
        self._known = known


def foreseen(encrypted: int, packet: int = TS_PACKET) -> int | None:
    """How long an AES-128-CBC segment is without its padding, when what is in it is made of packets.

    Padding takes 1 to 16 bytes (PKCS#7, RFC 8216 section 5.2), so that at most one of the lengths that it leaves is a multiple of
    188. Returns: None when none is.
    """
    size = (encrypted - 1) // packet * packet
    return size if encrypted > 0 and encrypted % AES_BLOCK == 0 and size >= encrypted - AES_BLOCK and size > 0 else None
