"""Finite work: kinds of jobs, and the bodies that run them for the supervisor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

import anyio

from ouzel.base.errors import InputError, StaleOwner
from ouzel.model.happening import Happening
from ouzel.model.jobs import ATTEMPTS, Job, JobQueue, NewJob, Progress, eta_s
from ouzel.model.ownership import StopReason
from ouzel.services.bodies import Body, Context, Ending, said
from ouzel.store.db import Tx
from ouzel.store.jobs import kind_of
from ouzel.system.clock import Clock

_TOLD_EVERY_S = 0.5
Write = Callable[[Tx], Awaitable[None]]


class Teller(Protocol):
    """Tells in passing: `services.events.EventBus`."""

    def tell(self, happening: Happening) -> None: ...

    def hush(self, code: str, subject: str) -> None: ...


class JobContext:
    """What the code of a job sees."""

    def __init__(self, job: Job, run: Context, queue: JobQueue[Tx], clock: Clock, bus: Teller | None = None) -> None:
        self.job = job
        self.run = run
        """For `stopping`, `owned`, `commit` and `emit`."""
        self.is_done = False
        self._queue = queue
        self._clock = clock
        self._bus = bus
        self._began_s = clock.monotonic()
        self._closing = False
        self._progress: Progress | None = None
        self._news = anyio.Event()

    @property
    def args(self) -> Mapping[str, Any]:
        return self.job.args

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Say how far it is, as often as there is something to say; it is written twice a second at most.

        Args:
            fraction: 0 to 1; None: not known.
        """
        left_s = eta_s(fraction, self._clock.monotonic() - self._began_s)
        self._progress = Progress(fraction, left_s, message)
        self._news.set()

    async def done(self, write: Write | None = None, *, result: Mapping[str, Any] | None = None) -> None:
        """The last commit: what `write` writes is there if and only if the job is done. Raises: StaleOwner."""

        async def finish(tx: Tx) -> None:
            if write is not None:
                await write(tx)
            await self._queue.done_in(tx, self.run.grant, result)

        self._closing = True
        await self.run.commit(finish)
        self.is_done = True

    async def tell_progress(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Beside the job, until cancelled."""
        try:
            while True:
                await self._news.wait()
                self._news = anyio.Event()
                if self._progress is not None and not self._closing:
                    if self._bus is not None:
                        told = {"kind": self.job.kind, "queue": self.job.queue, **asdict(self._progress)}
                        self._bus.tell(Happening("job.progress", self.job.id, told))
                    await self._queue.tell(self.run.grant, self._progress)
                await sleep(_TOLD_EVERY_S)
        finally:
            if self._bus is not None:
                self._bus.hush("job.progress", self.job.id)


@dataclass(frozen=True, slots=True)
class JobKind:
    """A sort of work."""

    name: str
    run: Callable[[JobContext], Awaitable[None]]
    """It is done when it returns, or has called `done`. It may be cancelled at any await, and run again from the beginning."""
    queue: str
    max_attempts: int = ATTEMPTS


class Jobs:
    """The queue as services, API and commands see it.

    Args:
        slots: for each queue, how many of its jobs run at once.
        bus: where progress is told to whoever listens; None: it stands in the rows alone.
    """

    def __init__(
        self,
        queue: JobQueue[Tx],
        kinds: Sequence[JobKind],
        slots: Mapping[str, int],
        clock: Clock,
        *,
        bus: Teller | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.queue = queue
        self._bus = bus
        self._kinds = {kind.name: kind for kind in kinds}
        self._slots = slots
        self._clock = clock
        self._sleep = sleep
        if strange := {kind.queue for kind in kinds} - slots.keys():
            raise ValueError(f"queues without slots: {', '.join(sorted(strange))}")

    def bodies(self) -> dict[str, Body]:
        """For the supervisor, by kind."""
        return {kind_of(queue): Body(self._run, slots, ended=self._ended) for queue, slots in self._slots.items()}

    async def put(
        self,
        kind: str,
        args: Mapping[str, Any],
        *,
        dedupe: str | None = None,
        prio: int = 0,
        not_before: datetime | None = None,
    ) -> Job:
        """The new job, or that which is the same and not over. Raises: InputError when there is no such kind."""
        return await self.queue.put(self.new(kind, args, dedupe=dedupe, prio=prio, not_before=not_before))

    def new(
        self,
        kind: str,
        args: Mapping[str, Any],
        *,
        dedupe: str | None = None,
        prio: int = 0,
        not_before: datetime | None = None,
    ) -> NewJob:
        """For `queue.put_in`, in a transaction of the caller."""
        found = self._kinds.get(kind)
        if found is None:
            raise InputError(f"there is no kind of job {kind!r}: {', '.join(sorted(self._kinds))}")
        return NewJob(kind, args, found.queue, dedupe, prio, not_before, found.max_attempts)

    async def _run(self, context: Context) -> None:
        job = await self.queue.begin(context.grant)
        if job is None:
            return
        kind = self._kinds.get(job.kind)
        if kind is None:
            raise InputError(f"this Ouzel knows no kind of job {job.kind!r}")
        work = JobContext(job, context, self.queue, self._clock, self._bus)
        async with anyio.create_task_group() as beside:
            beside.start_soon(work.tell_progress, self._sleep)
            await kind.run(work)
            if not work.is_done and not context.stopping.is_set():
                await work.done()
            beside.cancel_scope.cancel()

    async def _ended(self, context: Context, ending: Ending) -> bool:
        """Whatever was begun, and is not over, gets its next state."""
        try:
            if ending.reason is StopReason.UNWANTED:
                await self.queue.cancelled(context.grant)
            elif ending.reason is not None:
                await self.queue.put_back(context.grant)
            elif ending.error is not None:
                await self.queue.failed(context.grant, ending.error, said(ending.error))
        except StaleOwner:  # it was done before it was stopped
            pass
        return True
