"""Copies at remotes, in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, or_, select, update

from ouzel.model.remotes import Copy
from ouzel.store.db import Db, Tx
from ouzel.store.tables import copies


class CopyRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def of(self, item: str) -> list[Copy]:
        """Of a recording or download, which may be gone; the oldest first."""
        which = or_(copies.c.recording_id == item, copies.c.download_id == item)
        rows = await self._db.read(select(copies).where(which).order_by(copies.c.copied_at, copies.c.key))
        return [_copy(row) for row in rows]

    async def at(self, remote: str, key: str) -> Copy | None:
        row = await self._db.one(select(copies).where(copies.c.remote == remote, copies.c.key == key))
        return _copy(row) if row is not None else None

    async def put_in(self, tx: Tx, copy: Copy) -> None:
        """Make it; or what is known of this key is this from now on, and keeps its id."""
        row = _row(copy)
        known = {name: value for name, value in row.items() if name != "id"}
        at = (copies.c.remote == copy.remote, copies.c.key == copy.key)
        done = await tx.execute(update(copies).where(*at).values(known))
        if not done.rowcount:
            await tx.execute(insert(copies).values(row))


def _row(copy: Copy) -> dict[str, Any]:
    row = asdict(copy)
    return row | {name: row[name] or None for name in ("recording_id", "download_id", "channel_id")}


def _copy(row: Mapping[Any, Any]) -> Copy:
    values = dict(row)
    for name in ("recording_id", "download_id", "channel_id"):
        values[name] = values[name] or ""
    return Copy(**values)
