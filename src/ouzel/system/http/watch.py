"""Time limits of running exchanges, without a timer or a clock reading for each piece of data.

An exchange counts its bytes; one sweep per client looks at the counts from time to time.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Protocol

from ouzel.base.errors import Stalled
from ouzel.system.http.messages import Limits

_LOOKS = 4
"""How often a count is looked at within a limit: a stall is noticed at most a quarter of the limit late."""
_GRID_S = 0.125
"""Looks that are further away than this are put on a common grid, so that one sweep serves many exchanges."""
_BLOCKED_S = 0.5
"""A sweep that comes this much late tells of a blocked loop: what arrived meanwhile was not read, through nobody's fault."""


class Progress(Protocol):
    """What is watched."""

    @property
    def received(self) -> int: ...

    @property
    def head_done(self) -> bool: ...


class Watch:
    """The limits of one exchange. `check` is called by the sweep, with times of one monotonic clock.

    Args:
        deadline: when the whole call must be over; infinity for never.
    """

    __slots__ = ("_deadline", "_head_due", "_limits", "_marks", "_progress", "_quiet_since", "_seen", "due")

    def __init__(self, progress: Progress, limits: Limits, now: float, deadline: float) -> None:
        self._progress = progress
        self._limits = limits
        self._deadline = deadline
        self._head_due = now + limits.head_s
        self._seen: int = -1
        self._quiet_since: float = now
        self._marks: deque[tuple[float, int]] | None = None  # most bodies are over before their speed is asked for
        self.due = 0.0
        self._plan(now)

    def hurry(self, deadline: float) -> None:
        """Whatever is still to come must be here by then."""
        self._deadline = min(self._deadline, deadline)
        self.due = min(self.due, self._deadline)

    def forgive(self, seconds: float) -> None:
        """The loop was blocked, or the consumer rests, for so long."""
        self._head_due += seconds
        self._quiet_since += seconds
        if self._marks is not None:
            self._marks = deque((when + seconds, count) for when, count in self._marks)

    def check(self, now: float) -> None:
        """Look, and set `due` to the next time. Raises: Stalled."""
        if now >= self._deadline:
            raise Stalled("the answer was not complete in the time for the whole", total_s=self._limits.total_s)
        if self._progress.head_done:
            self._check_body(now)
        elif now >= self._head_due:
            raise Stalled(f"no answer within {self._limits.head_s:g} s", head_s=self._limits.head_s)
        self._plan(now)

    def _check_body(self, now: float) -> None:
        limits = self._limits
        count: int = self._progress.received
        if count != self._seen:
            self._seen, self._quiet_since = count, max(now, self._quiet_since)  # which may be ahead: a rest of ours
        elif now - self._quiet_since >= limits.stall_s:
            raise Stalled(f"no bytes for {limits.stall_s:g} s", stall_s=limits.stall_s, received_bytes=count)
        if limits.low_speed_bps:
            self._check_speed(now, count)

    def _check_speed(self, now: float, count: int) -> None:
        limits = self._limits
        if self._marks is None:
            self._marks = deque()
        marks = self._marks
        marks.append((now, count))
        while len(marks) > 1 and now - marks[1][0] >= limits.low_speed_s:
            marks.popleft()
        when, before = marks[0]
        if now - when >= limits.low_speed_s and (speed := (count - before) / (now - when)) < limits.low_speed_bps:
            raise Stalled(
                f"only {speed:.0f} bytes a second in {limits.low_speed_s:g} s",
                bytes_per_s=round(speed),
                received_bytes=count,
            )

    def _plan(self, now: float) -> None:
        limits = self._limits
        step = min(limits.stall_s, limits.low_speed_s if limits.low_speed_bps else math.inf) / _LOOKS
        due = now + step
        if step > 2 * _GRID_S:
            due = math.ceil(due / _GRID_S) * _GRID_S
        if not self._progress.head_done:
            due = min(due, self._head_due)
        self.due = min(due, self._deadline)


class Watched(Protocol):
    @property
    def due(self) -> float: ...

    def check(self, now: float) -> None: ...

    def forgive(self, seconds: float) -> None: ...


class Sweeper:
    """Calls `check` of all that it holds when they are due; one timer, and none while there is nothing to watch."""

    __slots__ = ("_held", "_timer", "_when")

    def __init__(self) -> None:
        self._held: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._when = math.inf

    def hold(self, watched: Watched) -> None:
        """Watch it; again for one that is watched already and has become due earlier."""
        self._held.add(watched)
        self._arm(watched.due)

    def release(self, watched: Watched) -> None:
        self._held.discard(watched)

    def close(self) -> None:
        self._held.clear()
        self._disarm()

    def _arm(self, when: float) -> None:
        if self._when <= when:
            return
        self._disarm()
        self._when = when
        self._timer = asyncio.get_running_loop().call_at(when, self._sweep)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._when = math.inf

    def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        late = now - self._when
        self._disarm()
        if late > _BLOCKED_S:
            for watched in self._held:
                watched.forgive(late)
        for watched in tuple(self._held):
            if watched.due <= now:
                watched.check(now)
        if self._held:
            self._arm(min(watched.due for watched in self._held))
