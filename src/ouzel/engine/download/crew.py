"""Fetches the pieces of one file: as many at once as the host likes, each until it is there or lost for a reason.

A worker takes the next piece and stays with it: `flight` makes one attempt, `judge` says what follows from one that failed.
Pieces are taken in their order, so that the first that is not there is always somebody's; what comes before its place is known
is parked in memory, within a budget, and the worker goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from statistics import median
from typing import cast

import anyio

from ouzel.base.errors import InputError, NotDecrypted, OuzelError, Refused, StorageError, Unsupported
from ouzel.engine.download.flight import HELD_BYTES, Ask, Flight, Pilot
from ouzel.engine.download.hosts import Hosts
from ouzel.engine.download.judge import Judge, Renew, Renewal
from ouzel.engine.download.straighten import straighten
from ouzel.engine.download.taker import Place, Taker
from ouzel.engine.download.tally import Bucket, Tally
from ouzel.engine.sources.keys import Keyring
from ouzel.model.downloads import Pace
from ouzel.model.flow import GapCode, lost_as
from ouzel.model.layout import Misplaced
from ouzel.model.pieces import Piece
from ouzel.system.clock import Clock
from ouzel.system.http import HttpClient

_HOPELESS = 3
"""So many pieces lost, and none kept: the download is wrong, and not a piece of it."""
_SLOW, _SLOW_MIN_S, _SLOW_SAMPLES = 3.0, 2.0, 8
"""A piece that takes so many times the median is asked for again elsewhere."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A piece that could not be had."""

    piece: Piece
    code: GapCode
    why: str


