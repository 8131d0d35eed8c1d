"""The step `move`, over two folders: rows, files and ledgers, whatever comes between."""

from __future__ import annotations

import errno
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import insert, update
from tests.component.test_afterwards import S, Yard, fetched, open_yard
from tests.recordings import record

from ouzel.base.errors import BadOption, Conflict, InUse, ReadOnly
from ouzel.base.units import format_size
from ouzel.engine import ledgers, placing
from ouzel.model.pipelines import PipelineRun, RunState, parse_steps
from ouzel.model.recording import FileRole, FileState, Recording
from ouzel.model.states import RecordingState
from ouzel.services import old_places
from ouzel.services.download_files import erase
from ouzel.services.jobs import JobContext
from ouzel.services.noticing import Noticing
from ouzel.services.steps import Item, StepWork
from ouzel.services.storage import MARKER
from ouzel.store.downloads import DownloadRepo
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.pipelines import RunRepo
from ouzel.store.recordings import RecordingRepo
from ouzel.store.tables.broadcasts import files
from ouzel.store.tables.pipelines import pipeline_runs
from ouzel.testing.clips import Clip

pytestmark = pytest.mark.anyio
R = RunState
[MOVE] = parse_steps([{"step": "move", "to": "nas"}])


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncGenerator[Yard]:
    async with open_yard(tmp_path) as opened:
        yield opened


@pytest.fixture(params=["one file system", "two"])
def disks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    if request.param == "two":
        monkeypatch.setattr(placing.os, "link", refuse)
        monkeypatch.setattr(placing, "is_on_one_disk", lambda *_: False)


async def over(yard: Yard, *names: str, **settings: Any) -> Recording:
    """A recording that is over, with no pipeline of its own."""
    recording = await yard.recorded(*names, pipeline="", **settings)
    await yard.finish(recording)
    return await fresh(yard, recording)


async def fresh(yard: Yard, recording: Recording) -> Recording:
    found = await RecordingRepo(yard.lib.db).get(recording.id)
    assert found is not None
    return found


async def begin(yard: Yard, recording: Recording) -> PipelineRun:
    return await yard.afterwards.step_now(Item(recording, None), MOVE, by="me")


async def waits(yard: Yard, run: PipelineRun) -> None:
    """Until its job waits, and the supervisor sleeps."""
    await yard.job(run, S.WAITING)
    with anyio.fail_after(20):
        while not yard.lib.clock.sleepers or yard.supervisor.snapshot():
            await anyio.lowlevel.checkpoint()


async def places(yard: Yard, recording: Recording) -> list[tuple[str, str, str]]:
    return sorted((row.root, row.path, row.was_root) for row in await yard.rows(recording))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.usefixtures("disks")
async def test_all_files_go_with_their_ledgers(yard: Yard, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float, str]] = []
    monkeypatch.setattr(JobContext, "progress", lambda _self, share, words: told.append((share, words)))
    (yard.folder / "a").mkdir()
    media = record(yard.folder / "a", clip, name="show")
    digest, book = ledgers.digest(media), ledgers.ledger_path(media).read_bytes()
    recording = await over(yard)
    made = await yard.lib.file(recording, "a/show.ts", bytes=media.stat().st_size, media_s=12.0)
    poster = {"role": FileRole.POSTER, "made_of": (made.id,)}
    await yard.lib.file(recording, "a/show.poster.jpg", bytes=7, **poster)
    (yard.folder / "a" / "show.poster.jpg").write_text("picture")
    (yard.folder / "a" / "mine.txt").write_text("of somebody else")
    run = await begin(yard, recording)
    assert (run.pipeline, run.by) == ("move", "me")
    async with yard.at_work():
        run = await yard.until(R.DONE)
        job = await yard.queue.get(run.job_id)
    found = [("nas", "a/show.poster.jpg", ""), ("nas", "a/show.ts", "")]
    assert await places(yard, recording) == found
    assert names(yard.nas) == ["a/show.ledger", "a/show.poster.jpg", "a/show.ts"]
    assert names(yard.folder) == ["a/mine.txt"]
    assert ledgers.digest(yard.nas / "a" / "show.ts") == digest
    assert (yard.nas / "a" / "show.ledger").read_bytes() == book
    assert job.result == {"moved": 2, "bytes": media_bytes(yard.nas)}
    size = format_size(media_bytes(yard.nas))
    assert told[-1][0] == 1.0
    assert told[-1][1].startswith(f"{size}/{size} show.")
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    events = [event for event in await yard.lib.db.events_after(0) if event.code == "recording.file"]
    assert [event.data["root"] for event in events] == ["nas", "nas"]


