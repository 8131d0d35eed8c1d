"""How far a channel's show has gone: by the clock, or by the test's hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import anyio

from ouzel.testing.clips import Clip
from ouzel.testing.clock import Clock
from ouzel.testing.origin.pieces import TICKS
from ouzel.testing.origin.timeline import Timeline

_LOOK_S = 0.1


class Show:
    """The time line of a channel and its live edge, counted in groups of pictures.

    Args:
        speed: show seconds per second of the clock; None: groups appear only when `push` is called.
        begin: wall time at the start of the show; a paced show that began in the past is in full swing. None: now, less `lead_s`.
        lead_s: how much of a paced show is there from the start, if `begin` is not given.
        length_s: a paced show ends by itself after so long.
        zero_s: the time stamp of the first picture.
    """

    def __init__(
        self,
        clip: Clip,
        clock: Clock,
        *,
        speed: float | None,
        begin: datetime | None,
        lead_s: float,
        length_s: float | None,
        zero_s: float,
    ) -> None:
        self.timeline = Timeline(clip, zero_s=zero_s)
        self.speed = speed
        self._clock = clock
        lead = (clock.now() - begin).total_seconds() if begin else lead_s if speed else 0.0
        self.begin = begin or clock.now() - timedelta(seconds=lead)
        self._started = clock.monotonic()
        self._lead_90k = round(lead * TICKS)
        self._pushed = 0
        self._last: int | None = None
        if length_s is not None:
            self._last = self.timeline.number_at(round(length_s * TICKS))
        self._changed = anyio.Event()

    @property
    def now_90k(self) -> int:
        """Show time of the live edge."""
        if self.speed is None:
            return self.timeline.at(self._pushed).start_90k
        elapsed = (self._clock.monotonic() - self._started) * self.speed
        return self._lead_90k + round(elapsed * TICKS)

    @property
    def groups(self) -> int:
        """How many groups are complete: they have the numbers below this."""
        number = self._pushed if self.speed is None else max(self.timeline.number_at(self.now_90k), 0)
        return number if self._last is None else min(number, self._last)

    @property
    def ended(self) -> bool:
        return self._last is not None and self.groups >= self._last

    def push(self, groups: int) -> None:
        """Complete so many more groups; a paced show leaps forward by their time."""
        if self.ended:
            raise ValueError("the show is over")
        if self.speed is None:
            self._pushed += groups
        else:
            self._lead_90k += groups * self.timeline.at(self.groups).duration_90k
        self.touch()

    def end(self) -> None:
        """Nothing comes after the groups that are complete now."""
        self._last = self.groups
        self.touch()

    def touch(self) -> None:
        """Wake everyone who waits for something to change."""
        self._changed.set()
        self._changed = anyio.Event()

    def has(self, number: int) -> bool:
        """Whether group `number` may be sent by a continuous stream: complete, or at least begun where a clock paces."""
        if self._last is not None and number >= self._last:
            return False
        return number < self.groups or (self.speed is not None and self.timeline.at(number).start_90k <= self.now_90k)

    async def wait(self, done: Callable[[], bool]) -> None:
        """Return once `done()` is true; it is asked again whenever the show may have moved."""
        while not done():
            if self.speed is None:
                await self._changed.wait()
            else:
                await self._clock.sleep(_LOOK_S / max(self.speed, 1))

    async def sleep(self, until_90k: int, *, at_least_s: float) -> None:
        """Let a paced show come to this show time, and the clock run by `at_least_s`."""
        assert self.speed is not None
        await self._clock.sleep(max((until_90k - self.now_90k) / TICKS / self.speed, at_least_s))
