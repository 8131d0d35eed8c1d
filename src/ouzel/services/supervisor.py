"""Whatever runs for long in this process: what is wanted is claimed, what crashed is run again, what nobody wants is ended.

One task group holds all bodies. A round makes the world agree with the rows: at each beat, and at once when a wish is committed.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import anyio
import anyio.abc

from ouzel.base.errors import OuzelError, StaleOwner
from ouzel.model.ownership import Grant, Ownership, StopReason, TaskState, TaskView
from ouzel.services.bodies import Body, Context, Ending, Pauses, alone, place_of, said
from ouzel.store.db import Tx
from ouzel.system.clock import Clock

_log = logging.getLogger(__name__)
_REMEMBERED_S = 60.0
"""A key that nobody runs again for so long has no past."""


@dataclass(slots=True, eq=False)
class _Task:
    """A body that runs."""

    context: Context
    body: Body
    since_s: float
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    over: anyio.Event = field(default_factory=anyio.Event)


@dataclass(slots=True)
class _Past:
    """What is remembered of a key beyond one grant."""

    pauses: Pauses = field(default_factory=Pauses)
    error: Exception | None = None
    told: str = ""
    """Where the error stood whose traceback was logged last: from the same place it is not logged again."""
    grant: Grant | None = None
    """The one that is over."""
    since_s: float = 0.0
    until_s: float = 0.0
    """Until when the key is left alone."""


class Supervisor:
    """Args:
    bodies: by kind. What is of another kind is not claimed.
    settle: called when this process has become a new node, before anything is claimed, to put in order what others left behind.
    on_crash: told of each body that ended with an error, before it is run again.
    sleep: as `clock` tells the time.
    """

    def __init__(
        self,
        ownership: Ownership[Tx],
        bodies: Mapping[str, Body],
        clock: Clock,
        *,
        name: str = "ouzel",
        labels: frozenset[str] = frozenset(),
        settle: Callable[[], Awaitable[object]] | None = None,
        on_crash: Callable[[TaskView], Awaitable[None]] | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._ownership = ownership
        self._bodies = bodies
        self._clock = clock
        self._name = name
        self._labels = labels
        self._settle = settle
        self._on_crash = on_crash
        self._sleep = sleep
        self._wake = anyio.Event()
        self._tasks: dict[str, _Task] = {}
        self._past: dict[str, _Past] = {}
        self._back: deque[tuple[Grant, float]] = deque()  # grants to be given back, with how long the key is left alone
        self._within_s: float | None = None
        self._failing = False

    async def run(self) -> None:
        """Until `stop`. Raises: StaleOwner when another process has taken over, and this one may not come back."""
        end_wakes = self._ownership.listen(self.wake)
        lost: StaleOwner | None = None
        try:
            await self._register()
            async with anyio.create_task_group() as tasks:
                try:
                    while self._within_s is None:
                        await self._round(tasks)
                    self._end_all(StopReason.SHUTDOWN, self._within_s)
                except StaleOwner as exc:
                    lost = exc
                    self._end_all(StopReason.FENCED)
            if lost is not None:
                raise lost
            await self._ownership.leave()
        finally:
            end_wakes()

    def stop(self, within_s: float) -> None:
        """Claim nothing more; end all bodies, and cancel those that are not done after `within_s`."""
        self._within_s = within_s
        self.wake()

    async def drain(self) -> None:
        """Claim nothing more; what runs goes on to its own end."""
        await self._ownership.drain()

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    def snapshot(self) -> list[TaskView]:
        """All bodies: those that run, and those that wait to be run again."""
        now_s = self._clock.monotonic()
        views = [self._view(task, now_s) for task in self._tasks.values()]
        for key, past in self._past.items():
            if past.grant is not None and past.until_s > now_s and key not in self._tasks:
                views.append(_view(past.grant, TaskState.HELD, now_s - past.since_s, past))
        return sorted(views, key=lambda view: view.key)

    def _view(self, task: _Task, now_s: float) -> TaskView:
        state = TaskState.STOPPING if task.context.reason else TaskState.RUNNING
        past = self._past.get(task.context.key, _Past())
        return _view(task.context.grant, state, now_s - task.since_s, past)

    # -- a round ------------------------------------------------------------------------------------------------------

    async def _register(self) -> None:
        cap = sum(body.slots for body in self._bodies.values())
        await self._ownership.register(self._name, labels=self._labels, cap=cap)
        if self._settle is not None:
            await self._settle()

    async def _round(self, tasks: anyio.abc.TaskGroup) -> None:
        self._wake = anyio.Event()  # what is wished from here on is seen by the next round
        pause_s = self._ownership.terms.beat_s
        try:
            is_waiting = await self._beat()
            if is_waiting or self._back:  # mostly not: then the beat is all that a round does
                await self._give_back()
                await self._claim(tasks)
                due_s = await self._ownership.due_in_s(frozenset(self._bodies))
                pause_s = pause_s if due_s is None else min(pause_s, due_s)
            self._failing = False
        except StaleOwner:
            raise
        except Exception as exc:  # nobody answers: what runs goes on, as long as it may
            self._doubt(exc)
        self._forget()
        if self._within_s is None:
            await self._wait(pause_s)

    async def _beat(self) -> bool:
        """Whether something may be claimed."""
        beat = await self._ownership.beat()
        for key in beat.stops:
            if (task := self._tasks.get(key)) is not None:
                self._end(task, StopReason.UNWANTED)
        if beat.fenced:
            self._end_all(StopReason.FENCED)
            for task in [*self._tasks.values()]:
                await task.over.wait()
            self._back.clear()
            await self._register()
        return beat.waiting or beat.fenced

    async def _give_back(self) -> None:
        while self._back:
            grant, hold_s = self._back[0]
            await self._ownership.release(grant, hold_s=hold_s)
            self._back.popleft()

    async def _claim(self, tasks: anyio.abc.TaskGroup) -> None:
        while (free := self._free()) and (grants := await self._ownership.claim(free)):
            for grant in grants:
                self._start(tasks, grant)

    def _doubt(self, exc: Exception) -> None:
        if not self._failing:
            self._failing = True
            known = isinstance(exc, OuzelError)
            _log.error("what is wanted cannot be asked for: %s", said(exc), exc_info=None if known else exc)
        for task in self._tasks.values():
            if not self._ownership.owned(task.context.grant):
                self._end(task, StopReason.FENCED)

    def _free(self) -> dict[str, int]:
        free = {kind: body.slots for kind, body in self._bodies.items()}
        for task in self._tasks.values():
            free[task.context.grant.kind] -= 1
        return {kind: slots for kind, slots in free.items() if slots > 0}

    def _forget(self) -> None:
        before_s = self._clock.monotonic() - _REMEMBERED_S
        for key in [key for key, past in self._past.items() if key not in self._tasks and past.until_s < before_s]:
            del self._past[key]

    async def _wait(self, seconds: float) -> None:
        async with anyio.create_task_group() as both:

            async def time_out() -> None:
                await self._sleep(seconds)
                self.wake()

            both.start_soon(time_out)
            await self._wake.wait()
            both.cancel_scope.cancel()

    # -- a body -------------------------------------------------------------------------------------------------------

    def _start(self, tasks: anyio.abc.TaskGroup, grant: Grant) -> None:
        task = _Task(Context(grant, self._ownership), self._bodies[grant.kind], self._clock.monotonic())
        before = self._tasks.get(grant.key)
        self._tasks[grant.key] = task
        tasks.start_soon(self._run, task, before, name=grant.key)

    async def _run(self, task: _Task, before: _Task | None) -> None:
        try:
            if before is not None:  # it has given the key back itself, and is about to end
                await before.over.wait()
            error = await _run_once(task)
            with anyio.CancelScope(shield=True):
                await self._after(task, error)
        finally:
            if self._tasks.get(task.context.key) is task:
                del self._tasks[task.context.key]
            task.over.set()
            self.wake()

    async def _after(self, task: _Task, error: Exception | None) -> None:
        """The body is over."""
        ctx = task.context
        reason = StopReason.FENCED if isinstance(error, StaleOwner) else ctx.reason
        if reason is StopReason.FENCED:
            self._back.append((ctx.grant, 0.0))
            return
        now_s = self._clock.monotonic()
        past = self._past.setdefault(ctx.key, _Past())
        past.grant, past.since_s, past.until_s = ctx.grant, now_s, now_s
        pause_s = past.pauses.after(error, lasted_s=now_s - task.since_s) if error or not reason else 0.0
        if error is not None:
            await self._crashed(ctx, past, error)
        if not await self._ended(task, Ending(error, reason)):
            pause_s = pause_s if ctx.hold_s is None else ctx.hold_s
            past.until_s += pause_s
            self._back.append((ctx.grant, pause_s))

    async def _ended(self, task: _Task, ending: Ending) -> bool:
        try:
            return task.body.ended is not None and await task.body.ended(task.context, ending)
        except Exception as exc:
            _log.error("%s: its end could not be written: %s", task.context.key, said(exc), exc_info=exc)
            return False

    async def _crashed(self, ctx: Context, past: _Past, error: Exception) -> None:
        place = "" if isinstance(error, OuzelError) else place_of(error)
        trace = error if place and place != past.told else None
        past.error, past.told = error, place
        _log.error("%s failed (%d): %s", ctx.key, past.pauses.restarts, said(error), exc_info=trace)
        if self._on_crash is not None:
            try:
                await self._on_crash(_view(ctx.grant, TaskState.HELD, 0.0, past))
            except Exception as exc:
                _log.error("%s: nobody could be told: %s", ctx.key, said(exc), exc_info=exc)

    def _end_all(self, reason: StopReason, within_s: float = 0.0) -> None:
        for task in self._tasks.values():
            self._end(task, reason, within_s)

    def _end(self, task: _Task, reason: StopReason, within_s: float = math.inf) -> None:
        ctx = task.context
        if ctx.reason is None:
            task.since_s = self._clock.monotonic()
        if ctx.reason is reason:
            return
        ctx.stop(reason)
        patience_s = 0.0 if reason is StopReason.FENCED else min(task.body.patience_s, within_s)
        task.scope.deadline = min(task.scope.deadline, anyio.current_time() + patience_s)


async def _run_once(task: _Task) -> Exception | None:
    """What it ended with."""
    try:
        with task.scope:
            await task.body.run(task.context)
    except Exception as exc:
        return alone(exc)
    return None


def _view(grant: Grant, state: TaskState, since_s: float, past: _Past) -> TaskView:
    error = past.error
    code = "" if error is None else (error.code if isinstance(error, OuzelError) else OuzelError.code)
    words = "" if error is None else said(error)
    return TaskView(grant.key, grant.kind, state, since_s, grant.epoch, past.pauses.restarts, words, code)
