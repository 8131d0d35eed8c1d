"""Finding the next tag behind garbage."""

from __future__ import annotations

import re

from ouzel.base.errors import FormatError
from ouzel.formats.flv.tags import AUDIO, SCRIPT, TAG_HEADER, UNIT_HEADER, VIDEO, read_unit

_CANDIDATE = re.compile(rb"[\x08\x09\x12](?=.{7}\0\0\0.)", re.DOTALL)
_CANDIDATE_SIZE = TAG_HEADER + 1
_MAX_WAITING = 64
_STRING = 2  # AMF0: a script tag begins with its name


class TagSearch:
    """Takes bytes until a tag is found whose own size stands behind it.

    The first four bytes fed are what stands before a tag; a tag may begin right behind them. Memory is bounded by `limit`.

    Args:
        limit: bytes without a tag after which to give up, and the largest tag that is found.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._scanned = 4
        self._waiting: list[int] = []
        self.skipped = 0
        """Bytes passed over; when a tag was found, up to the four bytes before it."""

    def feed(self, piece: memoryview) -> memoryview | None:
        """Returns what was fed from four bytes before the tag on, None when there is none yet.

        Raises: FormatError beyond the limit.
        """
        self._buffer += piece
        at = self._find()
        if at is not None:
            self.skipped += at - 4
            found, self._buffer = self._buffer, bytearray()
            return memoryview(found)[at - 4 :]
        self._trim()
        if self.skipped + len(self._buffer) > self._limit:
            raise FormatError("no FLV tag found", searched=self.skipped + len(self._buffer))
        return None

    @property
    def held(self) -> int:
        return len(self._buffer)

    def _find(self) -> int | None:
        waiting, self._waiting = self._waiting, []
        new = [match.start() for match in _CANDIDATE.finditer(self._buffer, self._scanned)]
        self._scanned = max(self._scanned, len(self._buffer) - _CANDIDATE_SIZE + 1)
        for at in [*waiting, *new]:
            verdict = self._check(at)
            if verdict:
                return at
            if verdict is None and len(self._waiting) < _MAX_WAITING:
                self._waiting.append(at)
        return None

    def _check(self, at: int) -> bool | None:
        """Whether a tag begins here; None while its end has not arrived."""
        unit = read_unit(self._buffer, at - 4)
        end = at - 4 + UNIT_HEADER + unit.size
        if not unit.size or unit.size > self._limit or not _could_be(unit.kind, self._buffer[at + TAG_HEADER]):
            return False
        if end + 4 > len(self._buffer):
            return None
        return int.from_bytes(self._buffer[end : end + 4], "big") == unit.size + TAG_HEADER

    def _trim(self) -> None:
        """Let go of what can be part of no tag any more."""
        useless = min([*self._waiting[:1], self._scanned]) - 4
        if useless > 0:
            del self._buffer[:useless]
            self.skipped += useless
            self._scanned -= useless
            self._waiting = [at - useless for at in self._waiting]


def _could_be(kind: int, first: int) -> bool:
    """Whether a body of this kind may begin with this byte."""
    if kind == VIDEO:
        return bool(first & 0x80) or (1 <= first >> 4 <= 5 and 2 <= first & 15 <= 13)
    return kind == AUDIO or (kind == SCRIPT and first == _STRING)
