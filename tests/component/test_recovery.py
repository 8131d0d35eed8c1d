"""What a start makes of files that were being written: when their disk is not mounted, and when it comes back."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from tests.downloads import download
from tests.recordings import record

from ouzel.model.flow import Gap, GapCode
from ouzel.model.recording import RecordedFile, Recording
from ouzel.model.states import RecordingState
from ouzel.services.file_log import Begun, FileLog
from ouzel.services.recovery import Recovery
from ouzel.store.db import Db, Tx, open_db
from ouzel.store.recordings import RecordingRepo
from ouzel.store.tables.broadcasts import broadcasts, files, recordings
from ouzel.testing.clips import Clip
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


@dataclass
class Left:
    """A recording of two files on one disk: the first was never closed, the second was."""

    db: Db
    recovery: Recovery
    log: FileLog
    mounted: list[bool] = field(default_factory=lambda: [False])
    finished: list[str] = field(default_factory=list[str])

    @property
    def repo(self) -> RecordingRepo:
        return RecordingRepo(self.db)

    async def files(self) -> list[RecordedFile]:
        return (await self.repo.files(["r"]))["r"]


@pytest.fixture
async def left(tmp_path: Path, clip: Clip) -> AsyncGenerator[Left]:
    clock, root, mounted = FakeClock(), tmp_path / "recordings", [False]
    root.mkdir()
    record(root, clip, lost=[3], name="one", close=False)
    record(root, clip, name="two")
    async with open_db(tmp_path / "ouzel.db", clock) as db:
        await _fill(db)
        log = FileLog.open(tmp_path / "files.log")
        finished: list[str] = []

        async def on_finished(_tx: Tx, recording: Recording) -> None:
            finished.append(recording.id)

        recovery = Recovery(db, {"main": root}, log, is_there=lambda _: mounted[0], on_finished=on_finished)
        yield Left(db, recovery, log, mounted, finished)
        log.close()


async def _fill(db: Db) -> None:
    now = db.clock.now()
    show = {
        "id": "b", "channel_id": "c", "state": "live", "started_at": now, "told_start": False, "seen_at": now, "title": "",
        "category": "", "anchor": "", "cover": "", "skipped": False, "forced": False,
    }  # fmt: skip
    kept = {
        "id": "r", "broadcast_id": "b", "channel_id": "c", "state": "parked", "title": "", "started_at": now,
        "updated_at": now, "media_s": 23.0,
    }  # fmt: skip
    rows = [
        {
            "id": name, "recording_id": "r", "part": part, "root": "main", "path": f"{name}.ts", "state": state,
            "format": "ts", "bytes": size, "media_s": media_s, "gaps": 0, "opened_at": now,
        }
        for part, name, state, size, media_s in ((1, "one", "open", 0, 0.0), (2, "two", "closed", 10, 12.0))
    ]  # fmt: skip
    gaps = [Gap(at_s, GapCode.READ_ONLY, "", now, now + timedelta(seconds=2), 2.0) for at_s in (12.0, 15.0)]
    async with db.transaction() as tx:
        await tx.execute(insert(broadcasts).values(show))
        await tx.execute(insert(recordings).values(kept))
        await tx.execute(insert(files), rows)
        await RecordingRepo(db).set_gaps_in(tx, "r", gaps, since_s=0.0)


async def test_what_is_on_a_disk_that_is_not_mounted_stays_known(left: Left) -> None:
    await left.recovery.settle()
    assert [file.state.value for file in await left.files()] == ["open", "closed"]
    assert not left.recovery.swept


async def test_it_is_put_in_order_when_its_disk_is_back(left: Left) -> None:
    await left.recovery.settle()
    left.mounted[0] = True
    (recovered,) = await left.recovery.sweep(rest=True)

    assert recovered.outcome.value == "closed"
    one, two = await left.files()
    assert (one.state.value, one.media_s, two.media_s) == ("closed", pytest.approx(11.0, abs=0.1), 12.0)
    assert [gap.code.value for gap in await left.repo.gaps("r")] == ["segment_gone", "read_only", "read_only"]
    assert left.recovery.swept
    assert await left.recovery.sweep(rest=True) == []


async def test_a_sweep_leaves_downloads_to_who_goes_on_with_them(left: Left, tmp_path: Path, clip: Clip) -> None:
    left.mounted[0] = True
    await left.recovery.settle()
    part = download(tmp_path / "recordings", clip, lost=[3], name="film", close=False)
    before = part.read_bytes(), part.with_suffix("").with_suffix(".ledger").read_bytes()
    assert await left.recovery.sweep() == []
    assert (part.read_bytes(), part.with_suffix("").with_suffix(".ledger").read_bytes()) == before


async def test_what_comes_after_is_told_of_a_recording_that_is_over(left: Left) -> None:
    """Its last file could not be closed when it ended, and is closed now."""
    left.mounted[0] = True
    async with left.db.transaction() as tx:
        await left.repo.change_in(tx, "r", state=RecordingState.DONE)
    await left.recovery.settle()
    assert left.finished == ["r"]
    await left.recovery.settle()
    assert left.finished == ["r"]


async def test_what_was_moved_away_gets_no_second_row(left: Left) -> None:
    """It was noted when it was begun, and lies there still: its move was killed in its middle."""
    left.mounted[0] = True
    await left.recovery.settle()
    for moved in (True, False):
        before = {file.id: (file.root, file.path) for file in await left.files()}
        left.log.note(Begun("r", 2, "main", "two.ts", "ts"))
        async with left.db.transaction() as tx:
            was = {"was_root": "main", "was_path": "two.ts"} if moved else {"was_root": None, "was_path": None}
            await left.repo.change_file_in(tx, "two", root="other", **was)
        await left.recovery.settle()
        assert len(await left.files()) == len(before) + (not moved), "without that it would have been found"
