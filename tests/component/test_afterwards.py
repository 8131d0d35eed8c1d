"""Runs of pipelines: begun with the end of a recording or download, step by step, to their end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import insert, select
from tests.component.library import Library, library
from tests.recordings import record

from ouzel.base.errors import BadOption, Conflict, ConnectionLost, DiskFull, NotFound, ToolFailed
from ouzel.base.ids import new_id
from ouzel.model.download_tasks import Download
from ouzel.model.downloads import DownloadState
from ouzel.model.jobs import JobState
from ouzel.model.pipelines import PipelineRun, RunState
from ouzel.model.recording import FileRole, FileState, RecordedFile, Recording
from ouzel.model.states import RecordingState
from ouzel.services.afterwards import Afterwards
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.channels import Channels
from ouzel.services.jobs import Jobs
from ouzel.services.notices import Notices
from ouzel.services.pipelines import Pipelines
from ouzel.services.places import Places
from ouzel.services.secrets import Secrets
from ouzel.services.step_jobs import QUEUES, StepJobs
from ouzel.services.step_move import move_kind
from ouzel.services.steps import Item, Made, MadeFile, StepKind, Steps, StepWork
from ouzel.services.storage import RootGate
from ouzel.services.supervisor import Supervisor
from ouzel.store.downloads import DownloadRepo
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.pipelines import RunFilter
from ouzel.store.recordings import RecordingRepo
from ouzel.store.tables import downloads
from ouzel.store.tables.ownership import owns
from ouzel.testing.clips import Clip

pytestmark = pytest.mark.anyio
R, S = RunState, JobState
Play = Callable[[StepWork], Awaitable[Made]]


async def nothing(work: StepWork) -> Made:
    return Made()


async def remux(work: StepWork) -> Made:
    """As the real one, of text."""
    made: list[MadeFile] = []
    for source in work.media:
        out = source.path.with_suffix(".mp4")
        out.write_text(source.path.read_text() + " as mp4")
        made.append(MadeFile(out, FileRole.PRODUCT, (source.row.id,), out.stat().st_size, source.row.media_s))
    gone = () if work.fields["keep"] else tuple(each.row.id for each in work.media)
    return Made(tuple(made), gone)


async def poster(work: StepWork) -> Made:
    source = work.media[0]
    out = source.path.with_suffix(".jpg")
    out.write_text("picture")
    return Made((MadeFile(out, FileRole.POSTER, (source.row.id,), 7),))


@dataclass
class Yard:
    """A library with what comes after its recordings. The clock stands still."""

    lib: Library
    folder: Path
    channels: Channels
    queue: SqliteJobQueue
    afterwards: Afterwards
    pipelines: Pipelines
    broadcasts: Broadcasts
    notices: Notices
    supervisor: Supervisor
    plays: dict[str, Play]
    room: list[str]
    did: list[StepWork]
    nas: Path
    gates: dict[str, RootGate]
    of_steps: StepJobs

    async def recorded(self, *names: str, pipeline: str = "p", **settings: Any) -> Recording:
        """A recording that runs, whose files are whole."""
        channel_id = await self.lib.channel(settings={"pipeline": pipeline, **settings})
        await self.channels.load()
        recording = await self.lib.recording(await self.lib.broadcast(channel_id))
        await self.more(recording, *names)
        return recording

    async def more(self, recording: Recording, *names: str) -> None:
        for name in names:
            (self.folder / name).write_text(name)
            await self.lib.file(recording, name, bytes=len(name), media_s=10.0, part=int(name[0]))

    async def finish(self, recording: Recording) -> None:
        async with self.lib.db.transaction() as tx:
            await self.broadcasts.finish_in(tx, recording)

    async def runs(self) -> list[PipelineRun]:
        return [*reversed(await self.afterwards.page(RunFilter()))]

    async def rows(self, recording: Recording) -> list[RecordedFile]:
        return (await RecordingRepo(self.lib.db).files([recording.id]))[recording.id]

    async def until(self, *states: RunState) -> PipelineRun:
        """The last run, when it is in one of these states."""
        with anyio.fail_after(20):
            while (found := (await self.runs())[-1]).state not in states:
                await anyio.lowlevel.checkpoint()
        return found

    async def job(self, run: PipelineRun, *states: JobState) -> None:
        """Until its job is in one of these states."""
        with anyio.fail_after(20):
            while (await self.queue.get((await self.afterwards.get(run.id)).job_id)).state not in states:
                await anyio.lowlevel.checkpoint()

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[None]:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.supervisor.run)
                try:
                    yield
                finally:
                    self.supervisor.stop(0)


@asynccontextmanager
async def open_yard(folder: Path) -> AsyncGenerator[Yard]:
    media = folder / "media"
    media.mkdir(exist_ok=True)
    async with library(folder) as lib:
        db, clock = lib.db, lib.clock
        ownership = SqliteOwnership(db, lease_clock=clock.monotonic)
        channels, queue, notices = Channels(db, Secrets(b"k" * 32).box), SqliteJobQueue(db, ownership), Notices(db)
        nas = folder / "nas"
        nas.mkdir(exist_ok=True)
        roots = {"recordings": media, "nas": nas}
        gates = {name: RootGate(name, path, min_free_bytes=0, probe_s=0.01) for name, path in roots.items()}
        places = Places(roots, lambda name: gates[name].require())
        afterwards = Afterwards(db, queue, channels, notices, places, "for downloads")
        plays: dict[str, Play] = {"remux": remux, "thumbnails": poster, "command": nothing}
        room: list[str] = []
        did: list[StepWork] = []

        def play(name: str) -> StepKind:
            async def run(work: StepWork) -> Made:
                did.append(work)
                return await plays[name](work)

            async def check(fields: Mapping[str, Any]) -> None:
                if fields.get("hook") == "nobody":
                    raise NotFound("there is no hook nobody")

            return StepKind(name, run, check)

        def check_room(root: str) -> None:
            if root in room:
                raise DiskFull(f"no room in {root}")

        steps = Steps([*(play(name) for name in plays), move_kind(places, gates, afterwards.held)])
        of_steps = StepJobs(db, steps, afterwards, DownloadRepo(db, ownership), places, check_room)
        jobs = Jobs(queue, of_steps.kinds(), dict.fromkeys(QUEUES, 1), clock, sleep=clock.sleep)
        yield Yard(
            lib, media, channels, queue, afterwards, Pipelines(db, steps.check),
            Broadcasts(db, channels, ownership, on_finished=afterwards.recorded_in), notices,
            Supervisor(ownership, jobs.bodies(), clock, settle=queue.settle, sleep=clock.sleep), plays, room, did, nas, gates,
            of_steps,
        )  # fmt: skip


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncGenerator[Yard]:
    async with open_yard(tmp_path) as opened:
        yield opened


REMUX = {"step": "remux", "format": "mp4"}
CHAIN = [REMUX, {"step": "thumbnails"}, {"step": "command", "hook": "h"}]


# -- the way of a run ----------------------------------------------------------------------------------------------------


async def test_a_recording_that_is_over_goes_through_its_pipeline(yard: Yard) -> None:
    await yard.pipelines.add("p", CHAIN, by="me")
    recording = await yard.recorded("1.ts", "2.ts", priority=5)
    await yard.finish(recording)
    [begun] = await yard.runs()
    assert (begun.state, begun.at, begun.by, begun.recording_id) == (R.RUNNING, 0, "", recording.id)
    assert (await yard.queue.get(begun.job_id)).prio == 5
    async with yard.at_work():
        run = await yard.until(R.DONE)
    assert (run.at, run.skipped, run.ended_at) == (3, (), yard.lib.clock.now())
    assert [work.run.steps[work.number].name for work in yard.did] == ["remux", "thumbnails", "command"]
    assert sorted(each.name for each in yard.folder.iterdir()) == ["1.jpg", "1.mp4", "2.mp4"]
    rows = {(each.path, each.role, each.part) for each in await yard.rows(recording)}
    poster_row = ("1.jpg", FileRole.POSTER, 1)
    assert rows == {("1.mp4", FileRole.ORIGINAL, 1), poster_row, ("2.mp4", FileRole.ORIGINAL, 2)}
    last = yard.did[-1]
    assert [each.path.name for each in last.media] == ["1.mp4", "2.mp4"]
    assert [each.path.name for each in last.files] == ["1.mp4", "2.mp4", "1.jpg"]
    assert {queue: row[S.DONE] for queue, row in (await yard.queue.stats()).items()} == {"media": 2, "hooks": 1}


async def test_what_is_kept_is_not_counted_twice(yard: Yard) -> None:
    await yard.pipelines.add("p", [{**REMUX, "keep": True}, {"step": "command", "hook": "h"}], by="me")
    recording = await yard.recorded("1.ts")
    await yard.finish(recording)
    async with yard.at_work():
        await yard.until(R.DONE)
    roles = {each.path: each.role for each in await yard.rows(recording)}
    assert roles == {"1.ts": FileRole.ORIGINAL, "1.mp4": FileRole.PRODUCT}
    assert (yard.folder / "1.ts").exists()
    assert [each.path.name for each in yard.did[-1].media] == ["1.mp4"]
    assert sorted(each.path.name for each in yard.did[-1].all_files) == ["1.mp4", "1.ts"]
    async with yard.lib.db.transaction() as tx:
        kept = await RecordingRepo(yard.lib.db).totals_in(tx, recording.id)
    assert (kept["bytes"], kept["media_s"]) == (4, 10.0)


async def test_what_has_replaced_an_original_is_counted(yard: Yard) -> None:
    await yard.pipelines.add("p", [REMUX], by="me")
    recording = await yard.recorded("1.ts")
    await yard.finish(recording)
    async with yard.at_work():
        await yard.until(R.DONE)
    after = await RecordingRepo(yard.lib.db).get(recording.id)
    assert after is not None
    assert (after.bytes, after.media_s) == (len("1.ts as mp4"), 10.0)


async def test_without_a_pipeline_and_without_files_there_is_no_run(yard: Yard) -> None:
    await yard.pipelines.add("p", [REMUX], by="me")
    await yard.finish(await yard.recorded())
    assert await yard.runs() == []


async def test_a_pipeline_that_is_gone_is_told(yard: Yard) -> None:
    await yard.finish(await yard.recorded("1.ts", pipeline="gone"))
    assert await yard.runs() == []
    [notice] = await yard.notices.page()
    assert (notice.code, notice.data) == ("pipeline.missing", {"pipeline": "gone", "title": "title"})
    await yard.pipelines.add("gone", [REMUX], by="me")
    assert await yard.notices.page() == []


async def test_what_the_configuration_names_is_looked_for_at_the_start(yard: Yard) -> None:
    await yard.afterwards.settle()
    [notice] = await yard.notices.page()
    assert (notice.code, notice.data) == ("pipeline.missing", {"pipeline": "for downloads", "title": "[download]"})
    await yard.pipelines.add("for downloads", [REMUX], by="me")
    await yard.afterwards.settle()
    assert await yard.notices.page() == []


async def test_a_channel_that_was_removed_has_what_comes_after_all_the_same(yard: Yard) -> None:
    await yard.pipelines.add("p", [REMUX], by="me")
    recording = await yard.recorded("1.ts")
    await yard.lib.change_channel("c1", deleted_at=yard.lib.clock.now())
    await yard.channels.load()
    await yard.finish(recording)
    assert [run.recording_id for run in await yard.runs()] == [recording.id]


async def test_a_recording_that_comes_back_has_a_run_for_what_is_new(yard: Yard) -> None:
    await yard.pipelines.add("p", [REMUX], by="me")
    recording = await yard.recorded("1.ts")
    async with yard.at_work():
        await yard.finish(recording)
        await yard.until(R.DONE)
        await yard.finish(recording)
        assert len(await yard.runs()) == 1
        await yard.more(recording, "2.ts")
        yard.lib.clock.advance(60)
        await yard.finish(recording)
        assert len(await yard.runs()) == 2
        await yard.until(R.DONE)
    assert [each.path.name for each in yard.did[-1].media] == ["2.ts"]
    assert [each.path for each in await yard.rows(recording)] == ["1.mp4", "2.mp4"]


# -- failing -------------------------------------------------------------------------------------------------------------


async def test_a_step_that_fails_ends_its_run_with_a_notice_and_retry_takes_it_up(yard: Yard) -> None:
    async def fail(work: StepWork) -> Made:
        raise ToolFailed("it broke")

    await yard.pipelines.add("p", [REMUX, {"step": "command", "hook": "h"}], by="me")
    yard.plays["command"] = fail
    recording = await yard.recorded("1.ts")
    await yard.finish(recording)
    async with yard.at_work():
        run = await yard.until(R.FAILED)
        assert (run.at, run.code, run.why) == (1, "tool_failed", "it broke")
        [notice] = await yard.notices.page()
        about = {"pipeline": "p", "title": "title", "step": "command", "why": "it broke"}
        assert (notice.code, notice.data, notice.channel_id, notice.is_open) == ("pipeline.failed", about, "c1", True)
        yard.plays["command"] = nothing
        await yard.queue.retry(run.job_id)
        run = await yard.until(R.DONE)
    assert (run.code, run.why) == (None, None)
    assert (len(yard.did), await yard.notices.page()) == (3, [])


async def test_what_has_no_title_is_told_by_its_channel(yard: Yard) -> None:
    async def fail(work: StepWork) -> Made:
        raise ToolFailed("it broke")

    await yard.pipelines.add("p", [{"step": "command", "hook": "h"}], by="me")
    yard.plays["command"] = fail
    recording = await yard.recorded("1.ts")
    await yard.lib.change(recording, title="")
    await yard.finish(replace(recording, title=""))
    async with yard.at_work():
        await yard.until(R.FAILED)
    [notice] = await yard.notices.page()
    assert (notice.code, notice.data["title"]) == ("pipeline.failed", "name of c1")


async def test_behind_pictures_that_cannot_be_made_the_run_goes_on(yard: Yard) -> None:
    async def fail(work: StepWork) -> Made:
        raise ToolFailed("no picture")

    await yard.pipelines.add("p", CHAIN, by="me")
    yard.plays["thumbnails"] = fail
    await yard.finish(await yard.recorded("1.ts"))
    async with yard.at_work():
        run = await yard.until(R.DONE)
        assert (run.skipped, await yard.notices.page()) == ((1,), [])
        yard.plays["thumbnails"] = poster
        [failed] = await yard.queue.page(states=frozenset({S.FAILED}))
        await yard.queue.retry(failed.id)
        with anyio.fail_after(20):
            while (await yard.queue.get(failed.id)).state is not S.DONE:
                await anyio.lowlevel.checkpoint()
    assert (yard.folder / "1.jpg").exists()
    assert await yard.afterwards.get(run.id) == run


async def test_a_step_is_tried_again_while_that_can_help(yard: Yard) -> None:
    async def play(work: StepWork) -> Made:
        if work.attempt == 1:
            raise ConnectionLost("it broke")
        return Made()

    await yard.pipelines.add("p", [{"step": "command", "hook": "h"}], by="me")
    yard.plays["command"] = play
    await yard.finish(await yard.recorded("1.ts"))
    async with yard.at_work():
        [run] = await yard.runs()
        await yard.job(run, S.WAITING)
        assert (await yard.until(R.RUNNING)).at == 0
        with anyio.fail_after(20):
            while not yard.lib.clock.sleepers or yard.supervisor.snapshot():
                await anyio.lowlevel.checkpoint()
        yard.lib.clock.advance(5)
        await yard.until(R.DONE)


async def test_a_full_disk_is_waited_for_as_long_as_it_takes(yard: Yard) -> None:
    await yard.pipelines.add("p", [REMUX], by="me")
    yard.room.append("recordings")
    await yard.finish(await yard.recorded("1.ts"))
    async with yard.at_work():
        [run] = await yard.runs()
        for _ in range(8):
            await yard.job(run, S.WAITING)
            with anyio.fail_after(20):
                while not yard.lib.clock.sleepers or yard.supervisor.snapshot():
                    await anyio.lowlevel.checkpoint()
            assert (await yard.queue.get(run.job_id)).code == "disk_full"
            yard.lib.clock.advance(30)
        yard.room.clear()
        yard.lib.clock.advance(30)
        await yard.until(R.DONE)


async def test_what_needs_no_room_is_done_where_there_is_none(yard: Yard) -> None:
    await yard.pipelines.add("p", [{"step": "command", "hook": "h"}], by="me")
    yard.room.append("recordings")
    await yard.finish(await yard.recorded("1.ts"))
    async with yard.at_work():
        await yard.until(R.DONE)


async def test_where_its_files_are_gone_a_step_fails(yard: Yard) -> None:
    await yard.pipelines.add("p", [REMUX], by="me")
    recording = await yard.recorded("1.ts")
    await yard.finish(recording)
    [row] = await yard.rows(recording)
    async with yard.lib.db.transaction() as tx:
        await RecordingRepo(yard.lib.db).change_file_in(tx, row.id, state=FileState.LOST)
    async with yard.at_work():
        run = await yard.until(R.FAILED)
    assert (run.code, run.why) == ("not_found", "none of its files is there any more")


async def test_a_product_that_is_there_from_before_a_kill_is_written_once(yard: Yard) -> None:
    """As if it was killed when the original was removed, and that was not written down yet."""
    await yard.pipelines.add("p", [REMUX], by="me")
    recording = await yard.recorded("1.ts")
    await yard.finish(recording)
    [row] = await yard.rows(recording)
    await yard.lib.file(recording, "1.mp4", role=FileRole.PRODUCT, made_of=(row.id,), bytes=3, media_s=10.0)
    (yard.folder / "1.ts").rename(yard.folder / "1.mp4")
    found: list[MadeFile] = []

    async def again(work: StepWork) -> Made:
        [source] = work.media
        known = work.made_of([source], yard.folder / "1.mp4")
        assert known is not None
        found.append(MadeFile(known.path, FileRole.PRODUCT, (source.row.id,), known.row.bytes, known.row.media_s))
        return Made((found[0],), (source.row.id,))

    yard.plays["remux"] = again
    async with yard.at_work():
        await yard.until(R.DONE)
    [left] = await yard.rows(recording)
    assert (left.path, left.role, left.bytes) == ("1.mp4", FileRole.ORIGINAL, 3)


# -- by hand -------------------------------------------------------------------------------------------------------------


async def test_a_pipeline_is_run_now(yard: Yard) -> None:
    await yard.pipelines.add("p", [REMUX], by="me")
    await yard.pipelines.add("q", [{"step": "command", "hook": "h"}], by="me")
    recording = await yard.recorded("1.ts", pipeline="")
    with pytest.raises(Conflict, match="not over yet"):
        await yard.afterwards.run_now(Item(recording, None), "q", by="me")
    await yard.finish(recording)
    assert await yard.runs() == []
    item = Item(await RecordingRepo(yard.lib.db).get(recording.id), None)
    with pytest.raises(NotFound):
        await yard.afterwards.run_now(item, "no such", by="me")
    run = await yard.afterwards.run_now(item, "q", by="me")
    assert (run.by, run.pipeline, await yard.afterwards.in_use()) == ("me", "q", {recording.id})
    with pytest.raises(Conflict, match="already"):
        await yard.afterwards.run_now(item, "p", by="me")
    async with yard.at_work():
        await yard.until(R.DONE)
        assert await yard.afterwards.in_use() == set()
        yard.lib.clock.advance(1)
        await yard.afterwards.run_now(item, "q", by="me")
        await yard.until(R.DONE)
    assert len(yard.did) == 2


async def test_a_run_without_files_is_refused(yard: Yard) -> None:
    await yard.pipelines.add("p", [REMUX], by="me")
    done = await yard.lib.recording(state=RecordingState.DONE)
    with pytest.raises(BadOption, match="no files"):
        await yard.afterwards.run_now(Item(done, None), "p", by="me")


async def test_a_run_is_cancelled_and_taken_up_again(yard: Yard) -> None:
    async def forever(work: StepWork) -> Made:
        await anyio.sleep_forever()
        raise AssertionError

    await yard.pipelines.add("p", [REMUX, {"step": "command", "hook": "h"}], by="me")
    yard.plays["command"] = forever
    await yard.finish(await yard.recorded("1.ts"))
    async with yard.at_work():
        [run] = await yard.runs()
        with anyio.fail_after(20):
            while len(yard.did) < 2:
                await anyio.lowlevel.checkpoint()
        cancelled = await yard.afterwards.cancel(run.id)
        assert (cancelled.state, cancelled.at) == (R.CANCELLED, 1)
        await yard.job(run, S.CANCELLED)
        with pytest.raises(Conflict):
            await yard.afterwards.cancel(run.id)
        yard.plays["command"] = nothing
        assert (await yard.afterwards.retry(run.id)).state is R.RUNNING
        await yard.until(R.DONE)
        with pytest.raises(Conflict):
            await yard.afterwards.retry(run.id)
    assert (await yard.queue.stats())["hooks"][S.DONE] == 1


async def test_a_job_that_is_cancelled_cancels_its_run(yard: Yard) -> None:
    await yard.pipelines.add("p", [REMUX], by="me")
    await yard.finish(await yard.recorded("1.ts"))
    [run] = await yard.runs()
    await yard.queue.abort(run.job_id)
    assert (await yard.afterwards.get(run.id)).state is R.CANCELLED
    assert await yard.lib.db.read(select(owns.c.key)) == []


async def test_a_run_that_was_cancelled_too_late_for_its_step_goes_on_with_the_next(yard: Yard) -> None:
    async def play(work: StepWork) -> Made:
        await yard.afterwards.cancel(work.run.id)
        return await remux(work)

    await yard.pipelines.add("p", [REMUX, {"step": "command", "hook": "h"}], by="me")
    yard.plays["remux"] = play
    recording = await yard.recorded("1.ts")
    await yard.finish(recording)
    async with yard.at_work():
        [run] = await yard.runs()
        await yard.job(run, S.DONE, S.CANCELLED)
        await yard.afterwards.retry(run.id)
        yard.plays["remux"] = remux
        await yard.until(R.DONE)
    assert [each.path for each in await yard.rows(recording)] == ["1.mp4"]


# -- downloads -----------------------------------------------------------------------------------------------------------


async def fetched(yard: Yard, name: str, **more: Any) -> Download:
    """A row of one that is whole, as its end leaves it."""
    now = yard.lib.clock.now()
    path = yard.folder / "films" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(name)
    values: dict[str, Any] = {each.name: None for each in fields(Download)} | {
        "id": new_id(now), "name": name, "address": "https://example.org", "url": "https://example.org", "target": name,
        "folder": str(path.parent), "stem": name, "state": DownloadState.COMPLETED, "prio": 3, "profile": "", "wish": {},
        "metadata": {}, "retries": 0, "epoch": 0, "revision": 1, "title": "a film", "pieces": 1, "pieces_done": 1,
        "bytes": 4, "media_done_s": 5.0, "media_s": 5.0, "gaps": 2, "path": str(path), "format": "ts", "tracks": (),
        "warnings": (), "created_at": now, "pinned": False,
    }  # fmt: skip
    download = Download(**(values | more))
    async with yard.lib.db.transaction() as tx:
        row = asdict(download) | {"state": "completed", "tracks": [*download.tracks]}
        await tx.execute(insert(downloads).values(row))
        await yard.afterwards.downloaded_in(tx, download)
    return download


async def test_a_download_has_its_file_among_the_others(yard: Yard) -> None:
    await yard.pipelines.add("for downloads", [REMUX, {"step": "command", "hook": "h"}], by="me")
    download = await fetched(yard, "a.ts")
    [run] = await yard.runs()
    assert (run.download_id, run.recording_id, run.state) == (download.id, "", R.RUNNING)
    async with yard.lib.db.transaction() as tx:
        [file] = await RecordingRepo(yard.lib.db).files_in(tx, download.id)
    assert (file.root, file.path, file.bytes, file.media_s, file.gaps) == ("recordings", "films/a.ts", 4, 5.0, 2)
    async with yard.at_work():
        await yard.until(R.DONE)
    row = await yard.lib.db.one(select(downloads.c.path, downloads.c.format, downloads.c.bytes))
    assert row is not None
    made = yard.folder / "films" / "a.mp4"
    assert (row["path"], row["format"], row["bytes"]) == (str(made), "mp4", len("a.ts as mp4"))
    assert await yard.afterwards.files_of(download.id) == [made]
    assert (yard.did[-1].item.title, yard.did[-1].item.channel_id) == ("a.ts", None)


async def test_a_file_outside_of_all_roots_has_its_folder_as_its_root(yard: Yard, tmp_path: Path) -> None:
    yard.folder = tmp_path / "elsewhere"
    yard.folder.mkdir()
    download = await fetched(yard, "a.ts")
    async with yard.lib.db.transaction() as tx:
        [file] = await RecordingRepo(yard.lib.db).files_in(tx, download.id)
    assert (file.root, file.path) == (str(yard.folder / "films"), "a.ts")
    assert await yard.afterwards.files_of(download.id) == [yard.folder / "films" / "a.ts"]
    [notice] = await yard.notices.page()
    assert (notice.code, notice.data) == ("pipeline.missing", {"pipeline": "for downloads", "title": "a.ts"})


async def test_what_was_on_air_has_all_its_files_among_the_others(yard: Yard, clip: Clip) -> None:
    folder = yard.folder / "films"
    folder.mkdir()
    first, second = record(folder, clip, name="a", lost=[3]), record(folder, clip, name="a-002")
    download = await fetched(yard, "b.ts", path=str(first), tracks=(str(second),), pieces=0)
    async with yard.lib.db.transaction() as tx:
        files = await RecordingRepo(yard.lib.db).files_in(tx, download.id)
    assert [(file.path, file.part, file.gaps) for file in files] == [("films/a.ts", 1, 1), ("films/a-002.ts", 2, 0)]
    assert [file.bytes for file in files] == [first.stat().st_size, second.stat().st_size]
    assert all(file.media_s > 10 for file in files)


def test_a_root_that_is_gone_is_told() -> None:
    with pytest.raises(NotFound, match="no storage root nas; there is main"):
        Places({"main": Path("/m")}).folder("nas")
    assert Places({"main": Path("/m")}).place(Path("/m/a/b.ts")) == ("main", "a/b.ts")
    assert Places({"main": Path("/m")}).place(Path("/n/a/b.ts"), "/n") == ("/n", "a/b.ts")
