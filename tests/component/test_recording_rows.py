"""How often a recording is written down, with a real database, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import anyio
from tests.component.library import Library, library

from ouzel.model.recording import Recording
from ouzel.model.states import RecordingState
from ouzel.services.file_log import FileLog
from ouzel.services.recording_rows import RecordingRows, Sizes
from ouzel.store.db import Tx
from ouzel.store.recordings import RecordingRepo, Size
from ouzel.testing.virtual_time import simulate

T = TypeVar("T")


@dataclass
class Owner:
    """Of one recording, which it owns for good."""

    lib: Library
    epoch: int = 1
    commits: int = 0

    def owned(self) -> bool:
        return True

    async def commit(self, write: Callable[[Tx], Awaitable[T]]) -> T:
        self.commits += 1
        async with self.lib.db.transaction() as tx:
            return await write(tx)


def _counters() -> Any:
    return SimpleNamespace(media_s=0.0, missing_s=0.0, bytes=0, gaps=0, runs=1, reconnects=0)


@dataclass
class Played:
    """A recorder and its tape, as a test says."""

    state: RecordingState = RecordingState.RECORDING
    error: None = None
    counters: Any = field(
        default_factory=lambda: SimpleNamespace(media_s=0.0, missing_s=0.0, bytes=0, gaps=0, runs=1, reconnects=0)
    )
    gaps: list[Any] = field(default_factory=list[Any])


async def _row(lib: Library, recording: Recording) -> Recording:
    found = await RecordingRepo(lib.db).get(recording.id)
    assert found is not None
    return found


def test_what_only_grows_is_written_together(tmp_path: Path) -> None:
    async def play() -> None:
        async with library(tmp_path) as lib:
            await lib.channel()
            repo, log = RecordingRepo(lib.db), FileLog.open(tmp_path / "files.log")
            sizes = Sizes(lib.db, repo)
            recordings = [await lib.recording() for _ in range(10)]
            owners, shows = [Owner(lib) for _ in recordings], [Played() for _ in recordings]
            async with anyio.create_task_group() as tasks:
                for recording, owner, show in zip(recordings, owners, shows, strict=True):
                    told = (owner, repo, recording, "recordings", tmp_path, log, sizes)
                    rows = RecordingRows(*told, last_gap=-1)  # type: ignore[arg-type]
                    tasks.start_soon(rows.run, show, show)
                    await anyio.sleep(0.1)
                await anyio.sleep(10)
                before = lib.db.writes
                for _ in range(60):
                    for show in shows:
                        show.counters.bytes += 1000
                        show.counters.media_s += 1.0
                    await anyio.sleep(1)
                assert [owner.commits for owner in owners] == [1] * 10, "how it began"
                assert lib.db.writes - before <= 13
                assert min([(await _row(lib, each)).bytes for each in recordings]) >= 50_000

                shows[3].counters.gaps = 1
                await anyio.sleep(6)
                assert [owner.commits for owner in owners] == [1, 1, 1, 2, 1, 1, 1, 1, 1, 1]
                row = await _row(lib, recordings[3])
                assert (row.gaps, row.bytes, row.media_s) == (1, 60_000, 60.0)
                tasks.cancel_scope.cancel()
            log.close()

    simulate(play)


def test_a_size_of_an_earlier_epoch_changes_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        async with library(tmp_path) as lib:
            await lib.channel()
            mine, taken = await lib.recording(epoch=4, bytes=1), await lib.recording(epoch=5, bytes=1)
            async with lib.db.transaction() as tx:
                await RecordingRepo(lib.db).grow_in(tx, [Size(each.id, 4, 100, 2.0) for each in (mine, taken)])
            assert [(await _row(lib, each)).bytes for each in (mine, taken)] == [100, 1]

    simulate(play)


def test_a_last_word_is_not_overwritten_by_what_was_noted_before(tmp_path: Path) -> None:
    async def play() -> None:
        async with library(tmp_path) as lib:
            await lib.channel()
            done, other = await lib.recording(epoch=1), await lib.recording(epoch=1)
            sizes = Sizes(lib.db, RecordingRepo(lib.db))
            await sizes.note(Size(other.id, 1, 1, 1.0))
            await sizes.note(Size(done.id, 1, 10, 1.0))
            await anyio.sleep(6)
            async with anyio.create_task_group() as tasks, lib.db.transaction() as tx:
                tasks.start_soon(sizes.note, Size(other.id, 1, 2, 2.0))  # it waits for its turn
                await anyio.sleep(0.1)
                sizes.forget(done.id)
                await RecordingRepo(lib.db).change_in(tx, done.id, bytes=20)
            assert [(await _row(lib, each)).bytes for each in (done, other)] == [20, 2]

    simulate(play)
