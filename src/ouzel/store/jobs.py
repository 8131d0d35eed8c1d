"""The queue of finite work on the embedded database. Each job that is not over has a wish `job:ID` in `owns`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, Select, and_, case, delete, func, insert, or_, select, tuple_, update

from ouzel.base.errors import Conflict, NotFound, OuzelError
from ouzel.base.ids import new_id
from ouzel.model.happening import Happening
from ouzel.model.jobs import OPEN, Heeder, Job, JobState, NewJob, Progress, is_of_the_disk, move, retry_in_s
from ouzel.model.ownership import JOB, Grant, key_of, name_of
from ouzel.store.db import Db, Tx
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.tables.jobs import jobs
from ouzel.store.tables.ownership import owns
from ouzel.store.words import meant_by

_S = JobState
_NOT_BEGUN_S = 5.0
_KILLED = "the process ended while it ran"


def kind_of(queue: str) -> str:
    """Of the wishes of a queue, so that each queue has its own number of bodies."""
    return f"{JOB}/{queue}"


class SqliteJobQueue:
    def __init__(self, db: Db, ownership: SqliteOwnership) -> None:
        self._db = db
        self._ownership = ownership
        self._heeders: list[Heeder[Tx]] = []

    def heed(self, heeder: Heeder[Tx]) -> None:
        """Before anything is put."""
        self._heeders.append(heeder)

    # -- for those who have work --------------------------------------------------------------------------------------

    async def put(self, new: NewJob) -> Job:
        async with self._db.transaction() as tx:
            return await self.put_in(tx, new)

    async def put_in(self, tx: Tx, new: NewJob) -> Job:
        if new.dedupe is not None:
            same = await tx.one(select(jobs).where(jobs.c.dedupe == new.dedupe, jobs.c.state.in_(OPEN)))
            if same is not None:
                return self._job(same)
        now = self._db.clock.now()
        later = new.not_before is not None and new.not_before > now
        job_id = new_id(now)
        row = {
            "id": job_id, "kind": new.kind, "queue": new.queue, "args": dict(new.args), "dedupe": new.dedupe,
            "prio": new.prio, "state": _S.WAITING if later else _S.QUEUED, "not_before": new.not_before, "attempts": 0,
            "max_attempts": new.max_attempts, "epoch": 0, "message": "", "created_at": now,
        }  # fmt: skip
        await tx.execute(insert(jobs).values(row))
        job = await self._wanted(tx, job_id)
        _tell(tx, job, job.state)
        return job

    async def get(self, job_id: str) -> Job:
        return self._job(_found(await self._db.one(select(jobs).where(jobs.c.id == job_id)), job_id))

    async def page(
        self,
        *,
        states: frozenset[JobState] = frozenset(),
        queue: str | None = None,
        kind: str | None = None,
        word: str = "",
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Job]:
        query = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit)
        query = self._filtered(query, states, queue, kind, word)
        if before is not None:
            query = query.where(tuple_(jobs.c.created_at, jobs.c.id) < before)
        return [self._job(row) for row in await self._db.read(query)]

    async def count(
        self,
        *,
        states: frozenset[JobState] = frozenset(),
        queue: str | None = None,
        kind: str | None = None,
        word: str = "",
    ) -> int:
        """Of all pages."""
        query = self._filtered(select(func.count()).select_from(jobs), states, queue, kind, word)
        return await self._db.scalar(query)

    async def held_up(self, kind: str, code: str) -> list[Job]:
        """Those of a kind whose last attempt ended so, and that have not got any further since; the oldest first."""
        query = select(jobs).where(jobs.c.kind == kind, jobs.c.code == code, jobs.c.state.in_(OPEN))
        rows = await self._db.read(query.where(jobs.c.fraction.is_(None)).order_by(jobs.c.id))
        return [self._job(row) for row in rows]

    async def prioritize(self, job_id: str, prio: int) -> Job:
        """It goes before, or after, others; what runs goes on. Raises: NotFound, Conflict when it is over."""
        async with self._db.transaction() as tx:
            job = await self.get_in(tx, job_id)
            if job.state not in OPEN:
                raise Conflict(f"the job is {job.state} already", id=job_id)
            await tx.execute(update(jobs).where(jobs.c.id == job_id).values(prio=prio))
            _tell(tx, job, job.state)
            return await self.get_in(tx, job_id) if job.state is _S.RUNNING else await self._wanted(tx, job_id)

    async def abort(self, job_id: str) -> Job:
        async with self._db.transaction() as tx:
            return await self.abort_in(tx, job_id)

    async def abort_in(self, tx: Tx, job_id: str) -> Job:
        """The same, in a transaction of the caller."""
        job = await self.get_in(tx, job_id)
        if job.state in {_S.DONE, _S.FAILED}:
            raise Conflict(f"the job is {job.state} already", id=job_id)
        if job.state is _S.RUNNING:
            await self._ownership.unwant_in(tx, key_of(JOB, job_id))
        elif job.state is not _S.CANCELLED:
            await self._over(tx, job, _S.CANCELLED)
        return await self.get_in(tx, job_id)

    async def retry(self, job_id: str) -> Job:
        async with self._db.transaction() as tx:
            return await self.retry_in(tx, job_id)

    async def retry_in(self, tx: Tx, job_id: str) -> Job:
        """The same, in a transaction of the caller."""
        job = await self.get_in(tx, job_id)
        if job.state not in {_S.FAILED, _S.CANCELLED}:
            raise Conflict(f"the job is {job.state}: there is nothing to try again", id=job_id)
        same = select(jobs.c.id).where(jobs.c.dedupe == job.dedupe, jobs.c.state.in_(OPEN))
        if job.dedupe is not None and await tx.one(same) is not None:
            raise Conflict("the same work is in the queue already", id=job_id)
        await self._write(
            tx, job, _S.QUEUED, attempts=0, not_before=None, code=None, why=None, fraction=None, eta_s=None,
            message="", result=None, started_at=None, ended_at=None,
        )  # fmt: skip
        for heeder in self._heeders:
            await heeder.again_in(tx, job)
        return await self._wanted(tx, job_id)

    async def stats(self) -> Mapping[str, Mapping[JobState, int]]:
        query: Any = select(jobs.c.queue, self._present.label("state"), func.count().label("number"))
        found: dict[str, dict[JobState, int]] = {}
        for row in await self._db.read(query.group_by(jobs.c.queue, self._present)):
            found.setdefault(row["queue"], dict.fromkeys(JobState, 0))[JobState(row["state"])] = row["number"]
        return found

    async def settle(self) -> int:
        with_wish = jobs.outerjoin(owns, owns.c.key == f"{JOB}:" + jobs.c.id)
        left = or_(owns.c.key.is_(None), jobs.c.state == _S.RUNNING)
        query: Any = select(jobs.c.id, owns.c.want).select_from(with_wish)
        query = query.where(jobs.c.state.in_(OPEN), owns.c.node.is_(None), left)
        async with self._db.transaction() as tx:
            rows = await tx.read(query)
            for row in rows:
                job = await self.get_in(tx, row["id"])
                if job.state is not _S.RUNNING:
                    await self._wanted(tx, job.id)
                elif row["want"] is False:
                    await self._over(tx, job, _S.CANCELLED)
                elif job.attempts >= job.max_attempts:
                    await self._over(tx, job, _S.FAILED, code=OuzelError.code, why=_KILLED)
                else:
                    await self._write(tx, job, _S.QUEUED, why=_KILLED)
                    await self._wanted(tx, job.id)
        return len(rows)

    # -- for whoever runs a job ---------------------------------------------------------------------------------------

    async def begin(self, grant: Grant) -> Job | None:
        async with self._db.transaction() as tx:
            job = await self._held(tx, grant)
            if job.state not in OPEN:
                await self._unwish(tx, job.id)
                return None
            now = self._db.clock.now()
            values = {
                "attempts": job.attempts + 1, "epoch": grant.epoch, "started_at": now, "fraction": None, "eta_s": None,
                "message": "", "not_before": None,
            }  # fmt: skip
            await self._write(tx, job, _S.RUNNING, **values)
            return await self.get_in(tx, job.id)

    async def tell(self, grant: Grant, progress: Progress) -> None:
        async with self._db.transaction() as tx:
            job = await self._held(tx, grant)
            values = {"fraction": progress.fraction, "eta_s": progress.eta_s, "message": progress.message}
            await tx.execute(update(jobs).where(jobs.c.id == job.id).values(values))

    async def done_in(self, tx: Tx, grant: Grant, result: Mapping[str, Any] | None) -> None:
        job = await self._held(tx, grant)
        values = {"fraction": 1.0, "eta_s": 0.0, "code": None, "why": None}
        await self._over(tx, job, _S.DONE, result=None if result is None else dict(result), **values)

    async def failed(self, grant: Grant, error: Exception, why: str) -> None:
        async with self._db.transaction() as tx:
            job = await self._held(tx, grant)
            if job.state is not _S.RUNNING:  # it could not be begun
                await self._ownership.release_in(tx, grant, hold_s=_NOT_BEGUN_S)
                return
            code = error.code if isinstance(error, OuzelError) else OuzelError.code
            wait_s = retry_in_s(error, job.attempts, job.max_attempts)
            if wait_s is None:
                await self._over(tx, job, _S.FAILED, code=code, why=why)
                return
            until = self._db.clock.now() + timedelta(seconds=wait_s)
            counted = job.attempts - is_of_the_disk(error)
            await self._write(tx, job, _S.WAITING, not_before=until, code=code, why=why, attempts=counted)
            await self._ownership.release_in(tx, grant, hold_s=wait_s)

    async def cancelled(self, grant: Grant) -> None:
        async with self._db.transaction() as tx:
            await self._over(tx, await self._held(tx, grant), _S.CANCELLED)

    async def put_back(self, grant: Grant) -> None:
        async with self._db.transaction() as tx:
            job = await self._held(tx, grant)
            if job.state is _S.RUNNING:
                await self._write(tx, job, _S.QUEUED, attempts=job.attempts - 1, started_at=None)
            await self._ownership.release_in(tx, grant)

    # -- within -------------------------------------------------------------------------------------------------------

    @property
    def _present(self) -> Any:
        """The state as it is now: whoever has waited long enough is in the queue."""
        due = and_(jobs.c.state == _S.WAITING, jobs.c.not_before <= self._db.clock.now())
        return case((due, _S.QUEUED.value), else_=jobs.c.state)

    def _filtered(
        self, query: Select[Any], states: frozenset[JobState], queue: str | None, kind: str | None, word: str
    ) -> Select[Any]:
        if states:
            query = query.where(self._present.in_(states))
        if word:
            query = query.where(meant_by(word, jobs.c.id))
        if queue is not None:
            query = query.where(jobs.c.queue == queue)
        return query if kind is None else query.where(jobs.c.kind == kind)

    def _job(self, row: RowMapping) -> Job:
        values: dict[str, Any] = dict(row)
        state = JobState(values["state"])
        if state is _S.WAITING and values["not_before"] <= self._db.clock.now():
            state = _S.QUEUED
        values["state"] = state
        return Job(**values)

    async def get_in(self, tx: Tx, job_id: str) -> Job:
        """Raises: NotFound."""
        return self._job(_found(await tx.one(_by_id(job_id)), job_id))

    async def _held(self, tx: Tx, grant: Grant) -> Job:
        await self._ownership.guard(tx, grant)
        return await self.get_in(tx, name_of(grant.key))

    async def _wanted(self, tx: Tx, job_id: str) -> Job:
        job = await self.get_in(tx, job_id)
        await self._ownership.want_in(
            tx,
            key_of(JOB, job.id),
            {},
            kind=kind_of(job.queue),
            prio=job.prio,
            not_before=job.not_before,
            epoch=job.epoch,
        )
        return job

    async def _write(self, tx: Tx, job: Job, state: JobState, **values: Any) -> None:
        """Move it on. `running` again: its last process was killed."""
        if (job.state, state) != (_S.RUNNING, _S.RUNNING):
            move(job.state, state)
        await tx.execute(update(jobs).where(jobs.c.id == job.id).values(state=state, **values))
        _tell(tx, job, state)

    async def _over(self, tx: Tx, job: Job, state: JobState, **values: Any) -> None:
        await self._write(tx, job, state, ended_at=self._db.clock.now(), **values)
        await self._unwish(tx, job.id)
        for heeder in self._heeders:
            await heeder.over_in(tx, job, state, values.get("code"), values.get("why"))

    async def _unwish(self, tx: Tx, job_id: str) -> None:
        await tx.execute(delete(owns).where(owns.c.key == key_of(JOB, job_id)))


def _by_id(job_id: str) -> Select[Any]:
    return select(jobs).where(jobs.c.id == job_id)


def _found(row: RowMapping | None, job_id: str) -> RowMapping:
    if row is None:
        raise NotFound(f"there is no job {job_id}", id=job_id)
    return row


def _tell(tx: Tx, job: Job, state: JobState) -> None:
    tx.emit(Happening("job.changed", job.id, {"kind": job.kind, "queue": job.queue, "state": state.value}))
