"""What follows from a failed attempt: when a piece is asked for again, under which address, or that it is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio

from ouzel.base.errors import (
    ConnectionLost,
    Forbidden,
    Gone,
    HttpStatus,
    MediaError,
    NotDecrypted,
    OuzelError,
    RateLimited,
    Retry,
    ServerTrouble,
)
from ouzel.engine.download.flight import Flight
from ouzel.engine.download.hosts import Hosts
from ouzel.engine.sources.keys import Keyring
from ouzel.model.downloads import Pace
from ouzel.model.pieces import Piece
from ouzel.system.clock import Clock

_GONE_TRIES = 3
_MEDIA_TRIES = 2
_LIMITED_TRIES = 12
_RENEWALS, _MOST_RENEWALS = 2, 8
"""Of one piece: while the addresses that are told give nothing to anybody; and at all."""
_RENEWED_FOR_S = 5.0
"""Addresses that are fresher are not renewed: what they do not give is not there ..."""
_RUN_OUT = 3
"""... unless some of them have worked, and so many refusals have come since one was asked that did."""

Renew = Callable[[], Awaitable["Sequence[Piece] | None"]]
"""The same pieces under fresh addresses; None when there are none."""


class Renewal:
    """Fresh addresses for all pieces of a track, asked for once by whoever finds first that they have run out."""

    def __init__(self, renew: Renew | None, clock: Clock) -> None:
        self._renew = renew
        self._clock = clock
        self._fresh: dict[int, Piece] = {}
        self._renewed_at = float("-inf")
        self._asked = 0
        self._refused = self._refused_at = 0
        """Refusals since an address was asked that worked; and how many had been asked at the last of them."""
        self._worked = False
        """Something has come under the addresses that there are by now."""
        self._turn = anyio.Lock()

    def fresh(self, piece: Piece) -> Piece:
        """Under the address that it has by now."""
        return self._fresh.get(piece.position, piece)

    def worked(self, used: Piece) -> bool:
        """Whether addresses of the time of this one did; of an older time they did, or could not be had."""
        return self._worked or self._is_old(used)

    def ask(self) -> int:
        """An address is asked. Returns: how many have been."""
        self._asked += 1
        return self._asked

    def came(self, piece: Piece, asked: int) -> None:
        """The address of the piece worked, when it was asked as the `asked`th."""
        if not self._is_old(piece):
            self._worked = True
            if asked > self._refused_at:
                self._refused = 0

    async def renewed(self, used: Piece) -> Piece | None:
        """Under another address than it was `used` with, and refused; None when there is none."""
        async with self._turn:
            if not self._is_old(used) and self._renew is not None:
                self._refused, self._refused_at = self._refused + 1, self._asked
                if self._is_due():
                    self._fresh.update((each.position, each) for each in await self._renew() or ())
                    self._renewed_at = self._clock.monotonic()
                    self._worked, self._refused = False, 0
        return self.fresh(used) if self._is_old(used) else None

    def _is_old(self, piece: Piece) -> bool:
        return _address(self.fresh(piece)) != _address(piece)

    def _is_due(self) -> bool:
        has_run_out = self._worked and self._refused >= _RUN_OUT
        return has_run_out or self._clock.monotonic() - self._renewed_at >= _RENEWED_FOR_S


def _address(piece: Piece) -> tuple[str, str | None]:
    """Its own, and that of its key."""
    return piece.segment.uri, piece.segment.key and piece.segment.key.uri


class Judge:
    def __init__(self, hosts: Hosts, keys: Keyring, pace: Pace, renewal: Renewal) -> None:
        self._hosts = hosts
        self._keys = keys
        self._pace = pace
        self._renewal = renewal

    async def wait_s(self, flight: Flight, exc: OuzelError) -> float | None:
        """Seconds until the next try; None when there is none. The flight may have another address then.

        Raises: RateLimited when the host wants to be left alone for longer than anybody would wait.
        """
        host = self._hosts.of(flight.piece.segment.uri)
        if isinstance(exc, RateLimited) or (isinstance(exc, ServerTrouble) and exc.status == 503):
            host.trouble(exc.retry_after_s, refused=True)
            host.be_patient(exc.retry_after_s or 0.0)
            flight.limited += 1
            return self._pace.delay_s(flight.limited) if flight.limited < _LIMITED_TRIES else None
        flight.tries += 1
        if isinstance(exc, ConnectionLost):
            host.trouble(None, refused=False)
        if isinstance(exc, (Forbidden, Gone)):
            if await self._has_moved(flight):
                return 0.0
            return self._pace.delay_s(flight.tries) if flight.tries < _GONE_TRIES else None
        if isinstance(exc, NotDecrypted) and (key := flight.piece.segment.key) is not None:
            self._keys.forget(key)
        if isinstance(exc, MediaError):
            return self._pace.delay_s(flight.tries) if flight.tries < _MEDIA_TRIES else None
        if exc.retry is Retry.NEVER and not isinstance(exc, HttpStatus):
            return None
        return self._pace.delay_s(flight.tries) if flight.tries <= self._pace.retries else None

    async def _has_moved(self, flight: Flight) -> bool:
        worked = self._renewal.worked(flight.piece)
        if flight.renewals >= (_MOST_RENEWALS if worked else _RENEWALS):
            return False
        if (fresh := await self._renewal.renewed(flight.piece)) is None:
            return False
        flight.renewals += 1
        if worked:
            flight.tries = 0
        flight.piece = fresh
        return True