class Crew:
    """Of one track.

    Args:
        key: 16 bytes in place of what the playlist's keys name.
        renew: asked when addresses have run out.
    """

    def __init__(
        self,
        http: HttpClient,
        hosts: Hosts,
        keys: Keyring,
        ask: Ask,
        pace: Pace,
        tally: Tally,
        clock: Clock,
        *,
        key: bytes | None = None,
        renew: Renew | None = None,
        in_order: bool = False,
        bucket: Bucket | None = None,
    ) -> None:
        self._hosts = hosts
        self._tally = tally
        self._clock = clock
        self._workers = 1 if in_order else pace.connections
        self._renewal = Renewal(renew, clock)
        self._judge = Judge(hosts, keys, pace, self._renewal)
        self._pilot = Pilot(http, hosts, keys, ask, tally, clock, key, bucket)
        self._durations: deque[float] = deque(maxlen=32)
        self._changed = anyio.Event()
        self._parked: list[tuple[int, Piece, Taker]] = []
        """A heap by position: whole, and waiting for their places."""
        self._kept = False
        """Something has come of the track."""
        self._wrong: OuzelError | None = None
        """Why the last piece was lost."""

    async def fetch(self, place: Place, pieces: Sequence[Piece], lost: list[Lost]) -> None:
        """
        Args:
            lost: gets what could not be had.
        Raises: StorageError; Unsupported; Misplaced; what is wrong with the download as a whole.
        """
        self._kept = self._kept or bool(place.file.whole)
        todo, flying = deque(pieces), dict[int, Flight]()
        place.on_known = lambda: self._known(place)

        async def work() -> None:
            while (flight := await self._next(place, todo, flying)) is not None:
                if flight.hedged:
                    await self._second(place, flight)
                    continue
                try:
                    gone = await self._bring(place, flight)
                finally:
                    flight.give_up()
                    flying.pop(flight.piece.position, None)
                    self._tell()
                if gone is not None:
                    self._lose(place, lost, flight.piece, gone)

        try:
            async with anyio.create_task_group() as beside:
                beside.start_soon(self._keep_straight, place)
                async with anyio.create_task_group() as tg:
                    for _ in range(min(self._workers, len(todo))):
                        tg.start_soon(work)
                beside.cancel_scope.cancel()
            if place.noise and not place.opened:
                raise place.noise[0]
            if (
                self._wrong is not None and not self._kept and place.kind != "text"
            ):  # a film is one without its subtitles
                raise self._wrong
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            place.on_known = lambda: None
            for _, _, taker in self._parked:
                taker.drop()
            self._parked.clear()

    async def renewed(self, piece: Piece) -> Piece | None:
        """Under another address; None when there is none."""
        return await self._renewal.renewed(piece)

    # -- what is next -------------------------------------------------------------------------------------------------

    async def _next(self, place: Place, todo: deque[Piece], flying: dict[int, Flight]) -> Flight | None:
        """A new piece; else one that is under way for too long, `hedged`; None when all are there."""
        while True:
            if todo and (place.held_bytes < HELD_BYTES // 2 or place.is_front(todo[0].position)):
                piece = self._renewal.fresh(todo.popleft())
                flight = flying[piece.position] = Flight(piece, self._clock.monotonic())
                return flight
            if not flying and not place.crooked:
                return None
            if (slow := self._slow(flying)) is not None:
                slow.hedged = True
                return slow
            with anyio.move_on_after(_SLOW_MIN_S / 4):
                await self._changed.wait()

    def _slow(self, flying: dict[int, Flight]) -> Flight | None:
        """The piece that takes too long, if there is one."""
        if len(self._durations) < _SLOW_SAMPLES:
            return None
        limit_s = max(_SLOW_MIN_S, _SLOW * median(self._durations))
        now = self._clock.monotonic()
        slow = [each for each in flying.values() if not each.hedged and not each.over and now - each.began > limit_s]
        return min(slow, key=lambda each: each.began, default=None)

    # -- one piece ----------------------------------------------------------------------------------------------------

    async def _bring(self, place: Place, flight: Flight) -> OuzelError | None:
        """Stay with a piece until it is there. Returns: why it is lost; None when it is not."""
        while not flight.over:
            with anyio.CancelScope() as scope:
                flight.scopes.append(scope)
                try:
                    await self._try(place, flight, scope, go_on=True)
                except (StorageError, Unsupported):
                    raise
                except OuzelError as exc:
                    if flight.over:
                        return None
                    wait_s = await self._judge.wait_s(flight, exc)
                    if wait_s is None:
                        return exc
                    self._tally.retries += 1
                    await anyio.sleep(wait_s)
                finally:
                    flight.scopes.remove(scope)
        return None

    async def _second(self, place: Place, flight: Flight) -> None:
        """Ask for a piece that takes too long on another connection; who is first wins. Whoever stays with it is the judge."""
        self._tally.retries += 1
        with anyio.CancelScope() as scope:
            flight.scopes.append(scope)
            try:
                await self._try(place, flight, scope, go_on=False)
            except (StorageError, Unsupported):
                raise
            except OuzelError:
                pass
            finally:
                flight.scopes.remove(scope)

    async def _try(self, place: Place, flight: Flight, scope: anyio.CancelScope, *, go_on: bool) -> None:
        began, asked = self._clock.monotonic(), self._renewal.ask()
        taker = await self._pilot.attempt(place, flight, go_on=go_on)
        if taker is None:
            return
        if flight.over:
            taker.drop()
            return
        self._durations.append(self._clock.monotonic() - began)
        flight.land(scope)
        self._renewal.came(flight.piece, asked)
        self._kept = True  # also when it has to wait for its place
        place.opened = place.opened or flight.piece.segment.key is not None
        if taker.settle():
            self._commit(place, flight.piece, taker)
        else:
            heappush(self._parked, (flight.piece.position, flight.piece, taker))

    def _commit(self, place: Place, piece: Piece, taker: Taker) -> None:
        place.commit(piece, taker.at, taker.size, taker.digest, piece.segment.starts_at or self._clock.now())
        self._tally.pieces_done += 1
        self._tally.bytes_done += taker.size
        self._tally.under_way -= taker.received
        self._tally.media_done_s += piece.segment.duration_s

    def _lose(self, place: Place, lost: list[Lost], piece: Piece, exc: OuzelError) -> None:
        """Raises: Misplaced; `exc`, when it is the download that is wrong."""
        code, why = lost_as(exc)
        lost.append(Lost(piece, code, why))
        self._wrong = exc
        if isinstance(exc, NotDecrypted):
            place.noise.append(exc)
        hopeless = len(lost) >= _HOPELESS or isinstance(exc, (Refused, InputError))
        if (hopeless and not self._kept) or (len(place.noise) >= _HOPELESS and not place.opened):
            raise exc
        self._tally.gaps += 1
        if place.size(piece.position) is None:
            place.learn(piece.position, place.room(piece.position))

    def _known(self, place: Place) -> None:
        """Raises: StorageError."""
        while self._parked and self._parked[0][2].settle():
            _, piece, taker = heappop(self._parked)
            self._commit(place, piece, taker)
        self._tell()
        self._hosts.look()

    async def _keep_straight(self, place: Place) -> None:
        """What stands behind a hole makes room while the hole is fetched. Raises: StorageError."""
        while True:
            while not place.crooked:
                await self._changed.wait()
            await straighten(place)
            self._known(place)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What stops a worker stops all; a length that is not as told decides, because everything else may come of it."""
    flat = [*_flat(group)]
    return next((exc for exc in flat if isinstance(exc, Misplaced)), flat[0])


def _flat(exc: BaseException) -> Iterator[BaseException]:
    if isinstance(exc, BaseExceptionGroup):
        for inner in cast("BaseExceptionGroup[BaseException]", exc).exceptions:
            yield from _flat(inner)
    else:
        yield exc
