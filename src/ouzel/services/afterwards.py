"""What comes after a recording or download: runs of pipelines, each step of which is a job.

A run begins in the transaction that tells that its item is over, with the job of its first step. A step is done in the
transaction that writes what it has made and puts the job of the next. So each run that is not over has one job that is not
over, whenever the process was killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ouzel.base.errors import BadOption, Conflict, NoRoom, NotFound
from ouzel.base.ids import new_id
from ouzel.model.download_tasks import Download
from ouzel.model.happening import Happening
from ouzel.model.jobs import Job, JobState, NewJob
from ouzel.model.notices import Trouble
from ouzel.model.pipelines import PipelineRun, RunState, Step, Steps, move_run
from ouzel.model.recording import FileRole, FileState, RecordedFile, Recording
from ouzel.model.steps import MOVE, SHAPES
from ouzel.services.channels import Channels
from ouzel.services.fetched_files import files_of_download
from ouzel.services.notices import Notices
from ouzel.services.pipelines import missing
from ouzel.services.places import Places
from ouzel.services.steps import Item
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.pipelines import PipelineRepo, RunFilter, RunRepo
from ouzel.store.recordings import RecordingRepo

_R = RunState


class Afterwards:
    """Use cases around runs. Args: for_downloads: name of their pipeline; empty: none."""

    def __init__(
        self,
        db: Db,
        queue: SqliteJobQueue,
        channels: Channels,
        notices: Notices,
        places: Places,
        for_downloads: str = "",
    ) -> None:
        self._db = db
        self._queue = queue
        self._channels = channels
        self._notices = notices
        self._places = places
        self._for_downloads = for_downloads
        self._pipelines = PipelineRepo(db)
        self._runs = RunRepo(db)
        self._files = RecordingRepo(db)
        self._channel_rows = ChannelRepo(db)
        queue.heed(self)

    # -- asking -------------------------------------------------------------------------------------------------------

    async def get(self, run_id: str) -> PipelineRun:
        """Raises: NotFound."""
        return _there(await self._runs.get(run_id), run_id)

    async def page(
        self, which: RunFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[PipelineRun]:
        """The newest first. `before`: `created_at` and id of the last one that was read."""
        return await self._runs.page(which, before=before, limit=limit)

    async def count(self, which: RunFilter) -> int:
        return await self._runs.count(which)

    async def in_use(self) -> set[str]:
        """Ids of recordings and downloads that something is being done with."""
        return await self._runs.open_items()

    async def files_of(self, item_id: str) -> list[Path]:
        """Whatever has a row: own files, products, companions."""
        async with self._db.transaction() as tx:
            return [self._places.path(row) for row in await self._files.files_in(tx, item_id)]

    async def held(self, item_id: str, run_id: str) -> set[str]:
        """Ids of its files with which other runs have something to do now. Two that only move them wait for one another."""
        async with self._db.transaction() as tx:
            others = [
                each for each in await self._runs.of_in(tx, item_id) if each.state is _R.RUNNING and each.id != run_id
            ]
            rows = await self._files.files_in(tx, item_id)
        busy = [each for each in others if each.step is not None and each.step.name != MOVE]
        taken = {name for each in busy for name in (*each.taken, *each.files)}
        return {row.id for row in rows if row.id in taken or taken.intersection(row.made_of)}

    async def troubles(self) -> list[Trouble]:
        """For `Noticing`: what waits for room on another root; one for all."""
        waiting = await self._queue.held_up(MOVE, NoRoom.code)
        data = {"jobs": len(waiting), "why": waiting[-1].why or ""} if waiting else {}
        return [Trouble("move.no_room", "move.no_room", data)] if waiting else []

    # -- beginning ----------------------------------------------------------------------------------------------------

    async def recorded_in(self, tx: Tx, recording: Recording) -> None:
        """It is over, and its files are whole; or another one of them was found to be. What a run has taken, none takes again."""
        channel = await self._channel_rows.get_in(tx, recording.channel_id)
        if channel is None:
            return
        settings = self._channels.effective(channel).settings
        if settings.pipeline:
            files = await self._files.files_in(tx, recording.id)
            await self._begin_in(tx, Item(recording, None), files, settings.pipeline, settings.priority)

    async def downloaded_in(self, tx: Tx, download: Download) -> None:
        """It is whole: its file gets a row; what was on air may have several."""
        files = await files_of_download(download, self._places, self._db.clock.now())
        for file in files:
            stale = await self._files.file_at_in(tx, file.root, file.path)
            if stale is not None:  # of one that was here before
                await self._files.remove_file_in(tx, stale.id)
            await self._files.add_file_in(tx, file)
        if files and self._for_downloads:
            await self._begin_in(tx, Item(None, download), files, self._for_downloads, download.prio)

    async def _begin_in(self, tx: Tx, item: Item, files: Sequence[RecordedFile], name: str, prio: int) -> None:
        before = await self._runs.of_in(tx, item.id)
        fresh = _fresh(files, {taken for run in before if not run.by for taken in run.taken})
        if not fresh:
            return
        pipeline = await self._pipelines.get_in(tx, name)
        if pipeline is None:
            await self._tell_missing_in(tx, name, item.title, item.channel_id)
            return
        await self._start_in(tx, item, fresh, name, pipeline.spec, prio=prio, by="")

    async def settle(self) -> None:
        """At the start: what the configuration names is there, or it is told."""
        async with self._db.transaction() as tx:
            if self._for_downloads and await self._pipelines.get_in(tx, self._for_downloads) is None:
                await self._tell_missing_in(tx, self._for_downloads, "[download]", None)

    async def _tell_missing_in(self, tx: Tx, name: str, title: str, channel_id: str | None) -> None:
        if not title and channel_id and (channel := await self._channel_rows.get_in(tx, channel_id)) is not None:
            title = channel.name
        data = {"pipeline": name, "title": title}
        await self._notices.raise_in(tx, missing(name), "pipeline.missing", data=data, channel_id=channel_id)

    async def run_now(self, item: Item, name: str, *, by: str, prio: int = 0) -> PipelineRun:
        """Over all its originals. Raises: NotFound; Conflict while it is not over, or another run has it; BadOption: no files."""
        async with self._db.transaction() as tx:
            pipeline = await self._pipelines.get_in(tx, name)
            if pipeline is None:
                raise NotFound(f"there is no pipeline {name[:60]}")
            return await self._now_in(tx, item, name, pipeline.spec, prio, by)

    async def step_now(self, item: Item, step: Step, *, by: str) -> PipelineRun:
        """One step, in a run that has its name. It was checked. Raises: as `run_now`."""
        async with self._db.transaction() as tx:
            return await self._now_in(tx, item, step.name, (step,), 0, by)

    async def _now_in(self, tx: Tx, item: Item, name: str, steps: Steps, prio: int, by: str) -> PipelineRun:
        if not item.is_over:
            raise Conflict("it is not over yet: wait for its end")
        if item.recording is not None and item.recording.deleting_at is not None:
            raise Conflict("it is being deleted")
        going = next((run for run in await self._runs.of_in(tx, item.id) if run.state is _R.RUNNING), None)
        if going is not None:
            raise Conflict(f"the pipeline {going.pipeline} is run over it already", existing=going.id)
        files = _fresh(await self._files.files_in(tx, item.id), set())
        if not files:
            raise BadOption("it has no files that are whole")
        return await self._start_in(tx, item, files, name, steps, prio=prio, by=by)

    async def _start_in(
        self, tx: Tx, item: Item, files: Sequence[RecordedFile], name: str, steps: Steps, *, prio: int, by: str
    ) -> PipelineRun:
        now, ids = self._db.clock.now(), tuple(file.id for file in files)
        run = PipelineRun(
            id=new_id(now), pipeline=name, recording_id=item.recording.id if item.recording else "",
            download_id=item.download.id if item.download else "", steps=steps, at=0, taken=ids, files=ids,
            skipped=(), state=_R.RUNNING, job_id="", code=None, why=None, by=by, created_at=now,
        )  # fmt: skip
        await self._runs.add_in(tx, run)
        return await self._put_in(tx, run, prio, item.channel_id)

    # -- going on -----------------------------------------------------------------------------------------------------

    async def next_in(self, tx: Tx, job: Job, files: tuple[str, ...]) -> None:
        """The step of this job is done. Args: files: ids, for the next one."""
        run = await self._run_of(tx, job)
        if run is None or run.job_id != job.id:  # a step behind which it went on was done again
            return
        run = replace(run, at=run.at + 1, files=files)
        if run.state is _R.RUNNING:
            await self._go_on_in(tx, run, job.prio)
        else:  # it was cancelled meanwhile
            await self._runs.change_in(tx, run.id, at=run.at, files=run.files)

    async def _go_on_in(self, tx: Tx, run: PipelineRun, prio: int) -> None:
        channel_id = (await self._runs.about_in(tx, run)).channel_id
        await self._runs.change_in(tx, run.id, at=run.at, files=run.files, skipped=run.skipped)
        if run.step is not None:
            await self._put_in(tx, run, prio, channel_id)
            return
        await self._end_in(tx, run, _R.DONE, channel_id)

    async def _put_in(self, tx: Tx, run: PipelineRun, prio: int, channel_id: str | None) -> PipelineRun:
        """The job of the step at which it is."""
        assert run.step is not None
        name, shape = run.step.name, SHAPES.get(run.step.name)
        args, dedupe = {"run": run.id, "step": run.at}, f"run:{run.id}:{run.at}"
        job = await self._queue.put_in(tx, NewJob(name, args, shape.queue if shape else "media", dedupe, prio))
        await self._runs.change_in(tx, run.id, job_id=job.id)
        run = replace(run, job_id=job.id)
        _tell(tx, run, channel_id)
        return run

    async def _end_in(
        self,
        tx: Tx,
        run: PipelineRun,
        state: RunState,
        channel_id: str | None,
        code: str | None = None,
        why: str | None = None,
    ) -> None:
        ended = replace(run, state=move_run(run.state, state), code=code, why=why, ended_at=self._db.clock.now())
        values = {"state": ended.state, "code": code, "why": why, "ended_at": ended.ended_at}
        await self._runs.change_in(tx, run.id, **values)
        _tell(tx, ended, channel_id)
        if state is not _R.FAILED:
            await self._notices.over_in(tx, _key(run))

    # -- ends that are none of its own ------------------------------------------------------------------------------

    async def over_in(self, tx: Tx, job: Job, state: JobState, code: str | None, why: str | None) -> None:
        """For the queue."""
        run = await self._run_of(tx, job)
        if run is None or not _is_at(run, job) or state is JobState.DONE:
            return
        title, channel_id = await self._runs.about_in(tx, run)
        if state is JobState.CANCELLED:
            await self._end_in(tx, run, _R.CANCELLED, channel_id)
        elif run.step is not None and run.step.goes_on:
            await self._go_on_in(tx, replace(run, at=run.at + 1, skipped=(*run.skipped, run.at)), job.prio)
        else:
            await self._end_in(tx, run, _R.FAILED, channel_id, code, why)
            data = {"pipeline": run.pipeline, "title": title, "step": job.kind, "why": why or ""}
            await self._notices.raise_in(tx, _key(run), "pipeline.failed", data=data, channel_id=channel_id)

    async def again_in(self, tx: Tx, job: Job) -> None:
        """For the queue: the run is taken up where it was."""
        run = await self._run_of(tx, job)
        if run is not None and run.job_id == job.id and run.state is not _R.RUNNING:
            again = await self._again_in(tx, run)
            _tell(tx, again, (await self._runs.about_in(tx, run)).channel_id)

    async def _again_in(self, tx: Tx, run: PipelineRun) -> PipelineRun:
        again = replace(run, state=move_run(run.state, _R.RUNNING), code=None, why=None, ended_at=None)
        await self._runs.change_in(tx, run.id, state=again.state, code=None, why=None, ended_at=None)
        return again

    async def cancel(self, run_id: str) -> PipelineRun:
        """What its steps have made stays. Raises: NotFound; Conflict: it is over."""
        async with self._db.transaction() as tx:
            run = _there(await self._runs.get_in(tx, run_id), run_id)
            if run.state is not _R.RUNNING:
                raise Conflict(f"it is {run.state} already", id=run_id)
            await self._end_in(tx, run, _R.CANCELLED, (await self._runs.about_in(tx, run)).channel_id)
            await self._queue.abort_in(tx, run.job_id)
            return _there(await self._runs.get_in(tx, run_id), run_id)

    async def retry(self, run_id: str) -> PipelineRun:
        """From the step at which it was. Raises: NotFound; Conflict: it has not failed, and was not cancelled."""
        async with self._db.transaction() as tx:
            run = _there(await self._runs.get_in(tx, run_id), run_id)
            if run.state not in {_R.FAILED, _R.CANCELLED}:
                raise Conflict(f"it is {run.state}: there is nothing to try again", id=run_id)
            job = await self._queue.get_in(tx, run.job_id)
            if job.state is JobState.DONE:  # it was cancelled too late for that step
                await self._go_on_in(tx, await self._again_in(tx, run), job.prio)
            else:
                await self._queue.retry_in(tx, run.job_id)
            return _there(await self._runs.get_in(tx, run_id), run_id)

    # -- inside -------------------------------------------------------------------------------------------------------

    async def _run_of(self, tx: Tx, job: Job) -> PipelineRun | None:
        return await self._runs.get_in(tx, job.args["run"]) if "run" in job.args else None


def _is_at(run: PipelineRun, job: Job) -> bool:
    """Whether it waits for this job."""
    return run.state is _R.RUNNING and run.job_id == job.id


def _fresh(files: Sequence[RecordedFile], taken: set[str]) -> list[RecordedFile]:
    """Originals that are whole, but for those that were taken, or were made of such."""
    whole = [each for each in files if each.role is FileRole.ORIGINAL and each.state is FileState.CLOSED]
    return [each for each in whole if each.id not in taken and not taken.intersection(each.made_of)]


def _key(run: PipelineRun) -> str:
    return f"pipeline.failed:{run.id}"


def _tell(tx: Tx, run: PipelineRun, channel_id: str | None) -> None:
    data: dict[str, Any] = {
        "pipeline": run.pipeline, "recording": run.recording_id or None, "download": run.download_id or None,
        "state": run.state.value, "at": run.at, "step": run.step.name if run.step else None, "job": run.job_id,
        "code": run.code, "why": run.why,
    }  # fmt: skip
    tx.emit(Happening("pipeline.run", run.id, data, channel_id))


def _there(run: PipelineRun | None, run_id: str) -> PipelineRun:
    if run is None:
        raise NotFound(f"there is no run {run_id[:40]}")
    return run
