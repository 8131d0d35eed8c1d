"""Who did what, kept."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Select, func, insert, select

from ouzel.model.users import AuditLine
from ouzel.store.db import Db, Tx
from ouzel.store.tables.users import audit


@dataclass(frozen=True, slots=True)
class AuditFilter:
    by: str | None = None
    what: str | None = None
    """Beginning of the operation's name."""
    subject: str | None = None


class AuditRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def add_in(self, tx: Tx, line: AuditLine) -> None:
        """Its number is given by the database."""
        values = {each.name: getattr(line, each.name) for each in fields(line) if each.name != "number"}
        await tx.execute(insert(audit).values(**values))

    async def page(self, wanted: AuditFilter, *, before: int | None, limit: int) -> list[AuditLine]:
        """The latest first."""
        query = _filtered(select(audit), wanted).order_by(audit.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.number < before)
        return [AuditLine(**row) for row in await self._db.read(query)]

    async def count(self, wanted: AuditFilter) -> int:
        return await self._db.scalar(_filtered(select(func.count()).select_from(audit), wanted))


def _filtered(query: Select[Any], wanted: AuditFilter) -> Select[Any]:
    """The same for the page and for its count."""
    if wanted.by is not None:
        query = query.where(audit.c.by == wanted.by)
    if wanted.what is not None:
        query = query.where(audit.c.what.startswith(wanted.what, autoescape=True))
    if wanted.subject is not None:
        query = query.where(audit.c.subject == wanted.subject)
    return query
