"""What was being written when the process died: closed, measured, and joined to the recordings that go on.

Files that have rows are put in order before anything is recorded. So is what has none: a file whose row was not written any
more, though it was noted, or tells in its ledger to which recording it belongs. Where storage roots are so large, or slow, that
looking for these takes long, the rest is looked at while recordings run.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio.to_thread

from ouzel.base.errors import NotALedger, StorageError
from ouzel.base.ids import new_id
from ouzel.engine import ledgers
from ouzel.engine.ledgers import Held
from ouzel.engine.recover import recover_files, unfinished_in
from ouzel.engine.sinks.file import CONVERTING, PART
from ouzel.model.recording import FileRole, FileState, RecordedFile, Recording
from ouzel.model.recovery import Outcome, Recovered
from ouzel.model.states import RecordingState
from ouzel.services.file_log import FileLog
from ouzel.store.db import Db, Tx
from ouzel.store.recordings import RecordingRepo

_log = logging.getLogger(__name__)
_SWEEP_S = 10.0
"""For each storage root, before recordings begin."""
_LEFT_ALONE = frozenset({Outcome.BUSY, Outcome.UNREADABLE, Outcome.BLOCKED, Outcome.FAILED})
_RUNNING = frozenset(
    {RecordingState.CONNECTING, RecordingState.RECORDING, RecordingState.PAUSED, RecordingState.FINISHING}
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a start has found."""

    files: tuple[Recovered, ...]
    recordings: int
    """That were running."""


