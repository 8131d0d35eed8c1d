"""From bytes in pieces of any size to runs of whole, aligned packets.

Packets of 192 bytes (M2TS: a time stamp of 4 bytes before each) and of 204 bytes (16 bytes of Reed-Solomon code behind each)
are recognised and brought to 188.
"""

from __future__ import annotations

from collections.abc import Iterator

from ouzel.base.errors import FormatError
from ouzel.formats.mpegts.packets import SIZE, SYNC

SPACINGS = (188, 192, 204)
_CONFIRM = 3
"""Sync bytes at packet distance that make a start credible."""
_SYNC_BYTE = bytes((SYNC,))
_SYNCS = _SYNC_BYTE * 8192
_M2TS_STAMP = 4


def headers_of(block: memoryview) -> bytes:
    """The four header bytes of each packet of `block` in a row: one pass in C, no loop over packets."""
    return block.cast("I")[:: SIZE // 4].tobytes()


class Framer:
    """Finds packet boundaries and keeps to them; what lies between packets is dropped and counted.

    A packet is taken for one as long as it starts with the sync byte. Once it does not, the search is for three sync bytes
    at packet distance, so that the result does not depend on how the bytes were cut into pieces.

    Args:
        search_limit: bytes in a row without a packet after which this is not a transport stream.
    """

    __slots__ = ("_limit", "_locked", "_rest", "_skipped", "dropped", "spacing", "torn")

    def __init__(self, search_limit: int) -> None:
        self._limit = search_limit
        self.spacing = 0
        """Distance of packets in the source; 0 until it is known."""
        self.dropped = 0
        """Bytes that belong to no packet. The reader of this figure sets it back to 0."""
        self.torn = 0
        """Bytes of an incomplete packet, left by the last `end`."""
        self._rest = bytearray()
        self._locked = False
        self._skipped = 0

    def straight(self, piece: memoryview) -> tuple[tuple[memoryview, bytes], ...] | None:
        """What `push` would yield, if all goes on as it should: packets of 188 bytes, without anything between them. None, and
        nothing is done, when a closer look is needed."""
        rest = self._rest
        if not self._locked or self.spacing != SIZE:
            return None
        missing = 0
        if rest:
            if rest[0] != SYNC:
                return None
            missing = SIZE - len(rest)
        end = len(piece) - (len(piece) - missing) % SIZE
        if end <= missing:
            return None
        block = piece[missing:end]
        headers = headers_of(block)
        if not _SYNCS.startswith(headers[::4]):
            return None
        self._rest = bytearray(piece[end:])
        if not rest:
            return ((block, headers),)
        rest += piece[:missing]
        return ((memoryview(rest), bytes(rest[:4])), (block, headers))

    def push(self, piece: memoryview) -> Iterator[tuple[memoryview, bytes]]:
        """Yield runs of whole packets (writable, 188 bytes each) with their headers, as `headers_of` gives them.

        Raises: FormatError when no packet is found for too long.
        """
        if self._rest:
            if self._locked:
                missing = self.spacing - len(self._rest)
                self._rest += piece[:missing]
                if len(self._rest) < self.spacing:
                    return
                whole, self._rest = self._rest, bytearray()
                piece = piece[missing:]
                if whole[0] == SYNC:
                    yield memoryview(whole)[:SIZE], bytes(whole[:4])
                else:
                    self._lose()
                    piece = memoryview(whole + piece)
            else:
                piece = memoryview(self._rest + piece)
        while piece:
            if not self._locked:
                piece = self._search(piece, final=False)
            if not self._locked or len(piece) < self.spacing:
                break
            count = len(piece) // self.spacing
            block, headers = self._whole(piece, count)
            if headers:
                yield block, headers
            piece = piece[len(headers) // 4 * self.spacing :]
            if len(headers) < 4 * count:
                self._lose()
        self._rest = bytearray(piece)

    def end(self) -> Iterator[tuple[memoryview, bytes]]:
        """The segment or connection is over: yield what can still be made of the rest, and drop what cannot.

        The next piece is expected to start a packet.
        """
        piece = memoryview(self._rest)
        while len(piece) >= SIZE:
            if not self._locked:
                piece = self._search(piece, final=True)
            if not self._locked or len(piece) < SIZE:
                break
            count = (len(piece) + self.spacing - SIZE) // self.spacing  # the last one may lack what follows it
            block, headers = self._whole(piece, count)
            if headers:
                yield block, headers
            piece = piece[len(headers) // 4 * self.spacing :]
            if len(headers) < 4 * count:
                self._lose()
        self.torn = len(piece)
        self.dropped += len(piece)
        self.reset(self.spacing)

    def reset(self, spacing: int) -> None:
        """Forget what is carried; what follows starts with a packet. `spacing` 0: it is to be found again."""
        self._rest = bytearray()
        self.spacing = spacing
        self._locked = spacing > 0
        self._skipped = 0

    def _lose(self) -> None:
        self._locked = False
        self._skipped = 0

    def _whole(self, piece: memoryview, count: int) -> tuple[memoryview, bytes]:
        """Up to `count` packets from the front of `piece`: as many as start with a sync byte."""
        if self.spacing == SIZE:
            block = piece[: count * SIZE]
        else:
            starts = range(0, count * self.spacing, self.spacing)
            block = memoryview(bytearray().join([piece[at : at + SIZE] for at in starts]))
        headers = headers_of(block)
        syncs = headers[::4]
        if _SYNCS.startswith(syncs) or syncs.count(SYNC) == count:
            return block, headers
        good = count - len(syncs.lstrip(_SYNC_BYTE))
        return block[: good * SIZE], headers[: good * 4]

    def _search(self, piece: memoryview, *, final: bool) -> memoryview:
        """Drop bytes up to the next credible packet start, or to where more bytes are needed to tell."""
        data = bytes(piece)
        spacings = (self.spacing,) if self.spacing else SPACINGS
        reach = (_CONFIRM - 1) * spacings[-1] + 1
        at = data.find(_SYNC_BYTE)
        while at >= 0 and (final or at + reach <= len(data)):
            found = next((spacing for spacing in spacings if _credible(data, at, spacing)), 0)
            if found:
                self._skip(at)
                self._locked = True
                if not self.spacing and found == 192 and self._skipped == _M2TS_STAMP:
                    self.dropped -= _M2TS_STAMP  # the first packet's stamp is not garbage
                self.spacing = found
                return piece[at:]
            at = data.find(_SYNC_BYTE, at + 1)
        at = len(data) if at < 0 else at
        self._skip(at)
        return piece[at:]

    def _skip(self, count: int) -> None:
        self.dropped += count
        self._skipped += count
        if self._skipped > self._limit:
            raise FormatError("this is not a transport stream: no packets found", searched=self._skipped)


def _credible(data: bytes, at: int, spacing: int) -> bool:
    """Whether a whole packet at `at` is followed by others, as far as the data reach."""
    if at + SIZE > len(data):
        return False
    return all(data[other] == SYNC for other in range(at, min(len(data), at + _CONFIRM * spacing), spacing))
