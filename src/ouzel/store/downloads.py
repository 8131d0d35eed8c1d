"""Downloads in the database. Each that is to run has a wish `dl:ID` in `owns`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, delete, func, insert, or_, select, tuple_, update

from ouzel.base.errors import Conflict
from ouzel.model.download_tasks import GOING, After, Download
from ouzel.model.downloads import OPEN, DownloadState, move
from ouzel.model.happening import Happening
from ouzel.model.ownership import DOWNLOAD, Grant, key_of, name_of
from ouzel.store.db import Db, Tx
from ouzel.store.download_rows import download_of, finished_of, found, row_of, tell
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.tables.downloads import downloads
from ouzel.store.tables.ownership import owns
from ouzel.store.words import meant_by

_S = DownloadState
_NO_ERROR: Mapping[str, Any] = {"code": None, "why": None}


class DownloadRepo:
    def __init__(self, db: Db, ownership: SqliteOwnership) -> None:
        self._db = db
        self._ownership = ownership

    # -- reading ------------------------------------------------------------------------------------------------------

    async def get(self, download_id: str) -> Download:
        """Raises: NotFound."""
        return found(await self._db.one(_present(select(downloads)).where(downloads.c.id == download_id)), download_id)

    async def find(self, download_id: str) -> Download | None:
        row = await self._db.one(_present(select(downloads)).where(downloads.c.id == download_id))
        return None if row is None else download_of(row)

    async def page(
        self,
        *,
        states: frozenset[DownloadState] = frozenset(),
        text: str = "",
        word: str = "",
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Download]:
        """The newest first. `before`: `created_at` and id of the last one that was read."""
        query = _filtered(select(downloads), states, text, word)
        if before is not None:
            query = query.where(tuple_(downloads.c.created_at, downloads.c.id) < before)
        query = query.order_by(downloads.c.created_at.desc(), downloads.c.id.desc()).limit(limit)
        return [download_of(row) for row in await self._db.read(query)]

    async def count(self, *, states: frozenset[DownloadState] = frozenset(), text: str = "", word: str = "") -> int:
        return await self._db.scalar(_filtered(select(func.count()).select_from(downloads), states, text, word))

    async def counts(self) -> dict[DownloadState, int]:
        """How many are in each state."""
        query: Any = select(downloads.c.state, func.count().label("number")).group_by(downloads.c.state)
        none = dict.fromkeys(_S, 0)
        return none | {_S(row["state"]): row["number"] for row in await self._db.read(_present(query))}

    async def whole(self, target: str, address: str) -> Download | None:
        """The one that has written this, from this address."""
        query = _filtered(select(downloads), frozenset({_S.COMPLETED}))
        query = query.where(downloads.c.target == target, downloads.c.address == address)
        row = await self._db.one(query.order_by(downloads.c.id.desc()).limit(1))
        return None if row is None else download_of(row)

    async def failed(self, since: datetime) -> list[Download]:
        """Those that failed after that, and that nobody has begun again."""
        query = _filtered(select(downloads), frozenset({_S.FAILED})).where(downloads.c.completed_at >= since)
        return [download_of(row) for row in await self._db.read(query.order_by(downloads.c.id))]

    async def get_in(self, tx: Tx, download_id: str) -> Download:
        """Raises: NotFound."""
        return found(await tx.one(_present(select(downloads)).where(downloads.c.id == download_id)), download_id)

    # -- what users do ------------------------------------------------------------------------------------------------

    async def add_in(self, tx: Tx, download: Download) -> None:
        """Raises: Conflict: another one that is not over writes the same file."""
        await self._require_free(tx, download)
        await tx.execute(insert(downloads).values(row_of(download)))
        await self._wish_in(tx, download)
        tell(tx, download)

    async def change_in(self, tx: Tx, before: Download, **values: Any) -> Download:
        """An edit of a user."""
        await self._put(tx, before.id, revision=before.revision + 1, **values)
        after = await self.get_in(tx, before.id)
        if after.state is _S.PENDING:
            await self._wish_in(tx, after)
        tell(tx, after)
        return after

    async def again_in(self, tx: Tx, before: Download) -> Download:
        """It is to run. Raises: Conflict."""
        fresh: dict[str, Any] = {"retries": 0, "not_before": None, "completed_at": None, **_NO_ERROR}
        if before.state is _S.DOWNLOADING:  # it was to end, and is to go on
            fresh = {"after": None}
        elif before.state is not _S.PENDING:
            await self._require_free(tx, before)
            fresh["state"] = move(before.state, _S.PENDING)
        await self._put(tx, before.id, **fresh)
        after = await self.get_in(tx, before.id)
        await self._wish_in(tx, after, anew=True)
        tell(tx, after)
        return after

    async def end_in(self, tx: Tx, before: Download, after: After) -> Download | None:
        """It is to run no more: at once, or as soon as who runs it has heard. Returns: the row, if there is one still."""
        if before.state is _S.DOWNLOADING:
            await self._put(tx, before.id, after=after.value)
            await self._ownership.unwant_in(tx, key_of(DOWNLOAD, before.id))
        else:
            await self._end(tx, before, after)
        if after in GOING:
            tx.emit(Happening("download.removed", before.id, {"name": before.shown_name}))
            return None
        return await self.get_in(tx, before.id)

    # -- for whoever runs it ------------------------------------------------------------------------------------------

    async def begin(self, grant: Grant) -> Download | None:
        """None: it is not to run any more. Raises: StaleOwner."""
        async with self._db.transaction() as tx:
            await self._ownership.guard(tx, grant)
            row = await tx.one(select(downloads).where(downloads.c.id == name_of(grant.key)))
            before = None if row is None else download_of(row)
            if before is None or before.after is not None or before.state not in {_S.PENDING, _S.DOWNLOADING}:
                await self._ownership.unwant_in(tx, grant.key)
                return None
            now = self._db.clock.now()
            values = {"epoch": grant.epoch, "not_before": None, "started_at": before.started_at or now}
            await self._put(tx, before.id, state=_S.DOWNLOADING, **values)
            begun = await self.get_in(tx, before.id)
            tell(tx, begun)
            return begun

    async def note(self, grant: Grant, values: Mapping[str, Any]) -> None:
        """How far it is. Raises: StaleOwner."""
        async with self._db.transaction() as tx:
            await self._ownership.guard(tx, grant)
            await self._put(tx, name_of(grant.key), **values)

    async def over(
        self,
        grant: Grant,
        state: DownloadState,
        values: Mapping[str, Any],
        *,
        hold_s: float = 0.0,
        then: Callable[[Tx, Download], Awaitable[None]] | None = None,
    ) -> None:
        """Its body is at its end, and gives the grant back. Where somebody has said what becomes of it, that counts.

        Args:
            state: PENDING: it is to run again, after `hold_s`.
            then: what comes after it, in the same transaction, where it is whole and stays.
        Raises: StaleOwner.
        """
        async with self._db.transaction() as tx:
            await self._ownership.guard(tx, grant)
            row = await tx.one(select(downloads).where(downloads.c.id == name_of(grant.key)))
            await self._ownership.release_in(tx, grant, hold_s=hold_s)
            if row is None or row["state"] != _S.DOWNLOADING.value:  # it was never begun
                if row is None or row["state"] != _S.PENDING.value:
                    await self._ownership.unwant_in(tx, grant.key)
                return
            if values:
                await self._put(tx, row["id"], **values)
            download = found(await tx.one(select(downloads).where(downloads.c.id == row["id"])), row["id"])
            wanted = download.after
            if wanted is None or state is _S.COMPLETED:  # it may be whole before it has heard
                await self._put(tx, download.id, after=None)
                await self._over(tx, download, state, hold_s)
                if then is not None and state is _S.COMPLETED and wanted not in GOING:
                    await then(tx, await self.get_in(tx, download.id))
            if wanted is not None and (state is not _S.COMPLETED or wanted in GOING):
                await self._end(tx, download, wanted)

    async def replace_in(self, tx: Tx, download_id: str, **values: Any) -> None:
        """Another file stands in the place of its own. Args: values: `path, format, bytes`."""
        await self._put(tx, download_id, **values)
        tell(tx, await self.get_in(tx, download_id))

    async def moved_in(self, tx: Tx, download_id: str, places: Mapping[str, str]) -> None:
        """Its files lie elsewhere. Args: places: by their paths before, all absolute."""
        before = await self.get_in(tx, download_id)
        ledgers = {Path(was).with_suffix(".ledger"): Path(now).with_suffix(".ledger") for was, now in places.items()}
        await self._put(
            tx, download_id,
            path=places.get(before.path or "", before.path),
            ledger=str(ledgers.get(Path(before.ledger), before.ledger)) if before.ledger else before.ledger,
            tracks=[places.get(each, each) for each in before.tracks],
        )  # fmt: skip
        tell(tx, await self.get_in(tx, download_id))

    async def settle(self) -> int:
        """Put back what was running when its process ended. Returns: how many."""
        left = or_(downloads.c.state == _S.DOWNLOADING.value, downloads.c.after.is_not(None))
        async with self._db.transaction() as tx:
            rows = await tx.read(select(downloads).where(left))
            for each in map(download_of, rows):
                if each.after is not None:
                    await self._end(tx, each, each.after)
                else:
                    await self._over(tx, each, _S.PENDING, 0.0)
            waiting = select(downloads).outerjoin(owns, owns.c.key == f"{DOWNLOAD}:" + downloads.c.id)
            for row in await tx.read(waiting.where(downloads.c.state == _S.PENDING.value, owns.c.key.is_(None))):
                await self._wish_in(tx, download_of(row))
        return len(rows)

    async def erased(self) -> list[Download]:
        """Whose files are still to be removed."""
        query = select(downloads).where(downloads.c.after == After.ERASE.value, downloads.c.state == _S.CANCELLED.value)
        return [download_of(row) for row in await self._db.read(query)]

    async def shares_its_file(self, download: Download) -> bool:
        """Whether another row has the same path: its file is not this one's any more."""
        same = (downloads.c.path == download.path) & (downloads.c.id != download.id)
        return download.path is not None and await self._db.one(select(downloads.c.id).where(same)) is not None

    async def remove(self, download_id: str) -> None:
        """Its files are gone: its row goes, too."""
        async with self._db.transaction() as tx:
            await self._remove(tx, download_id)

    # -- within -------------------------------------------------------------------------------------------------------

    async def _over(self, tx: Tx, download: Download, state: DownloadState, hold_s: float) -> None:
        now = self._db.clock.now()
        until = now + timedelta(seconds=hold_s) if hold_s else None
        ended = None if state is _S.PENDING else now
        values = {"state": move(download.state, state), "not_before": until, "completed_at": ended}
        await self._put(tx, download.id, **values)
        after = found(await tx.one(select(downloads).where(downloads.c.id == download.id)), download.id)
        if state is _S.PENDING:
            await self._wish_in(tx, after)
        else:
            await self._ownership.unwant_in(tx, key_of(DOWNLOAD, download.id))
        tell(tx, after)
        if state is _S.COMPLETED:
            tx.emit(Happening("download.finished", after.id, finished_of(after)))

    async def _end(self, tx: Tx, download: Download, after: After) -> None:
        """Nobody runs it."""
        await self._ownership.unwant_in(tx, key_of(DOWNLOAD, download.id))
        if after is After.REMOVE:
            await self._remove(tx, download.id)
        elif after is After.ERASE:  # the row tells which files go, until they are gone
            await self._put(tx, download.id, state=_S.CANCELLED, after=after.value)
        else:
            state = move(download.state, _S.PAUSED if after is After.PAUSE else _S.CANCELLED)
            ended = self._db.clock.now() if after is After.CANCEL else None
            await self._put(tx, download.id, state=state, after=None, not_before=None, completed_at=ended)
            tell(tx, await self.get_in(tx, download.id))

    async def _remove(self, tx: Tx, download_id: str) -> None:
        await tx.execute(delete(downloads).where(downloads.c.id == download_id))
        own = owns.c.key == key_of(DOWNLOAD, download_id)
        await tx.execute(delete(owns).where(own, owns.c.node.is_(None)))

    async def _wish_in(self, tx: Tx, download: Download, *, anew: bool = False) -> None:
        if download.state in {_S.PENDING, _S.DOWNLOADING}:
            await self._ownership.want_in(
                tx, key_of(DOWNLOAD, download.id), {}, prio=download.prio, anew=anew, not_before=download.not_before,
                epoch=download.epoch,
            )  # fmt: skip

    async def _require_free(self, tx: Tx, download: Download) -> None:
        busy = or_(downloads.c.state.in_([each.value for each in OPEN]), downloads.c.after.is_not(None))
        same = busy & (downloads.c.target == download.target) & (downloads.c.id != download.id)
        if (row := await tx.one(select(downloads.c.id).where(same))) is not None:
            words = f"another download writes {download.stem or 'this address'} into {download.folder}: give it another name"
            raise Conflict(words, existing=row["id"])

    async def _put(self, tx: Tx, download_id: str, **values: Any) -> None:
        await tx.execute(update(downloads).where(downloads.c.id == download_id).values(values))


def _present(query: Select[Any]) -> Select[Any]:
    return query.where(or_(downloads.c.after.is_(None), downloads.c.after.not_in([each.value for each in GOING])))


def _filtered(query: Select[Any], states: frozenset[DownloadState], text: str = "", word: str = "") -> Select[Any]:
    query = _present(query)
    if states:
        query = query.where(downloads.c.state.in_([each.value for each in states]))
    if text:
        named = (downloads.c.name, downloads.c.title, downloads.c.address)
        query = query.where(or_(*(column.icontains(text, autoescape=True) for column in named)))
    if word:
        query = query.where(meant_by(word, downloads.c.id, downloads.c.name, downloads.c.title))
    return query