def media_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def test_in_a_pipeline_the_next_step_finds_them_there(yard: Yard) -> None:
    chain = [{"step": "remux", "keep": True}, {"step": "move", "to": "nas"}, {"step": "command", "hook": "h"}]
    await yard.pipelines.add("p", chain, by="me")
    recording = await yard.recorded("1.ts", "2.ts")
    await yard.finish(recording)
    async with yard.at_work():
        await yard.until(R.DONE)
    assert [each.path for each in yard.did[-1].media] == [yard.nas / "1.mp4", yard.nas / "2.mp4"]
    assert names(yard.nas) == ["1.mp4", "1.ts", "2.mp4", "2.ts"], "what was kept goes, too"
    assert names(yard.folder) == []


async def test_a_root_that_there_is_not_is_told_when_it_is_set(yard: Yard) -> None:
    with pytest.raises(BadOption, match="no storage root 'tape'; there is recordings, nas"):
        await yard.pipelines.add("p", [{"step": "move", "to": "tape"}], by="me")


async def test_what_is_not_over_or_goes_is_not_moved(yard: Yard) -> None:
    recording = await yard.recorded("1.ts", pipeline="")
    with pytest.raises(Conflict, match="not over"):
        await begin(yard, recording)
    await yard.finish(recording)
    await yard.lib.change(recording, deleting_at=yard.lib.clock.now())
    with pytest.raises(Conflict, match="being deleted"):
        await begin(yard, await fresh(yard, recording))


async def test_one_that_comes_back_on_air_waits_and_is_then_moved(yard: Yard) -> None:
    recording = await over(yard, "1.ts")
    run = await begin(yard, recording)
    await yard.lib.change(recording, state=RecordingState.RECORDING)
    async with yard.at_work():
        await waits(yard, run)
        job = await yard.queue.get(run.job_id)
        assert (job.code, job.attempts, names(yard.nas)) == ("in_use", 0, [])
        await yard.lib.change(recording, state=RecordingState.DONE)
        yard.lib.clock.advance(30)
        await yard.until(R.DONE)
    assert names(yard.nas) == ["1.ts"]


