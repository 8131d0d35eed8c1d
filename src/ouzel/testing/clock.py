"""Clocks that are handed in: the machine's, and one that a test moves."""

from __future__ import annotations

import heapq
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

import anyio
import anyio.lowlevel


class Clock(Protocol):
    """What the fakes (and whoever is tested with them) ask of a clock."""

    def now(self) -> datetime:
        """Wall time, aware, UTC. May jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment. Never steps back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once `monotonic` has risen by `seconds`; always lets others run."""
        ...


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(seconds, 0))


class FakeClock:
    """Stands still until a test moves it.

    Args:
        start: wall time at the beginning; the monotonic clock begins at 0.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._wall = start
        self._monotonic = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._arrived = anyio.Event()

    def now(self) -> datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    @property
    def sleepers(self) -> int:
        """How many tasks are sleeping on this clock."""
        return sum(not event.is_set() for _, _, event in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        event = anyio.Event()
        entry = (self._monotonic + seconds, next(self._order), event)
        heapq.heappush(self._sleepers, entry)
        self._arrived.set()
        self._arrived = anyio.Event()
        try:
            await event.wait()
        finally:
            if entry in self._sleepers:  # cancelled before its time
                self._sleepers.remove(entry)
                heapq.heapify(self._sleepers)

    async def wait_sleepers(self, number: int) -> None:
        """Return once at least `number` tasks are sleeping: then it makes sense to `advance`."""
        while self.sleepers < number:
            await self._arrived.wait()

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks; whoever has slept long enough wakes, in the order of their times."""
        if seconds < 0:
            raise ValueError("time does not run backwards: use jump() for the wall clock")
        self._monotonic += seconds
        self._wall += timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._monotonic:
            heapq.heappop(self._sleepers)[2].set()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a person, NTP or summer time would; nobody wakes."""
        self._wall += timedelta(seconds=seconds)
