"""Jobs that put what lies in the storage roots in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from ouzel.model.happening import Happening
from ouzel.model.recording import FileState, RecordedFile
from ouzel.services.jobs import JobContext, JobKind
from ouzel.services.recovery import Recovery
from ouzel.store.db import Tx
from ouzel.store.recordings import RecordingRepo

QUEUE = "disk"
RECOVER, CHECK_FILES = "recover", "check_files"


def file_jobs(recovery: Recovery, repo: RecordingRepo, roots: Mapping[str, Path]) -> list[JobKind]:
    """Args: roots: folders of the storage roots by name."""
    check = FileCheck(repo, roots)

    async def recover(work: JobContext) -> None:
        found = Counter(recovered.outcome.value for recovered in await recovery.sweep())
        await work.done(result=dict(found))

    return [JobKind(RECOVER, recover, QUEUE), JobKind(CHECK_FILES, check.run, QUEUE)]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it is on the disk."""

    file: RecordedFile
    size: int | None
    """None: it is not there."""

    @property
    def state(self) -> FileState:
        return FileState.LOST if self.size is None else FileState.CLOSED


class FileCheck:
    """Rows against files: what is not where it was is marked as lost, and what is back is marked as that.

    A root whose folder is missing or empty says nothing about its files: its disk may not be mounted.
    """

    def __init__(self, repo: RecordingRepo, roots: Mapping[str, Path]) -> None:
        self._repo = repo
        self._roots = roots

    async def run(self, work: JobContext) -> None:
        reachable = await anyio.to_thread.run_sync(_reachable, self._roots)
        found: Counter[str] = Counter(checked=0, lost=0, back=0, other_size=0, unreachable=0)
        after = ""
        while batch := await self._repo.settled_files(after=after):
            after = batch[-1].id
            there = [file for file in batch if file.root in reachable]
            seen = await anyio.to_thread.run_sync(_look, there, reachable)
            moved = [each for each in seen if each.state is not each.file.state]
            found["checked"] += len(seen)
            found["unreachable"] += len(batch) - len(there)
            found["lost"] += sum(each.state is FileState.LOST for each in seen)
            found["back"] += sum(each.state is FileState.CLOSED for each in moved)
            found["other_size"] += sum(each.size not in {None, each.file.bytes} for each in seen)
            if moved:
                await self._mark(work, moved)
            work.progress(None, f"{found['checked']} files")
        await work.done(result=dict(found))

    async def _mark(self, work: JobContext, moved: Sequence[_Seen]) -> None:
        async def write(tx: Tx) -> None:
            for each in moved:
                present = await self._repo.file_at_in(tx, each.file.root, each.file.path)
                if present is None or present.id != each.file.id:  # it was moved, or removed, meanwhile
                    continue
                await self._repo.change_file_in(tx, each.file.id, state=each.state)
                data = {"file": each.file.id, "state": each.state.value}
                of_recording = each.file.recording_id
                subject = of_recording or each.file.download_id
                tx.emit(Happening("recording.file" if of_recording else "download.changed", subject, data))

        await work.run.commit(write)


def _reachable(roots: Mapping[str, Path]) -> dict[str, Path]:
    """Blocking."""
    return {name: folder for name, folder in roots.items() if folder.is_dir() and any(folder.iterdir())}


def _look(files: Sequence[RecordedFile], roots: Mapping[str, Path]) -> list[_Seen]:
    """Blocking."""
    return [_Seen(file, _size(roots[file.root] / file.path)) for file in files]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None
