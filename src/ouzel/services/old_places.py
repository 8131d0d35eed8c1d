"""Files that are moved: their rows say where they lie from now on, and what lies where they were is removed.

    whole at the new place ─▶ rows, with where they were ─▶ removed there ─▶ rows without that

Killed between two of these, whatever comes next finds in the rows what is still to be removed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio.to_thread

from ouzel.base.errors import Conflict, InUse, NotFound, OuzelError
from ouzel.engine.removal import remove_named
from ouzel.engine.sinks.file import LEDGER
from ouzel.model.happening import Happening
from ouzel.model.ownership import RunContext
from ouzel.model.recording import MEDIA, RecordedFile
from ouzel.services.places import Places
from ouzel.services.steps import Item
from ouzel.store.db import Db, Tx
from ouzel.store.downloads import DownloadRepo
from ouzel.store.recordings import RecordingRepo

_log = logging.getLogger(__name__)


class OldPlaces:
    """What becomes of places where files were."""

    def __init__(self, db: Db, places: Places, downloads: DownloadRepo) -> None:
        self._db = db
        self._places = places
        self._downloads = downloads
        self._files = RecordingRepo(db)

    async def settle(self) -> None:
        """At the start: what a kill has left, as far as its disks are there."""
        files = await self._files.moved_files()
        for item in dict.fromkeys(file.recording_id or file.download_id for file in files):
            try:
                gone = await self._remove(item)
            except OuzelError as exc:
                _log.warning("what was moved cannot be removed where it was: %s", exc)
                continue
            async with self._db.transaction() as tx:
                await self._forget_in(tx, gone)

    async def leave(self, run: RunContext[Tx], item: Item, moved: Mapping[str, tuple[str, str]]) -> None:
        """Args: moved: by ids of files: root and path at which they lie, too.

        Raises: InUse, Conflict: nothing was changed; StaleOwner; RootMissing, NotFound, OutsideRoot, StorageError: what lies
            where it was is still to be removed.
        """
        with anyio.CancelScope(shield=True):
            if moved:
                await run.commit(lambda tx: self._leave_in(tx, item, moved))
            if gone := await self._remove(item.id):
                await run.commit(lambda tx: self._forget_in(tx, gone))

    async def _leave_in(self, tx: Tx, item: Item, moved: Mapping[str, tuple[str, str]]) -> None:
        if item.recording is not None:
            now = await self._files.get_in(tx, item.recording.id)
            if not Item(now, None).is_over or now is None or now.deleting_at is not None:
                raise InUse(f"{item.title[:60]} is on air again, or being deleted: it is not moved now")
        rows = {row.id: row for row in await self._files.files_in(tx, item.id)}
        places: dict[str, str] = {}
        for file_id, (root, path) in moved.items():
            row = rows[file_id]
            other = await self._files.file_at_in(tx, root, path)
            if row.was_root:
                raise InUse(f"{row.path} was moved a moment ago, and is still in {row.was_root}, too")
            if other is not None:
                raise Conflict(f"{path} on {root} is a file of something else")
            await self._files.change_file_in(tx, row.id, root=root, path=path, was_root=row.root, was_path=row.path)
            places[str(self._places.path(row))] = str(self._places.folder(root) / path)
            if item.recording is not None:
                data = {"file": row.id, "root": root, "path": path, "state": row.state.value, "part": row.part}
                tx.emit(Happening("recording.file", item.recording.id, data, item.recording.channel_id))
        if item.download is not None:
            await self._downloads.moved_in(tx, item.download.id, places)

    async def _remove(self, item_id: str) -> list[str]:
        """What lies where it was. Returns: ids of files. Raises: RootMissing, StorageError, NotFound."""
        async with self._db.transaction() as tx:
            rows = await self._files.files_in(tx, item_id)
        await anyio.to_thread.run_sync(self._unlink, rows)
        return [row.id for row in rows if row.was_root]

    def _unlink(self, rows: Sequence[RecordedFile]) -> None:
        """Blocking. A ledger goes with the last file that it tells of."""
        staying = {(row.root, _stem(row.path)) for row in rows}
        for row in rows:
            if not row.was_root:
                continue
            self._places.require(row.root)
            self._places.require(row.was_root)
            if not self._places.path(row).is_file():
                raise NotFound(f"{self._places.path(row)} is not there: what lies in {row.was_root} is left as it is")
            has_ledger = row.role in MEDIA and (row.was_root, _stem(row.was_path)) not in staying
            remove_named(self._places.folder(row.was_root), row.was_path, [LEDGER] if has_ledger else [])

    async def _forget_in(self, tx: Tx, ids: Sequence[str]) -> None:
        for file_id in ids:
            await self._files.change_file_in(tx, file_id, was_root=None, was_path=None)


def _stem(path: str) -> str:
    return str(Path(path).with_suffix(""))
