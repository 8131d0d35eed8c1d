"""Broadcasts in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, update

from ouzel.model.broadcast import Broadcast, BroadcastState
from ouzel.store.db import Db, Tx
from ouzel.store.tables.broadcasts import broadcasts


@dataclass(frozen=True, slots=True)
class BroadcastFilter:
    """Which broadcasts. Empty: all."""

    channels: Sequence[str] | None = None
    states: Sequence[str] | None = None


class BroadcastRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def get(self, broadcast_id: str) -> Broadcast | None:
        row = await self._db.one(select(broadcasts).where(broadcasts.c.id == broadcast_id))
        return _of(row) if row is not None else None

    async def get_in(self, tx: Tx, broadcast_id: str) -> Broadcast | None:
        row = await tx.one(select(broadcasts).where(broadcasts.c.id == broadcast_id))
        return _of(row) if row is not None else None

    async def last_in(self, tx: Tx, channel_id: str) -> Broadcast | None:
        """The channel's latest."""
        query = select(broadcasts).where(broadcasts.c.channel_id == channel_id)
        row = await tx.one(query.order_by(broadcasts.c.seen_at.desc(), broadcasts.c.id.desc()).limit(1))
        return _of(row) if row is not None else None

    async def open(self) -> list[Broadcast]:
        """All that are not over."""
        rows = await self._db.read(select(broadcasts).where(broadcasts.c.state != BroadcastState.ENDED.value))
        return [_of(row) for row in rows]

    async def starts(self, since: datetime) -> dict[str, list[datetime]]:
        """When the broadcasts of each channel began, the oldest first."""
        query = select(broadcasts.c.channel_id, broadcasts.c.started_at).where(broadcasts.c.started_at >= since)
        found: dict[str, list[datetime]] = {}
        for row in await self._db.read(query.order_by(broadcasts.c.started_at)):
            found.setdefault(row["channel_id"], []).append(row["started_at"])
        return found

    async def page(self, channel_id: str | None, *, before: str | None, limit: int) -> list[Broadcast]:
        """The latest first. `before`: an id: only older ones."""
        query = select(broadcasts).order_by(broadcasts.c.id.desc()).limit(limit)
        if channel_id is not None:
            query = query.where(broadcasts.c.channel_id == channel_id)
        if before is not None:
            query = query.where(broadcasts.c.id < before)
        return [_of(row) for row in await self._db.read(query)]

    async def filtered(self, which: BroadcastFilter, *, before: str | None, limit: int) -> list[Broadcast]:
        """The same, of several channels or in some states."""
        query = _filtered(select(broadcasts), which).order_by(broadcasts.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(broadcasts.c.id < before)
        return [_of(row) for row in await self._db.read(query)]

    async def count(self, which: BroadcastFilter) -> int:
        return await self._db.scalar(_filtered(select(func.count()).select_from(broadcasts), which))

    async def add_in(self, tx: Tx, broadcast: Broadcast) -> None:
        await tx.execute(insert(broadcasts).values(_row(broadcast)))

    async def change_in(self, tx: Tx, broadcast: Broadcast) -> None:
        await tx.execute(update(broadcasts).where(broadcasts.c.id == broadcast.id).values(_row(broadcast)))


def _filtered(query: Select[Any], which: BroadcastFilter) -> Select[Any]:
    if which.channels is not None:
        query = query.where(broadcasts.c.channel_id.in_(which.channels))
    if which.states is not None:
        query = query.where(broadcasts.c.state.in_(which.states))
    return query


def _row(broadcast: Broadcast) -> dict[str, Any]:
    return asdict(broadcast) | {"state": broadcast.state.value}


def _of(row: Mapping[Any, Any]) -> Broadcast:
    fields: dict[str, Any] = {**row, "state": BroadcastState(row["state"])}
    return Broadcast(**fields)
