"""Which rows are kept no longer, a piece at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, delete, func, or_, select

from ouzel.store.db import Db
from ouzel.store.tables import audit, events, idempotency, jobs, messages, nodes, notices, sessions

DAYS: Mapping[str, int] = MappingProxyType(
    {"events": 30, "audit": 365, "jobs": 90, "notices": 90, "messages": 90, "nodes": 30}
)
"""Since it happened; of jobs, notices, messages and nodes since they were over. Sessions
and what is kept for an `Idempotency-Key` have an end of their own."""
EVENTS = 1_000_000
"""At most."""
PIECE = 1000
"""Rows that one transaction removes at most: nobody waits for it long."""


class HousekeepingRepo:
    def __init__(self, db: Db, *, most_events: int = EVENTS) -> None:
        self._db = db
        self._most_events = most_events

    async def sweep(self, now: datetime) -> dict[str, int]:
        """Remove a piece of each table. Returns: rows that went, by table; of a table with PIECE there may be more."""
        async with self._db.transaction() as tx:  # few, and each made with a request
            expired = await tx.execute(delete(idempotency).where(idempotency.c.expires_at <= now))
        pieces = {key.table.name: await self._remove(key, old) for key, old in self._old(now)}
        return pieces | {"idempotency": expired.rowcount}

    async def _remove(self, key: Column[Any], old: Select[Any]) -> int:
        found: Sequence[Any] = [row[key.name] for row in await self._db.read(old.limit(PIECE))]
        if found:
            async with self._db.transaction() as tx:
                await tx.execute(delete(key.table).where(key.in_(found)))
        return len(found)

    def _old(self, now: datetime) -> list[tuple[Column[Any], Select[Any]]]:
        """For each table: the column that tells its rows apart, and which of these go."""
        before = {name: now - timedelta(days=days) for name, days in DAYS.items()}
        newest = select(func.max(events.c.number)).scalar_subquery()
        too_many = events.c.number <= newest - self._most_events
        seen = or_(notices.c.over_at < before["notices"], notices.c.dismissed_at < before["notices"])
        return [
            # the last one stays: listeners go on from its number
            (events.c.number, _oldest(events.c.number, or_(events.c.at < before["events"], too_many), newest)),
            (audit.c.number, _oldest(audit.c.number, audit.c.at < before["audit"])),
            (jobs.c.id, select(jobs.c.id).where(jobs.c.ended_at < before["jobs"])),
            (notices.c.id, select(notices.c.id).where(seen)),
            (messages.c.id, select(messages.c.id).where(messages.c.ended_at < before["messages"])),
            (nodes.c.incarnation, select(nodes.c.incarnation).where(nodes.c.fenced_at < before["nodes"])),
            (sessions.c.token_hash, select(sessions.c.token_hash).where(sessions.c.expires_at <= now)),
        ]


def _oldest(number: Column[Any], old: ColumnElement[bool], newest: Any = None) -> Select[Any]:
    """Looks only at the first rows: they are in the order of time, and there may be a million."""
    first = select(number).order_by(number).limit(PIECE).scalar_subquery()
    query = select(number).where(number.in_(first), old)
    return query if newest is None else query.where(number < newest)
