"""Pipelines and their runs, in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, insert, select, tuple_, update

from ouzel.model.pipelines import PipelineRun, RunState, Steps, steps_doc, stored_step, stored_steps
from ouzel.store.db import Db, Tx
from ouzel.store.named import NamedRepo
from ouzel.store.tables import channels, downloads, layers, pipeline_runs, pipelines, recordings
from ouzel.store.words import meant_by


class PipelineRepo(NamedRepo[Steps]):
    def __init__(self, db: Db) -> None:
        super().__init__(db, pipelines, stored_steps, steps_doc)

    async def users_in(self, tx: Tx, name: str) -> int:
        """How many channels and layers name it."""
        own = await tx.read(select(channels.c.settings).where(channels.c.deleted_at.is_(None)))
        shared = await tx.read(select(layers.c.settings))
        return sum(each["settings"].get("pipeline") == name for each in (*own, *shared))


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs. Empty: all."""

    recording: str | None = None
    download: str | None = None
    state: RunState | None = None
    word: str = ""
    """In the name of its pipeline, or the beginning of its id."""


class About(NamedTuple):
    """What a run is over."""

    title: str
    channel_id: str | None


class RunRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def get(self, run_id: str) -> PipelineRun | None:
        row = await self._db.one(select(pipeline_runs).where(pipeline_runs.c.id == run_id))
        return run_of(row) if row is not None else None

    async def get_in(self, tx: Tx, run_id: str) -> PipelineRun | None:
        row = await tx.one(select(pipeline_runs).where(pipeline_runs.c.id == run_id))
        return run_of(row) if row is not None else None

    async def of_in(self, tx: Tx, item: str) -> list[PipelineRun]:
        """Of a recording or download, the first ones first."""
        of = (pipeline_runs.c.recording_id == item) | (pipeline_runs.c.download_id == item)
        rows = await tx.read(select(pipeline_runs).where(of).order_by(pipeline_runs.c.created_at, pipeline_runs.c.id))
        return [run_of(row) for row in rows]

    async def about_in(self, tx: Tx, run: PipelineRun) -> About:
        """What it is over."""
        if run.recording_id:
            columns = select(recordings.c.title, recordings.c.channel_id, channels.c.name)
            columns = columns.join(channels, channels.c.id == recordings.c.channel_id, isouter=True)
            row = await tx.one(columns.where(recordings.c.id == run.recording_id))
            return About(row["title"] or row["name"] or "", row["channel_id"]) if row else About("", None)
        named = select(downloads.c.name, downloads.c.title, downloads.c.stem, downloads.c.address)
        row = await tx.one(named.where(downloads.c.id == run.download_id))
        return About(next((each for each in row.values() if each), "") if row else "", None)

    async def open_items(self) -> set[str]:
        """Recordings and downloads that something is being done with."""
        of = select(pipeline_runs.c.recording_id, pipeline_runs.c.download_id)
        rows = await self._db.read(of.where(pipeline_runs.c.state == RunState.RUNNING.value))
        return {row["recording_id"] or row["download_id"] for row in rows}

    async def page(
        self, which: RunFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[PipelineRun]:
        """The newest first. `before`: `created_at` and id of the last one that was read."""
        query = _filtered(select(pipeline_runs), which)
        if before is not None:
            query = query.where(tuple_(pipeline_runs.c.created_at, pipeline_runs.c.id) < before)
        query = query.order_by(pipeline_runs.c.created_at.desc(), pipeline_runs.c.id.desc()).limit(limit)
        return [run_of(row) for row in await self._db.read(query)]

    async def count(self, which: RunFilter) -> int:
        return await self._db.scalar(_filtered(select(func.count()).select_from(pipeline_runs), which))

    async def add_in(self, tx: Tx, run: PipelineRun) -> None:
        of = {"recording_id": run.recording_id or None, "download_id": run.download_id or None}
        lists = {"taken": [*run.taken], "files": [*run.files], "skipped": [*run.skipped]}
        steps = [each.doc() for each in run.steps]
        row = asdict(run) | of | lists | {"steps": steps, "state": run.state.value}
        await tx.execute(insert(pipeline_runs).values(row))

    async def change_in(self, tx: Tx, run_id: str, **values: Any) -> None:
        lists = {name: [*values[name]] for name in ("files", "skipped") if name in values}
        changed = values | lists | ({"state": values["state"].value} if "state" in values else {})
        await tx.execute(update(pipeline_runs).where(pipeline_runs.c.id == run_id).values(changed))


def _filtered(query: Select[Any], which: RunFilter) -> Select[Any]:
    for column, value in (
        (pipeline_runs.c.recording_id, which.recording),
        (pipeline_runs.c.download_id, which.download),
        (pipeline_runs.c.state, which.state),
    ):
        if value is not None:
            query = query.where(column == value)
    return query.where(meant_by(which.word, pipeline_runs.c.id, pipeline_runs.c.pipeline)) if which.word else query


def run_of(row: Mapping[Any, Any]) -> PipelineRun:
    fields: dict[str, Any] = {
        **row, "recording_id": row["recording_id"] or "", "download_id": row["download_id"] or "",
        "steps": tuple(map(stored_step, row["steps"])), "taken": tuple(row["taken"]), "files": tuple(row["files"]),
        "skipped": tuple(row["skipped"]), "state": RunState(row["state"]),
    }  # fmt: skip
    return PipelineRun(**fields)
