"""One attempt at a piece: a turn at the host, an answer, bytes in their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from ouzel.base.errors import ConnectionLost, Stalled
from ouzel.engine.download.hosts import Host, Hosts
from ouzel.engine.download.taker import Decryptor, Place, Taker, TooLate
from ouzel.engine.download.tally import Bucket, Tally
from ouzel.engine.sources.keys import Keyring
from ouzel.formats.m3u8 import ByteRange
from ouzel.model.pieces import Piece
from ouzel.system.clock import Clock
from ouzel.system.http import HttpClient, Request

HELD_BYTES = 12 * 1024 * 1024
"""What may wait in memory for its place."""
_HELD_REST_S = 0.05
_PROGRESS_BYTES = 64 * 1024
"""An attempt that brought so much was not in vain: the next one is a first one."""

Ask = Callable[[str, "tuple[int, int | None] | None", "Callable[[int], float]"], Request]
"""Address, range, brake: a request as the track asks for it."""


@dataclass(slots=True)
class Flight:
    """A piece under way; two attempts at most at once."""

    piece: Piece
    began: float
    over: bool = False
    """It is there."""
    hedged: bool = False
    tries: int = 0
    """Failed, one after the other."""
    limited: int = 0
    renewals: int = 0
    taker: Taker | None = None
    """An attempt that broke off, and can go on where it was."""
    scopes: list[anyio.CancelScope] = field(default_factory=list[anyio.CancelScope])

    def land(self, mine: anyio.CancelScope) -> None:
        """It is there: nobody else need try."""
        self.over = True
        for other in self.scopes:
            if other is not mine:
                other.cancel()

    def give_up(self) -> None:
        """Nobody goes on with what broke off."""
        if self.taker is not None:
            self.taker.drop()
            self.taker = None


class Pilot:
    """Makes attempts at the pieces of one track.

    Args:
        key: 16 bytes in place of what the playlist's keys name.
    """

    def __init__(
        self,
        http: HttpClient,
        hosts: Hosts,
        keys: Keyring,
        ask: Ask,
        tally: Tally,
        clock: Clock,
        key: bytes | None,
        bucket: Bucket | None,
    ) -> None:
        self._http = http
        self._hosts = hosts
        self._keys = keys
        self._ask = ask
        self._tally = tally
        self._clock = clock
        self._key = key
        self._bucket = bucket

    async def attempt(self, place: Place, flight: Flight, *, go_on: bool) -> Taker | None:
        """
        Args:
            go_on: with what the attempt before it has brought; what breaks off is kept for the next one.
        Returns: with the whole body, which may still wait for its place; None when another attempt was first.
        Raises: OuzelError; nothing counts of it then. Misplaced.
        """
        piece, segment = flight.piece, flight.piece.segment
        host = self._hosts.of(segment.uri)
        async with host.slot(piece.position, lambda: place.is_front(piece.position)):
            taker, flight.taker = (flight.taker, None) if go_on else (None, flight.taker)
            if taker is None:
                decryptor = await self._decryptor(piece)
                taker = Taker(place, piece, decryptor, lambda: flight.over, self._counter(host), self._forget)
            had = taker.received
            if self._bucket is not None:  # what came in one go has left no other time to wait for
                await anyio.sleep(self._bucket.owed_s(self._clock.monotonic()))
            request = self._ask(segment.uri, _range(segment.byte_range, had), self._brake(place, piece))
            self._tally.connections += 1
            try:
                await self._http.stream(request, taker.on_answer)
                taker.finish()
            except TooLate:
                taker.drop()
                return None
            except (ConnectionLost, Stalled):
                if taker.received - had >= _PROGRESS_BYTES and taker.can_go_on:
                    flight.tries = 0
                if go_on and taker.can_go_on:
                    flight.taker = taker
                else:
                    taker.drop()
                raise
            except BaseException:
                taker.drop()
                raise
            finally:
                self._tally.connections -= 1
            host.done()
        return taker

    async def _decryptor(self, piece: Piece) -> Decryptor | None:
        key = piece.segment.key
        if key is None:
            return None
        from ouzel.engine.sources.aes import Aes128Stream  # and with it `cryptography`

        secret = self._key if self._key is not None and key.method == "AES-128" else await self._keys.find(key)
        return Aes128Stream(secret, key.iv_for(piece.segment.media_sequence))

    def _counter(self, host: Host) -> Callable[[int], None]:
        congestion, tally, bucket, clock = host.congestion, self._tally, self._bucket, self._clock

        def came(count: int) -> None:
            tally.fetched += count
            tally.under_way += count
            congestion.came(count)
            if bucket is not None:
                bucket.take(count, clock.monotonic())

        return came

    def _forget(self, count: int) -> None:
        self._tally.under_way -= count

    def _brake(self, place: Place, piece: Piece) -> Callable[[int], float]:
        bucket, clock, position = self._bucket, self._clock, piece.position

        def rest_s(_count: int) -> float:
            owed_s = bucket.owed_s(clock.monotonic()) if bucket is not None else 0.0
            is_held = place.held_bytes > HELD_BYTES and not place.is_front(position)
            return max(owed_s, _HELD_REST_S) if is_held else owed_s

        return rest_s


def _range(byte_range: ByteRange | None, received: int) -> tuple[int, int | None] | None:
    if byte_range is None:
        return (received, None) if received else None
    return byte_range.offset + received, byte_range.end - 1
