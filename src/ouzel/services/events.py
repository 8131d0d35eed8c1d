"""Everybody who wants to know what happens, from any moment on: nothing is lost, and nothing comes twice."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import islice

import anyio
from sqlalchemy import func, select

from ouzel.model.happening import Happening, StoredEvent
from ouzel.store.db import Db
from ouzel.store.tables.events import events

_RECENT = 2000
"""Events that are kept in memory for all listeners together. Whoever is further behind reads them from the database."""
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Resync:
    """Too much has happened since, or is not stored any more: read the lists again, and listen from `number` on."""

    number: int


@dataclass(frozen=True, slots=True)
class _Passing:
    """An event that has no number of its own."""

    turn: int
    event: StoredEvent


class EventBus:
    """Hears what the database tells, once, for all listeners.

    A listener has no queue of its own, only the number of the last event that it was given: a slow one costs nothing,
    and what it has missed is still there.

    Args:
        furthest: events that a listener may be behind, before it is told to read the lists again instead.
    """

    def __init__(self, db: Db, *, furthest: int = 10_000, recent: int = _RECENT) -> None:
        self._db = db
        self._furthest = furthest
        self._recent: deque[StoredEvent] = deque(maxlen=recent)
        self._passing: dict[tuple[str, str], _Passing] = {}
        self._passed = 0
        self._news = anyio.Event()
        self._unlisten = db.listen(self._hear)
        self.closed = False
        self.listeners = 0

    def close(self) -> None:
        """All listeners come to their end."""
        if not self.closed:
            self.closed = True
            self._unlisten()
            self._wake()

    def tell(self, happening: Happening) -> None:
        """To whoever listens now. It is not stored; a listener that is slow gets the latest of each subject."""
        self._passed += 1
        event = StoredEvent(
            0, self._db.clock.now(), happening.code, happening.subject, happening.channel_id, happening.data
        )
        self._passing[happening.code, happening.subject] = _Passing(self._passed, event)
        self._wake()

    def hush(self, code: str, subject: str) -> None:
        """There is nothing more to be told of it."""
        self._passing.pop((code, subject), None)

    def passing(self, after: int) -> list[_Passing]:
        """What was told in passing since, in its order."""
        return sorted((each for each in self._passing.values() if each.turn > after), key=lambda each: each.turn)

    @property
    def passed(self) -> int:
        """How much was told in passing."""
        return self._passed

    @asynccontextmanager
    async def subscribe(self, after: int | None = None) -> AsyncGenerator[Subscription]:
        """
        Args:
            after: number of the last event that is known; None: from now on.
        """
        self.listeners += 1
        try:
            yield Subscription(self, await self.newest() if after is None else after)
        finally:
            self.listeners -= 1

    async def newest(self) -> int:
        """Number of the last event; 0 when nothing has ever happened."""
        if self._recent:
            return self._recent[-1].number
        stored: int = await self._db.scalar(select(func.coalesce(func.max(events.c.number), 0)))
        return self._recent[-1].number if self._recent else stored

    async def oldest(self) -> int | None:
        """Number of the first event that is still stored."""
        return await self._db.scalar(select(func.min(events.c.number)))

    async def page(self, after: int) -> Sequence[StoredEvent]:
        """The next events, in their order; none: there are no more yet."""
        if self._recent and self._recent[-1].number <= after:
            return ()
        if self._recent and self._recent[0].number <= after + 1:
            start = next(index for index, each in enumerate(self._recent) if each.number > after)
            return list(islice(self._recent, start, start + _PAGE))
        return await self._db.events_after(after, limit=_PAGE)

    async def lost(self, after: int) -> bool:
        """Whether somebody who knows that event has to begin anew."""
        newest = await self.newest()
        if after > newest or newest - after > self._furthest:
            return True  # of another database, or too far behind
        oldest = await self.oldest() if after < newest else None
        return oldest is not None and oldest > after + 1

    @property
    def news(self) -> anyio.Event:
        return self._news

    def _hear(self, event: StoredEvent) -> None:
        self._recent.append(event)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = anyio.Event()


class Subscription:
    """One listener. `next` may be cancelled: nothing is lost by it."""

    def __init__(self, bus: EventBus, after: int) -> None:
        self._bus = bus
        self._after = after
        self._waiting: deque[StoredEvent] = deque()
        self._checked = False
        self._passed = bus.passed

    @property
    def after(self) -> int:
        """Number of the last event that was given, or is known."""
        return self._after

    async def next(self) -> StoredEvent | Resync | None:
        """What happened next, waiting for it. None: the bus is closed. After a Resync nothing comes that was before it."""
        while not self._waiting:
            news = self._bus.news  # looked at before the page: what happens between the two wakes us
            newest = await self._bus.newest()
            if not self._checked or newest - self._after > _PAGE:
                if await self._bus.lost(self._after):
                    self._checked, self._after = True, newest
                    return Resync(newest)
                self._checked = True
            self._waiting.extend(await self._bus.page(self._after))
            if not self._waiting:
                self._waiting.extend(self._in_passing())
            if not self._waiting:
                if self._bus.closed:  # what was told before is told first
                    return None
                await news.wait()
        event = self._waiting.popleft()
        self._after = event.number
        return event

    def _in_passing(self) -> list[StoredEvent]:
        """With the number of the last stored event: from there on a listener that was away goes on."""
        found = self._bus.passing(self._passed)
        if found:
            self._passed = found[-1].turn
        return [replace(each.event, number=self._after) for each in found]
