"""Wall time and monotonic time, handed in so that tests can turn the hands."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC instant; may step either way when somebody sets the clock."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def awake_or_not_s() -> float:
    """Monotonic seconds that also count while the machine sleeps, where the system has such a clock: for leases."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class WallAnchor:
    """Wall time that runs with the monotonic clock, so that no interval is ever measured on a clock that was set.

    A step of the system's clock by more than `tolerance_s` is reported once by `step()`, and adopted.
    """

    __slots__ = ("_clock", "_mono", "_tolerance_s", "_wall")

    def __init__(self, clock: Clock, *, tolerance_s: float = 2.0) -> None:
        self._clock = clock
        self._tolerance_s = tolerance_s
        self._wall = clock.now()
        self._mono = clock.monotonic()

    def at(self, monotonic_s: float) -> datetime:
        """The wall time of a monotonic instant, by the present anchor."""
        return self._wall + timedelta(seconds=monotonic_s - self._mono)

    def step(self) -> float:
        """Seconds by which the wall clock was set since the last look; 0.0 when it was not."""
        mono, wall = self._clock.monotonic(), self._clock.now()
        off = (wall - self.at(mono)).total_seconds()
        if abs(off) <= self._tolerance_s:
            return 0.0
        self._wall, self._mono = wall, mono
        return off
