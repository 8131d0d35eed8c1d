"""Jobs over the storage roots: rows against files, and what a crash has left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import insert, select

from ouzel.model.jobs import Job, JobState
from ouzel.services.file_jobs import CHECK_FILES, QUEUE, RECOVER, FileCheck, file_jobs
from ouzel.services.file_log import FileLog
from ouzel.services.jobs import JobContext, Jobs
from ouzel.services.recovery import Recovery
from ouzel.services.supervisor import Supervisor
from ouzel.store.db import Db, open_db
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.recordings import RecordingRepo
from ouzel.store.tables import broadcasts, files, recordings
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


@dataclass
class Depot:
    """A library with three files, and who looks after it."""

    db: Db
    jobs: Jobs
    root: Path

    async def run(self, kind: str) -> Job:
        job = await self.jobs.put(kind, {})
        with anyio.fail_after(20):
            while (found := await self.jobs.queue.get(job.id)).state is not JobState.DONE:
                assert found.state in {JobState.QUEUED, JobState.RUNNING}, found.why
                await anyio.lowlevel.checkpoint()
        return found

    async def states(self) -> dict[str, str]:
        return {row["id"]: row["state"] for row in await self.db.read(select(files.c.id, files.c.state))}


@pytest.fixture
async def depot(tmp_path: Path) -> AsyncGenerator[Depot]:
    clock = FakeClock()
    root = tmp_path / "recordings"
    root.mkdir()
    roots = {"main": root, "other": tmp_path / "not mounted"}
    async with open_db(tmp_path / "ouzel.db", clock) as db:
        await _fill(db, root)
        ownership = SqliteOwnership(db, lease_clock=clock.monotonic)
        queue = SqliteJobQueue(db, ownership)
        log = FileLog.open(tmp_path / "files.log")
        jobs = Jobs(queue, file_jobs(Recovery(db, roots, log), RecordingRepo(db), roots), {QUEUE: 1}, clock)
        supervisor = Supervisor(ownership, jobs.bodies(), clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            yield Depot(db, jobs, root)
            supervisor.stop(0)
        log.close()


async def _fill(db: Db, root: Path) -> None:
    now = db.clock.now()
    show = {
        "id": "b", "channel_id": "c", "state": "ended", "started_at": now, "told_start": False, "seen_at": now, "title": "",
        "category": "", "anchor": "", "cover": "", "skipped": False, "forced": False,
    }  # fmt: skip
    kept = {
        "id": "r", "broadcast_id": "b", "channel_id": "c", "state": "done", "title": "", "started_at": now, "updated_at": now,
    }  # fmt: skip
    rows = [
        {
            "id": f"f{n}", "recording_id": "r", "part": n, "root": where, "path": f"show/{n}.ts", "state": "closed",
            "format": "ts", "bytes": 10, "media_s": 1.0, "gaps": 0, "opened_at": now,
        }
        for n, where in ((1, "main"), (2, "main"), (3, "other"))
    ]  # fmt: skip
    async with db.transaction() as tx:
        await tx.execute(insert(broadcasts).values(show))
        await tx.execute(insert(recordings).values(kept))
        await tx.execute(insert(files), rows)
    (root / "show").mkdir()
    for n in (1, 2):
        (root / "show" / f"{n}.ts").write_bytes(b"x" * 10)


async def test_files_that_are_gone_are_marked_and_marked_again_when_they_are_back(depot: Depot) -> None:
    path = depot.root / "show" / "1.ts"
    path.unlink()
    (depot.root / "show" / "2.ts").write_bytes(b"other")

    job = await depot.run(CHECK_FILES)

    assert job.result == {"checked": 2, "lost": 1, "back": 0, "other_size": 1, "unreachable": 1}
    assert await depot.states() == {"f1": "lost", "f2": "closed", "f3": "closed"}
    path.write_bytes(b"x" * 10)
    assert (await depot.run(CHECK_FILES)).result == {
        "checked": 2, "lost": 0, "back": 1, "other_size": 1, "unreachable": 1,
    }  # fmt: skip
    assert await depot.states() == {"f1": "closed", "f2": "closed", "f3": "closed"}
    told = [each.data for each in await depot.db.events_after(0) if each.code == "recording.file"]
    assert told == [{"file": "f1", "state": "lost"}, {"file": "f1", "state": "closed"}]


async def test_what_is_moved_while_it_is_looked_for_is_not_lost(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    (depot.root / "show" / "1.ts").unlink()
    marked = FileCheck._mark

    async def and_moved(check: FileCheck, work: JobContext, moved: Sequence[Any]) -> None:
        async with depot.db.transaction() as tx:
            await RecordingRepo(depot.db).change_file_in(tx, "f1", root="other", path="show/1.ts")
        await marked(check, work, moved)

    monkeypatch.setattr(FileCheck, "_mark", and_moved)
    await depot.run(CHECK_FILES)
    assert await depot.states() == {"f1": "closed", "f2": "closed", "f3": "closed"}


async def test_a_disk_that_is_not_mounted_loses_nothing(depot: Depot) -> None:
    for path in (depot.root / "show").iterdir():
        path.unlink()
    (depot.root / "show").rmdir()

    job = await depot.run(CHECK_FILES)

    assert job.result == {"checked": 0, "lost": 0, "back": 0, "other_size": 0, "unreachable": 3}
    assert set((await depot.states()).values()) == {"closed"}


async def test_what_a_crash_has_left_is_removed_or_closed(depot: Depot) -> None:
    (depot.root / "show" / "9.mp4.converting").write_bytes(b"half")

    job = await depot.run(RECOVER)

    assert job.result == {"leftover": 1}
    assert not (depot.root / "show" / "9.mp4.converting").exists()
