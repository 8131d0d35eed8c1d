"""Jobs under the supervisor: begun, told, aborted, tried again, put back at shutdown."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import delete

from ouzel.base.errors import BadUrl, ConnectionLost, InputError
from ouzel.model.happening import Happening
from ouzel.model.jobs import Job, JobState, NewJob
from ouzel.services.events import EventBus
from ouzel.services.jobs import JobContext, JobKind, Jobs
from ouzel.services.supervisor import Supervisor
from ouzel.store.db import Db, Tx, open_db
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.tables.ownership import owns
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
S = JobState


@dataclass
class Shop:
    """A queue with one kind of job, `work`, and what runs it."""

    db: Db
    clock: FakeClock
    jobs: Jobs = field(init=False)
    supervisor: Supervisor = field(init=False)
    play: Callable[[JobContext], Awaitable[None]] = field(init=False)
    begun: list[Job] = field(default_factory=list[Job])

    async def run(self, work: JobContext) -> None:
        self.begun.append(work.job)
        await self.play(work)

    async def until(self, job: Job, *states: JobState) -> Job:
        """The job, when it is in one of these states."""
        with anyio.fail_after(20):
            while (found := await self.jobs.queue.get(job.id)).state not in states:
                await anyio.lowlevel.checkpoint()
        return found

    async def told(self) -> list[str]:
        return [each.data["state"] for each in await self.db.events_after(0) if each.code == "job.changed"]


async def nothing(work: JobContext) -> None:
    return


async def forever(work: JobContext) -> None:
    await anyio.sleep_forever()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Shop]:
    clock = FakeClock()
    async with open_db(tmp_path / "ouzel.db", clock) as db:
        ownership = SqliteOwnership(db, lease_clock=clock.monotonic)
        made = Shop(db, clock)
        queue = SqliteJobQueue(db, ownership)
        made.jobs = Jobs(queue, [JobKind("work", made.run, "disk")], {"disk": 2}, clock, sleep=clock.sleep)
        made.supervisor = Supervisor(ownership, made.jobs.bodies(), clock, settle=queue.settle, sleep=clock.sleep)
        made.play = nothing
        yield made


@asynccontextmanager
async def at_work(shop: Shop) -> AsyncGenerator[None]:
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shop.supervisor.run)
            try:
                yield
            finally:
                shop.supervisor.stop(0)


async def test_a_job_that_returns_is_done_at_once(shop: Shop) -> None:
    async with at_work(shop):
        job = await shop.until(await shop.jobs.put("work", {"file": 1}), S.DONE)
    assert (job.attempts, shop.begun[0].args) == (1, {"file": 1})
    assert await shop.told() == ["queued", "running", "done"]
    assert shop.clock.monotonic() == 0


async def test_the_last_commit_has_the_effect_and_the_end_together(shop: Shop) -> None:
    async def play(work: JobContext) -> None:
        async def write(tx: Tx) -> None:
            tx.emit(Happening("recording.file", "x"))

        await work.done(write, result={"bytes": 3})

    shop.play = play
    async with at_work(shop):
        job = await shop.until(await shop.jobs.put("work", {}), S.DONE)
    assert job.result == {"bytes": 3}
    assert [each.code for each in await shop.db.events_after(0)][-2:] == ["recording.file", "job.changed"]


async def test_a_passing_fault_is_tried_again_and_a_lasting_one_fails(shop: Shop) -> None:
    async def play(work: JobContext) -> None:
        raise ConnectionLost("it broke") if work.job.attempts < 2 else BadUrl("it is wrong")

    shop.play = play
    async with at_work(shop):
        job = await shop.until(await shop.jobs.put("work", {}), S.WAITING)
        assert job.not_before is not None
        assert (job.code, job.why, (job.not_before - shop.clock.now()).total_seconds()) == (
            "connection_lost",
            "it broke",
            5,
        )
        await _until(lambda: shop.clock.sleepers > 0 and not shop.supervisor.snapshot())
        shop.clock.advance(5)
        job = await shop.until(job, S.FAILED)
    assert (job.code, job.why, job.attempts) == ("bad_url", "it is wrong", 2)


async def _until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not true():
            await anyio.lowlevel.checkpoint()


async def test_a_bug_is_told_as_internal_and_tried_again(shop: Shop) -> None:
    async def play(work: JobContext) -> None:
        raise KeyError("oops")

    shop.play = play
    async with at_work(shop):
        job = await shop.until(await shop.jobs.put("work", {}), S.WAITING)
    assert (job.code, job.why) == ("internal", "KeyError: 'oops'")


async def test_progress_is_told_in_passing(shop: Shop) -> None:
    bus = EventBus(shop.db)
    ownership = SqliteOwnership(shop.db, lease_clock=shop.clock.monotonic)
    queue, kinds = SqliteJobQueue(shop.db, ownership), [JobKind("work", shop.run, "disk")]
    shop.jobs = Jobs(queue, kinds, {"disk": 1}, shop.clock, bus=bus, sleep=shop.clock.sleep)
    shop.supervisor = Supervisor(ownership, shop.jobs.bodies(), shop.clock, sleep=shop.clock.sleep)

    async def play(work: JobContext) -> None:
        work.progress(0.5, "half")
        await anyio.sleep_forever()

    shop.play = play
    async with at_work(shop):
        job = await shop.jobs.put("work", {})
        await _until(lambda: bus.passed > 0)
        [told] = bus.passing(0)
        data = {"kind": "work", "queue": "disk", "fraction": 0.5, "eta_s": 0.0, "message": "half"}
        assert (told.event.code, told.event.subject, told.event.data) == ("job.progress", job.id, data)
        await shop.jobs.queue.abort(job.id)
        await shop.until(job, S.CANCELLED)
    assert bus.passing(0) == []
    bus.close()


async def test_a_job_that_runs_is_cancelled_when_it_is_aborted(shop: Shop) -> None:
    shop.play = forever
    async with at_work(shop):
        job = await shop.until(await shop.jobs.put("work", {}), S.RUNNING)
        await shop.jobs.queue.abort(job.id)
        job = await shop.until(job, S.CANCELLED)
        await _until(lambda: not shop.supervisor.snapshot())
    assert job.ended_at is not None


async def test_a_job_is_put_back_at_shutdown_and_run_by_the_next(shop: Shop) -> None:
    shop.play = forever
    async with at_work(shop):
        job = await shop.until(await shop.jobs.put("work", {}), S.RUNNING)
    job = await shop.jobs.queue.get(job.id)
    assert (job.state, job.attempts) == (S.QUEUED, 0)

    shop.play = nothing
    queue = shop.jobs.queue
    ownership = SqliteOwnership(shop.db, lease_clock=shop.clock.monotonic)
    other = Jobs(SqliteJobQueue(shop.db, ownership), [JobKind("work", shop.run, "disk")], {"disk": 2}, shop.clock)
    shop.supervisor = Supervisor(ownership, other.bodies(), shop.clock, settle=queue.settle, sleep=shop.clock.sleep)
    async with at_work(shop):
        await shop.until(job, S.DONE)


async def test_a_job_whose_wish_was_lost_is_run_all_the_same(shop: Shop) -> None:
    job = await shop.jobs.put("work", {})
    async with shop.db.transaction() as tx:
        await tx.execute(delete(owns))

    async with at_work(shop):
        await shop.until(job, S.DONE)


async def test_no_more_run_at_once_than_the_queue_allows(shop: Shop) -> None:
    go = anyio.Event()
    running: list[int] = []

    async def play(work: JobContext) -> None:
        running.append(sum(each.state.value == "running" for each in shop.supervisor.snapshot()))
        await go.wait()

    shop.play = play
    async with at_work(shop):
        jobs = [await shop.jobs.put("work", {"number": n}) for n in range(7)]
        await _until(lambda: len(shop.begun) == 2)
        assert (await shop.jobs.queue.stats())["disk"][S.RUNNING] == 2
        go.set()
        for job in jobs:
            await shop.until(job, S.DONE)
    assert max(running) <= 2


async def test_progress_is_written_twice_a_second_at_most(shop: Shop) -> None:
    told: list[float | None] = []
    steps = anyio.Event()
    tell = shop.jobs.queue.tell

    async def count(grant: object, progress: object) -> None:
        told.append(progress.fraction)
        await tell(grant, progress)

    async def play(work: JobContext) -> None:
        for n in range(1, 11):
            work.progress(n / 20, f"step {n}")
            await anyio.lowlevel.checkpoint()
        await steps.wait()

    shop.jobs.queue.tell = count
    shop.play = play
    async with at_work(shop):
        job = await shop.until(await shop.jobs.put("work", {}), S.RUNNING)
        with anyio.fail_after(10):
            while (await shop.jobs.queue.get(job.id)).fraction is None:
                await anyio.lowlevel.checkpoint()
            await shop.clock.wait_sleepers(2)
            assert len(told) == 1
            shop.clock.advance(0.5)
            while (await shop.jobs.queue.get(job.id)).fraction != 0.5:
                await anyio.lowlevel.checkpoint()
        found = await shop.jobs.queue.get(job.id)
        assert (len(told), found.message, found.eta_s) == (2, "step 10", 0.0)
        steps.set()
        await shop.until(job, S.DONE)


async def test_what_nobody_can_do_is_not_put(shop: Shop) -> None:
    with pytest.raises(InputError, match="no kind of job 'dance'"):
        await shop.jobs.put("dance", {})


async def test_a_kind_that_an_older_ouzel_does_not_know_fails(shop: Shop) -> None:
    async with at_work(shop):
        job = await shop.until(await shop.jobs.queue.put(NewJob("newer", {}, "disk")), S.FAILED)
    assert "newer" in (job.why or "")


async def test_a_kind_needs_a_queue_that_runs(shop: Shop) -> None:
    with pytest.raises(ValueError, match="cpu"):
        Jobs(shop.jobs.queue, [JobKind("work", nothing, "cpu")], {"disk": 2}, shop.clock)