class Recovery:
    """Args:
    roots: folders of the storage roots by name.
    log: of the process before.
    is_there: whether a root is what it was; False while its disk is not mounted. Blocking.
    on_finished: told, in the same transaction, of a recording that is over when a file of it was put in order.
    """

    def __init__(
        self,
        db: Db,
        roots: Mapping[str, Path],
        log: FileLog,
        *,
        is_there: Callable[[str], bool] = lambda _root: True,
        on_finished: Callable[[Tx, Recording], Awaitable[None]] | None = None,
    ) -> None:
        self._log = log
        self._is_there = is_there
        self._on_finished = on_finished
        self._unswept = {*roots}
        self._db = db
        self._repo = RecordingRepo(db)
        self._roots = roots

    @property
    def swept(self) -> bool:
        """Whether all storage roots were looked through."""
        return not self._unswept

    async def settle(self) -> Settled:
        """To be called before anything is recorded. What goes wrong with one file is told of that file."""
        await self._make_rows()
        there = await anyio.to_thread.run_sync(lambda: {name for name in self._roots if self._is_there(name)})
        files = [file for file in await self._repo.open_files() if file.root in there]
        done = await recover_files([path for file in files for path in self._leftovers(file)], ours=True)
        for file in files:
            await self._put_in_order(file)
        done += await self.sweep(limit_s=_SWEEP_S)
        running = [recording for recording in await self._repo.open() if recording.state in _RUNNING]
        async with self._db.transaction() as tx:
            for recording in running:
                state = RecordingState.PARKED if recording.media_s else RecordingState.WAITING
                await self._repo.change_in(tx, recording.id, state=state)
        for recovered in done:
            level = logging.WARNING if recovered.outcome in _LEFT_ALONE else logging.INFO
            _log.log(level, "recovered: %s (%s) %s", recovered.path, recovered.outcome.value, recovered.detail)
        return Settled(tuple(done), len(running))

    async def sweep(self, *, limit_s: float = math.inf, rest: bool = False) -> list[Recovered]:
        """Whatever else unfinished lies in the storage roots. Files that are being written now are left alone.

        Args:
            rest: only in those that were not looked through yet.
        """
        done: list[Recovered] = []
        for name, folder in self._roots.items():
            if (rest and name not in self._unswept) or not await anyio.to_thread.run_sync(self._is_there, name):
                continue
            paths, all_of_it = await anyio.to_thread.run_sync(partial(unfinished_in, folder, limit_s=limit_s))
            if all_of_it:
                self._unswept.discard(name)
            for recovered in await recover_files(paths):
                if recovered.outcome not in {Outcome.BUSY, Outcome.DOWNLOAD}:
                    done.append(recovered)
                    await self._join(name, folder, recovered)
        return done

    async def _make_rows(self) -> None:
        """Of files that were begun when there was no more time for them."""
        now = self._db.clock.now()
        async with self._db.transaction() as tx:
            for begun in await anyio.to_thread.run_sync(self._log.read):
                recording = await self._repo.get_in(tx, begun.recording)
                if recording is None or await self._is_known_in(tx, begun.root, begun.path):
                    continue
                file = RecordedFile(
                    id=new_id(now), recording_id=begun.recording, part=begun.part, root=begun.root, path=begun.path,
                    state=FileState.OPEN, format=begun.format, opened_at=recording.started_at,
                )  # fmt: skip
                await self._repo.add_file_in(tx, file)
        self._log.clear()

    async def _is_known_in(self, tx: Tx, root: str, path: str) -> bool:
        """Also of one that was moved away, and is still to be removed there."""
        at = await self._repo.file_at_in(tx, root, path)
        return at is not None or await self._repo.file_was_at_in(tx, root, path) is not None

    def _leftovers(self, file: RecordedFile) -> list[Path]:
        if (folder := self._roots.get(file.root)) is None:
            return []
        path = folder / file.path
        return [path.with_name(path.name + PART), *path.parent.glob(f"{_literal(path.stem)}.*{CONVERTING}")]

    async def _put_in_order(self, file: RecordedFile) -> None:
        folder = self._roots.get(file.root)
        if folder is None:
            return
        path = folder / file.path
        held, size = await anyio.to_thread.run_sync(_look, path)
        if size is None and await anyio.Path(path.with_name(path.name + PART)).exists():
            return  # it could not be closed: the next start tries again
        files = (await self._repo.files([file.recording_id]))[file.recording_id]
        files = [each for each in files if each.role is FileRole.ORIGINAL]
        before_s = sum(f.media_s for f in files if f.part < file.part)
        is_last = all(f.part <= file.part for f in files)
        async with self._db.transaction() as tx:
            if held is None and size is None:
                await self._repo.remove_file_in(tx, file.id)
            elif held is None:
                await self._repo.change_file_in(tx, file.id, state=FileState.CLOSED, bytes=size)
            else:
                ledger = held.ledger
                await self._repo.change_file_in(
                    tx, file.id, state=FileState.CLOSED, bytes=size, media_s=ledger.media_s, gaps=len(ledger.gaps),
                    closed_at=ledger.closing.wall if ledger.closing else None,
                )  # fmt: skip
                gaps = [replace(gap, at_s=gap.at_s + before_s) for gap in ledger.gaps]
                until_s = math.inf if is_last else before_s + ledger.media_s
                await self._repo.set_gaps_in(tx, file.recording_id, gaps, since_s=before_s, until_s=until_s)
            await self._recount_in(tx, file.recording_id)

    async def _join(self, root: str, folder: Path, recovered: Recovered) -> None:
        """A file without a row, by what its ledger says; or one whose row is still open."""
        path = Path(recovered.path)
        inside = path.relative_to(folder).as_posix()
        left = next((file for file in await self._repo.open_files() if (file.root, file.path) == (root, inside)), None)
        if left is not None:
            await self._put_in_order(left)
            return
        held, size = await anyio.to_thread.run_sync(_look, path)
        if held is None or size is None or not held.opening.recording:
            return
        recording = await self._repo.get(held.opening.recording)
        if recording is None:
            return
        now = self._db.clock.now()
        async with self._db.transaction() as tx:
            if await self._is_known_in(tx, root, inside):
                return
            file = RecordedFile(
                id=new_id(now), recording_id=recording.id, part=held.opening.part, root=root, path=inside,
                state=FileState.CLOSED, format=path.suffix.lstrip("."), opened_at=held.opening.started, bytes=size,
                media_s=held.ledger.media_s, gaps=len(held.ledger.gaps), closed_at=now,
            )  # fmt: skip
            await self._repo.add_file_in(tx, file)
            await self._recount_in(tx, recording.id)
        _log.info("%s belongs to recording %s", path, recording.id)

    async def _recount_in(self, tx: Tx, recording_id: str) -> None:
        """Its counters, from its files and gaps."""
        kept = await self._repo.totals_in(tx, recording_id)
        await self._repo.change_in(tx, recording_id, **kept)
        recording = await self._repo.get_in(tx, recording_id)
        if self._on_finished is not None and recording is not None and recording.state is RecordingState.DONE:
            await self._on_finished(tx, recording)


def _look(path: Path) -> tuple[Held | None, int | None]:
    """A file's ledger, and its size; blocking. None: there is none, or it cannot be read."""
    try:
        size = path.stat().st_size
    except OSError:
        return None, None
    try:
        return ledgers.find(path), size
    except (NotALedger, StorageError) as exc:
        _log.warning("%s: its ledger cannot be read: %s", path, exc)
        return None, size


def _literal(name: str) -> str:
    """As a pattern that fits nothing else."""
    return "".join(f"[{c}]" if c in "[]*?" else c for c in name)