async def test_one_that_comes_back_on_air_while_it_is_copied_is_left_where_it_is(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = await over(yard, "1.ts")
    place = placing.place

    async def and_back(*args: Any) -> bool:
        await yard.lib.change(recording, state=RecordingState.RECORDING)
        return await place(*args)

    monkeypatch.setattr(placing, "place", and_back)
    run = await begin(yard, recording)
    async with yard.at_work():
        await waits(yard, run)
    assert (names(yard.folder), names(yard.nas)) == (["1.ts"], [])
    assert await places(yard, recording) == [("recordings", "1.ts", "")]


async def test_files_of_another_run_stay_until_it_is_over(yard: Yard) -> None:
    recording = await over(yard, "1.ts", "2.ts")
    rows = await yard.rows(recording)
    run = await begin(yard, recording)
    other = {"id": "other", "pipeline": "p", "recording_id": recording.id, "steps": [{"step": "remux"}], "at": 0}
    lists: dict[str, Any] = {"taken": [rows[1].id], "files": [rows[1].id], "skipped": []}
    async with yard.lib.db.transaction() as tx:
        values = {"state": "running", "job_id": "", "by": "", "created_at": yard.lib.clock.now()}
        await tx.execute(insert(pipeline_runs).values(other | lists | values))
    async with yard.at_work():
        await yard.job(run, S.DONE)
        job = await yard.queue.get(run.job_id)
    assert (names(yard.folder), names(yard.nas)) == (["2.ts"], ["1.ts"])
    assert job.result == {"moved": 1, "bytes": 4, "left": 1}


async def test_of_two_that_move_the_same_one_waits_and_finds_it_done(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = await over(yard, "1.ts")
    run = await begin(yard, recording)
    other = replace(run, id="other")
    item = Item(recording, None)
    kind, place = yard.of_steps._steps.kinds["move"], placing.place
    tries: list[str] = []

    async def beside(*args: Any) -> bool:
        work = StepWork(other, 0, 1, item, [], [], MOVE.fields, lambda _share, _words: None)
        with pytest.raises(InUse, match="another run moves"):
            await kind.run(work)
        tries.append("refused")
        return await place(*args)

    monkeypatch.setattr(placing, "place", beside)
    async with yard.lib.db.transaction() as tx:
        await RunRepo(yard.lib.db).add_in(tx, other)
    async with yard.at_work():
        await yard.job(run, S.DONE)
    assert tries == ["refused"]
    assert (names(yard.folder), names(yard.nas)) == ([], ["1.ts"]), (
        "that another one waits for it holds it up in no way"
    )


@pytest.mark.usefixtures("disks")
async def test_without_room_it_waits_as_long_as_it_takes(
    yard: Yard, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = await over(yard, "1.ts")
    gate, is_apart = yard.gates["nas"], "two" in request.node.name
    gate.min_free_bytes = 997
    monkeypatch.setattr(gate, "free_bytes", lambda: 1000)  # of which four are asked for
    noticing = Noticing(yard.lib.db, yard.notices, sources=[yard.afterwards.troubles])
    run = await begin(yard, recording)
    async with yard.at_work():
        if is_apart:
            await waits(yard, run)
            job = await yard.queue.get(run.job_id)
            assert (job.code, job.attempts, names(yard.folder), names(yard.nas)) == ("no_room", 0, ["1.ts"], [])
            await noticing.look()
            [notice] = await yard.notices.page()
            assert (notice.code, notice.data) == ("move.no_room", {"jobs": 1, "why": job.why})
            assert "nas has" in (job.why or "")
            gate.min_free_bytes = 996
            yard.lib.clock.advance(30)
        await yard.until(R.DONE)
        await noticing.look()
    assert names(yard.nas) == ["1.ts"]
    assert await yard.notices.page() == []


async def test_onto_a_root_that_is_not_mounted_nothing_is_written(yard: Yard) -> None:
    recording = await over(yard, "1.ts")
    yard.gates["nas"].is_marked = True
    run = await begin(yard, recording)
    async with yard.at_work():
        await waits(yard, run)
        assert (await yard.queue.get(run.job_id)).code == "root_missing"
        assert names(yard.nas) == []
        (yard.nas / MARKER).touch()
        yard.lib.clock.advance(30)
        await yard.until(R.DONE)
    assert names(yard.nas) == [MARKER, "1.ts"]


async def test_another_file_of_that_name_stays_and_so_does_this_one(yard: Yard) -> None:
    recording = await over(yard, "1.ts", "2.ts")
    (yard.nas / "2.ts").write_text("of somebody else")
    await begin(yard, recording)
    async with yard.at_work():
        run = await yard.until(R.FAILED)
    assert run.code == "output_exists"
    assert await places(yard, recording) == [("nas", "1.ts", ""), ("recordings", "2.ts", "")]
    assert (names(yard.folder), (yard.nas / "2.ts").read_text()) == (["2.ts"], "of somebody else")


async def test_a_row_of_that_name_without_a_file_is_no_ones_either(yard: Yard) -> None:
    recording = await over(yard, "1.ts")
    other = await yard.lib.recording(state=RecordingState.DONE)
    await yard.lib.file(other, "1.ts", root="nas", state=FileState.LOST)
    await begin(yard, recording)
    async with yard.at_work():
        run = await yard.until(R.FAILED)
    assert run.code == "conflict"
    assert (names(yard.folder), names(yard.nas)) == (["1.ts"], []), "what was placed is taken back"


async def test_what_is_being_written_by_another_process_waits(yard: Yard, clip: Clip) -> None:
    media = record(yard.folder, clip, name="show")
    recording = await over(yard)
    await yard.lib.file(recording, "show.ts", bytes=media.stat().st_size)
    run = await begin(yard, recording)
    with ledgers.locked(ledgers.ledger_path(media)):
        async with yard.at_work():
            await waits(yard, run)
    assert (await yard.queue.get(run.job_id)).code == "in_use"
    assert names(yard.nas) == []


async def test_a_download_names_its_new_place(yard: Yard, tmp_path: Path) -> None:
    yard.folder = tmp_path / "elsewhere"  # outside of all roots
    yard.folder.mkdir()
    download = await fetched(yard, "a.ts")
    await yard.afterwards.step_now(Item(None, download), MOVE, by="me")
    async with yard.at_work():
        await yard.until(R.DONE)
    moved = await DownloadRepo(yard.lib.db, SqliteOwnership(yard.lib.db)).get(download.id)
    assert (moved.path, moved.folder) == (str(yard.nas / "downloads" / "a.ts"), download.folder)
    assert (names(yard.nas), names(yard.folder)) == (["downloads/a.ts"], [])
    await anyio.to_thread.run_sync(erase, moved, await yard.afterwards.files_of(download.id))
    assert names(yard.nas) == []


# -- broken off between its steps --------------------------------------------------------------------------------------


async def test_killed_before_the_rows_it_takes_what_is_there(yard: Yard) -> None:
    recording = await over(yard, "1.ts")
    (yard.nas / "1.ts").write_text("1.ts")  # whole, of the attempt before
    await begin(yard, recording)
    async with yard.at_work():
        await yard.until(R.DONE)
    assert (names(yard.folder), names(yard.nas)) == ([], ["1.ts"])


async def test_killed_behind_the_rows_what_lies_where_it_was_is_removed(yard: Yard) -> None:
    recording = await over(yard, "1.ts")
    (yard.nas / "1.ts").write_text("1.ts")
    await left(yard, recording)
    await begin(yard, recording)
    async with yard.at_work():
        await yard.until(R.DONE)
    assert (names(yard.folder), names(yard.nas)) == ([], ["1.ts"])
    assert await places(yard, recording) == [("nas", "1.ts", "")]


async def left(yard: Yard, recording: Recording) -> None:
    """As a kill leaves it behind the first transaction."""
    async with yard.lib.db.transaction() as tx:
        values = {"root": "nas", "path": "1.ts", "was_root": "recordings", "was_path": "1.ts"}
        await tx.execute(update(files).where(files.c.recording_id == recording.id).values(values))


async def test_a_start_removes_what_was_left_when_its_job_was_cancelled(yard: Yard) -> None:
    recording = await over(yard, "1.ts")
    await left(yard, recording)
    await yard.of_steps.settle()
    assert names(yard.folder) == ["1.ts"], "it is not at its new place: the old one is all there is"
    (yard.nas / "1.ts").write_text("1.ts")
    await yard.of_steps.settle()
    assert (names(yard.folder), names(yard.nas)) == ([], ["1.ts"])
    assert await places(yard, recording) == [("nas", "1.ts", "")]


async def test_what_cannot_be_removed_now_is_removed_later(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = await over(yard, "1.ts")
    remove = old_places.remove_named

    def refuse(root: Path, _path: str, _endings: object) -> None:
        raise ReadOnly(f"{root} cannot be written")

    monkeypatch.setattr(old_places, "remove_named", refuse)
    run = await begin(yard, recording)
    async with yard.at_work():
        await waits(yard, run)
        assert await places(yard, recording) == [("nas", "1.ts", "recordings")]
        assert (names(yard.folder), names(yard.nas)) == (["1.ts"], ["1.ts"])
        monkeypatch.setattr(old_places, "remove_named", remove)
        yard.lib.clock.advance(30)
        await yard.until(R.DONE)
    assert await places(yard, recording) == [("nas", "1.ts", "")]
    assert (names(yard.folder), names(yard.nas)) == ([], ["1.ts"])


async def test_one_that_is_cancelled_in_its_middle_is_where_it_was(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = await over(yard, "1.ts", "2.ts")
    place, begun = placing.place, anyio.Event()

    async def never(source: Path, target: Path, on_bytes: Any) -> bool:
        if source.name == "2.ts":
            begun.set()
            await anyio.sleep_forever()
        return await place(source, target, on_bytes)

    monkeypatch.setattr(placing, "place", never)
    run = await begin(yard, recording)
    async with yard.at_work():
        await begun.wait()
        await yard.afterwards.cancel(run.id)
        await yard.job(run, S.CANCELLED)
    assert await places(yard, recording) == [("nas", "1.ts", ""), ("recordings", "2.ts", "")]
    assert (names(yard.folder), names(yard.nas)) == (["2.ts"], ["1.ts"])
