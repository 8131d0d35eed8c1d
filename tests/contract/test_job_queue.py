"""The queue of finite work: the rules that every adapter keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.engines import Engine, Station, Write

from ouzel.base.errors import BadUrl, Conflict, ConnectionLost, DiskFull, NotFound, StaleOwner
from ouzel.model.happening import Happening
from ouzel.model.jobs import Job, JobState, NewJob, Progress
from ouzel.model.ownership import Grant
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
S = JobState


def work(number: int = 0, **more: object) -> NewJob:
    values: dict[str, object] = {"kind": "merge", "args": {"file": number}, "queue": "disk", **more}
    return NewJob(**values)  # pyright: ignore[reportArgumentType]


async def claim(station: Station, *, queue: str = "disk", free: int = 10) -> list[Grant]:
    return await station.ownership.claim({f"job/{queue}": free})


async def begin(station: Station) -> tuple[Grant, Job]:
    (grant,) = await claim(station, free=1)
    job = await station.queue.begin(grant)
    assert job is not None
    return grant, job


async def done(station: Station, grant: Grant, result: dict[str, object] | None = None) -> None:
    async def write(tx: Write) -> None:
        await station.queue.done_in(tx, grant, result)

    await station.ownership.commit(grant, write)


async def state(station: Station, job: Job) -> JobState:
    return (await station.queue.get(job.id)).state


async def told(station: Station) -> list[str]:
    return [event.data["state"] for event in await station.rows.events_after(0) if event.code == "job.changed"]


async def test_a_job_is_put_run_and_done(station: Station, clock: FakeClock) -> None:
    put = await station.queue.put(work(7))
    assert (put.state, put.attempts, put.args) == (S.QUEUED, 0, {"file": 7})
    clock.advance(5)

    grant, begun = await begin(station)
    assert (begun.id, begun.state, begun.attempts, begun.epoch) == (put.id, S.RUNNING, 1, grant.epoch)
    assert begun.started_at == clock.now()
    clock.advance(5)
    await done(station, grant, {"bytes": 12})

    over = await station.queue.get(put.id)
    assert (over.state, over.result, over.fraction, over.ended_at) == (S.DONE, {"bytes": 12}, 1.0, clock.now())
    assert await claim(station) == []
    assert await told(station) == ["queued", "running", "done"]


async def test_the_most_urgent_is_run_first_then_the_oldest(station: Station, clock: FakeClock) -> None:
    for number, prio in ((1, 0), (2, 5), (3, 5), (4, 1)):
        await station.queue.put(work(number, prio=prio))
        clock.advance(1)

    order = [(await begin(station))[1].args["file"] for _ in range(4)]

    assert order == [2, 3, 4, 1]


async def test_queues_do_not_wait_for_each_other(station: Station) -> None:
    await station.queue.put(work(1))
    await station.queue.put(work(2, queue="cpu"))

    assert len(await claim(station, queue="cpu")) == 1
    assert len(await claim(station, queue="disk")) == 1


async def test_the_same_work_is_one_job_until_it_is_over(station: Station) -> None:
    first = await station.queue.put(work(1, dedupe="merge:1"))
    assert (await station.queue.put(work(2, dedupe="merge:1"))).id == first.id
    grant, _ = await begin(station)
    assert (await station.queue.put(work(2, dedupe="merge:1"))).id == first.id
    await done(station, grant)

    assert (await station.queue.put(work(2, dedupe="merge:1"))).id != first.id


async def test_a_job_is_put_with_the_rows_of_its_caller_or_not_at_all(station: Station) -> None:
    async def put_and_fail() -> None:
        async with station.rows.transaction() as tx:
            await station.queue.put_in(tx, work())
            raise LookupError

    with pytest.raises(LookupError):
        await put_and_fail()
    async with station.rows.transaction() as tx:
        kept = await station.queue.put_in(tx, work())

    assert [grant.key for grant in await claim(station)] == [f"job:{kept.id}"]


async def test_a_job_waits_for_its_time(station: Station, clock: FakeClock) -> None:
    job = await station.queue.put(work(not_before=clock.now() + timedelta(seconds=60)))
    assert job.state is S.WAITING
    assert await claim(station) == []
    assert await station.ownership.due_in_s(frozenset({"job/disk"})) == 60

    clock.advance(60)
    assert await state(station, job) is S.QUEUED
    assert (await begin(station))[1].id == job.id


async def test_how_many_are_in_each_state(station: Station, clock: FakeClock) -> None:
    for number in range(3):
        await station.queue.put(work(number))
    await station.queue.put(work(not_before=clock.now() + timedelta(seconds=1)))
    await station.queue.put(work(queue="cpu"))
    await begin(station)

    assert _some(await station.queue.stats()) == {
        "disk": {"queued": 2, "running": 1, "waiting": 1},
        "cpu": {"queued": 1},
    }
    clock.advance(1)
    assert _some(await station.queue.stats())["disk"] == {"queued": 3, "running": 1}


def _some(stats: object) -> dict[str, dict[str, int]]:
    assert isinstance(stats, dict)
    return {queue: {state.value: number for state, number in row.items() if number} for queue, row in stats.items()}


async def test_jobs_are_listed_page_by_page_the_newest_first(station: Station, clock: FakeClock) -> None:
    put = []
    for number in range(5):
        put.append(await station.queue.put(work(number, queue="disk" if number % 2 else "cpu")))
        clock.advance(0 if number < 3 else 1)  # some in the same moment
    later = await station.queue.put(work(kind="other", not_before=clock.now() + timedelta(seconds=1)))

    seen: list[Job] = []
    before = None
    while page := await station.queue.page(before=before, limit=2):
        assert len(page) <= 2
        seen += page
        before = (page[-1].created_at, page[-1].id)

    assert {job.id for job in seen} == {job.id for job in [*put, later]}
    assert len(seen) == 6
    assert [(job.created_at, job.id) for job in seen] == sorted(
        [(job.created_at, job.id) for job in seen], reverse=True
    )
    assert {job.args["file"] for job in await station.queue.page(queue="cpu")} == {0, 2, 4}
    assert [job.id for job in await station.queue.page(kind="other")] == [later.id]
    assert [job.id for job in await station.queue.page(states=frozenset({S.WAITING}))] == [later.id]
    clock.advance(1)
    assert await station.queue.page(states=frozenset({S.WAITING})) == []
    assert len(await station.queue.page(states=frozenset({S.QUEUED}))) == 6


async def test_how_far_it_is_is_told_and_begins_anew_with_each_attempt(station: Station, clock: FakeClock) -> None:
    job = await station.queue.put(work())
    grant, _ = await begin(station)
    await station.queue.tell(grant, Progress(0.5, 12.0, "halfway"))
    seen = await station.queue.get(job.id)
    assert (seen.fraction, seen.eta_s, seen.message) == (0.5, 12.0, "halfway")

    await station.queue.failed(grant, ConnectionLost("gone"), "gone")
    clock.advance(5)
    _, again = await begin(station)
    assert (again.fraction, again.eta_s, again.message) == (None, None, "")


async def test_a_passing_fault_is_tried_again_after_a_while_that_grows(station: Station, clock: FakeClock) -> None:
    job = await station.queue.put(work(max_attempts=3))
    for wait_s in (5, 10):
        grant, _ = await begin(station)
        await station.queue.failed(grant, ConnectionLost("it broke"), "it broke")
        waiting = await station.queue.get(job.id)
        assert (waiting.state, waiting.code, waiting.why) == (S.WAITING, "connection_lost", "it broke")
        assert await claim(station) == []
        clock.advance(wait_s)

    grant, last = await begin(station)
    assert last.attempts == 3
    await station.queue.failed(grant, ConnectionLost("it broke"), "it broke")
    assert await state(station, job) is S.FAILED
    assert await claim(station) == []
    assert await told(station) == ["queued", *(["running", "waiting"] * 2), "running", "failed"]


async def test_the_error_says_whether_trying_again_can_help(station: Station, clock: FakeClock) -> None:
    never, later, bug = [await station.queue.put(work(n)) for n in range(3)]
    grants = {grant.key.partition(":")[2]: grant for grant in await claim(station)}
    for job, error in ((never, BadUrl("no")), (later, DiskFull("full")), (bug, KeyError("oops"))):
        await station.queue.begin(grants[job.id])
        await station.queue.failed(grants[job.id], error, str(error))

    found = [await station.queue.get(job.id) for job in (never, later, bug)]
    waits = [None if job.not_before is None else (job.not_before - clock.now()).total_seconds() for job in found]
    assert [(job.state, job.code) for job in found] == [
        (S.FAILED, "bad_url"), (S.WAITING, "disk_full"), (S.WAITING, "internal"),
    ]  # fmt: skip
    assert waits == [None, 30, 5]
    assert [job.attempts for job in found] == [1, 0, 1], "who waits for the disk has not failed"


async def test_what_has_failed_can_be_tried_again_from_the_beginning(station: Station) -> None:
    job = await station.queue.put(work(max_attempts=1))
    grant, _ = await begin(station)
    await station.queue.failed(grant, ConnectionLost("x"), "x")

    again = await station.queue.retry(job.id)

    assert (again.state, again.attempts, again.code, again.ended_at) == (S.QUEUED, 0, None, None)
    new, begun = await begin(station)
    assert begun.attempts == 1
    assert new.epoch > grant.epoch
    with pytest.raises(StaleOwner):
        await done(station, grant)
    await done(station, new)


async def test_what_is_not_over_or_done_is_not_tried_again(station: Station) -> None:
    job = await station.queue.put(work())
    with pytest.raises(Conflict, match="queued"):
        await station.queue.retry(job.id)
    grant, _ = await begin(station)
    await done(station, grant)
    with pytest.raises(Conflict, match="done"):
        await station.queue.retry(job.id)
    with pytest.raises(NotFound):
        await station.queue.retry("nothing")


async def test_nothing_is_tried_again_beside_the_same_work(station: Station) -> None:
    first = await station.queue.put(work(dedupe="x"))
    await station.queue.abort(first.id)
    await station.queue.put(work(dedupe="x"))

    with pytest.raises(Conflict, match="same work"):
        await station.queue.retry(first.id)


async def test_a_job_that_does_not_run_is_cancelled_at_once(station: Station, clock: FakeClock) -> None:
    queued = await station.queue.put(work())
    waiting = await station.queue.put(work(not_before=clock.now() + timedelta(hours=1)))
    for job in (queued, waiting):
        assert (await station.queue.abort(job.id)).state is S.CANCELLED
        assert (await station.queue.abort(job.id)).state is S.CANCELLED, "again is the same"

    clock.advance(3600)
    assert await claim(station) == []


async def test_a_job_that_runs_is_told_to_stop(station: Station) -> None:
    job = await station.queue.put(work())
    grant, _ = await begin(station)

    assert (await station.queue.abort(job.id)).state is S.RUNNING
    assert (await station.ownership.beat()).stops == (grant.key,)
    await station.queue.cancelled(grant)

    assert await state(station, job) is S.CANCELLED
    assert (await station.ownership.beat()).stops == ()


async def test_a_job_that_was_done_meanwhile_stays_done(station: Station) -> None:
    job = await station.queue.put(work())
    grant, _ = await begin(station)
    await station.queue.abort(job.id)
    await done(station, grant)

    with pytest.raises(StaleOwner):
        await station.queue.cancelled(grant)
    with pytest.raises(Conflict, match="done"):
        await station.queue.abort(job.id)
    assert await state(station, job) is S.DONE


async def test_an_attempt_that_we_broke_off_does_not_count(station: Station) -> None:
    job = await station.queue.put(work(max_attempts=1))
    grant, _ = await begin(station)
    await station.queue.put_back(grant)

    found = await station.queue.get(job.id)
    assert (found.state, found.attempts) == (S.QUEUED, 0)
    assert (await begin(station))[1].attempts == 1


async def test_a_job_that_was_claimed_and_not_begun_is_put_back_or_fails_as_it_is(station: Station) -> None:
    job = await station.queue.put(work())
    (grant,) = await claim(station)
    await station.queue.put_back(grant)
    (grant,) = await claim(station)
    await station.queue.failed(grant, DiskFull("full"), "full")

    found = await station.queue.get(job.id)
    assert (found.state, found.attempts) == (S.QUEUED, 0)


async def test_what_a_dead_process_ran_is_put_back_and_its_late_commit_refused(
    engine: Engine, clock: FakeClock
) -> None:
    async with engine.station(clock) as first, engine.station(clock) as second:
        await first.ownership.register("one", cap=10)
        job = await first.queue.put(work())
        old, _ = await begin(first)

        await second.ownership.register("one", cap=10)
        assert await second.queue.settle() == 1

        assert await state(second, job) is S.QUEUED
        new, begun = await begin(second)
        assert (begun.attempts, new.epoch) == (2, old.epoch + 1)
        for late in (first.queue.tell(old, Progress(0.9)), first.queue.cancelled(old), first.queue.put_back(old)):
            with pytest.raises(StaleOwner):
                await late
        with pytest.raises(StaleOwner):
            await done(first, old)
        with pytest.raises(StaleOwner):
            await first.queue.failed(old, KeyError("x"), "x")
        await done(second, new)
        assert await second.queue.settle() == 0


async def test_a_job_that_kills_its_process_each_time_fails_in_the_end(engine: Engine, clock: FakeClock) -> None:
    async with engine.station(clock) as station:
        job = await station.queue.put(work(max_attempts=2))
        for _ in range(2):
            await station.ownership.register("one", cap=10)
            await station.queue.settle()
            await begin(station)

        await station.ownership.register("one", cap=10)
        await station.queue.settle()

        found = await station.queue.get(job.id)
        assert (found.state, found.code) == (S.FAILED, "internal")
        assert "process ended" in (found.why or "")
        assert await claim(station) == []


async def test_a_job_that_was_to_stop_when_its_process_died_is_cancelled(engine: Engine, clock: FakeClock) -> None:
    async with engine.station(clock) as station:
        await station.ownership.register("one", cap=10)
        job = await station.queue.put(work())
        await begin(station)
        await station.queue.abort(job.id)

        await station.ownership.register("one", cap=10)
        await station.queue.settle()

        assert await state(station, job) is S.CANCELLED
        assert await claim(station) == []


async def test_what_runs_is_not_settled(station: Station) -> None:
    job = await station.queue.put(work())
    await begin(station)
    await station.queue.put(work(2))

    assert await station.queue.settle() == 0
    assert await state(station, job) is S.RUNNING


async def test_effects_of_a_job_are_there_if_and_only_if_it_is_done(station: Station) -> None:
    job = await station.queue.put(work())
    grant, _ = await begin(station)

    async def write(tx: Write) -> None:
        tx.emit(Happening("recording.changed", job.id))
        await station.queue.done_in(tx, grant, None)
        raise LookupError

    with pytest.raises(LookupError):
        await station.ownership.commit(grant, write)

    assert await state(station, job) is S.RUNNING
    assert await told(station) == ["queued", "running"]


async def test_a_job_carries_nothing_large() -> None:
    with pytest.raises(ValueError, match="ids"):
        work(args={"text": "x" * 5000})
