"""Notices in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select, tuple_, update

from ouzel.base.ids import new_id
from ouzel.model.notices import Notice, Severity
from ouzel.store.db import Db, Tx
from ouzel.store.tables.events import notices
from ouzel.store.words import meant_by

_IS_OPEN = notices.c.over_at.is_(None) & notices.c.dismissed_at.is_(None)


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices. Empty: all that are open."""

    is_open: bool | None = True
    """None: also those that are over or dismissed."""
    severities: Sequence[str] | None = None
    codes: Sequence[str] | None = None
    channels: Sequence[str] | None = None
    """Only of these channels, and none that belongs to no channel."""
    word: str = ""
    """The beginning of the id."""


class NoticeRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def get(self, notice_id: str) -> Notice | None:
        row = await self._db.one(select(notices).where(notices.c.id == notice_id))
        return notice_of(row) if row is not None else None

    async def get_in(self, tx: Tx, notice_id: str) -> Notice | None:
        row = await tx.one(select(notices).where(notices.c.id == notice_id))
        return notice_of(row) if row is not None else None

    async def page(
        self, which: NoticeFilter, *, before: tuple[datetime, str] | None = None, limit: int = 60
    ) -> list[Notice]:
        """The latest first. `before`: instant and id of the one after which to go on."""
        query = _filtered(select(notices), which)
        if before is not None:
            query = query.where(tuple_(notices.c.raised_at, notices.c.id) < before)
        query = query.order_by(notices.c.raised_at.desc(), notices.c.id.desc()).limit(limit)
        return [notice_of(row) for row in await self._db.read(query)]

    async def count(self, which: NoticeFilter) -> int:
        return await self._db.scalar(_filtered(select(func.count()).select_from(notices), which))

    async def not_over(self) -> dict[str, Notice]:
        """By key: what is so still, whether somebody dismissed it or not."""
        query = select(notices).where(notices.c.over_at.is_(None)).order_by(notices.c.raised_at)
        return {row["key"]: notice_of(row) for row in await self._db.read(query)}

    async def not_over_in(self, tx: Tx, key: str) -> Notice | None:
        """The latest of this key that is so still."""
        query = select(notices).where(notices.c.key == key, notices.c.over_at.is_(None))
        row = await tx.one(query.order_by(notices.c.raised_at.desc(), notices.c.id.desc()).limit(1))
        return notice_of(row) if row is not None else None

    async def add_in(
        self, tx: Tx, key: str, code: str, severity: Severity, data: Mapping[str, Any], channel_id: str | None
    ) -> Notice:
        """Raises: sqlalchemy.exc.IntegrityError when one of this key is open."""
        at = self._db.clock.now()
        row: dict[str, Any] = {
            "id": new_id(at), "key": key, "code": code, "severity": severity.value, "channel_id": channel_id,
            "data": dict(data), "count": 1, "raised_at": at, "last_at": at,
        }  # fmt: skip
        await tx.execute(insert(notices).values(row))
        return notice_of({**row, "over_at": None, "dismissed_at": None, "dismissed_by": None})

    async def change_in(self, tx: Tx, notice_id: str, **values: Any) -> None:
        await tx.execute(update(notices).where(notices.c.id == notice_id).values(values))

    async def over_in(self, tx: Tx, key: str) -> list[Notice]:
        """Nothing of this key is so any more. Returns: those that were so until now."""
        rows = await tx.read(select(notices).where(notices.c.key == key, notices.c.over_at.is_(None)))
        if rows:
            at = self._db.clock.now()
            await tx.execute(
                update(notices).where(notices.c.key == key, notices.c.over_at.is_(None)).values(over_at=at)
            )
        return [notice_of(row) for row in rows]


def _filtered(query: Select[Any], which: NoticeFilter) -> Select[Any]:
    wanted: list[ColumnElement[bool]] = []
    if which.is_open is not None:
        wanted.append(_IS_OPEN if which.is_open else ~_IS_OPEN)
    if which.severities is not None:
        wanted.append(notices.c.severity.in_(which.severities))
    if which.codes is not None:
        wanted.append(notices.c.code.in_(which.codes))
    if which.channels is not None:
        wanted.append(notices.c.channel_id.in_(which.channels))
    if which.word:
        wanted.append(meant_by(which.word, notices.c.id))
    return query.where(*wanted)


def notice_of(row: Mapping[Any, Any]) -> Notice:
    fields: dict[str, Any] = {**row, "severity": Severity(row["severity"])}
    return Notice(**fields)
