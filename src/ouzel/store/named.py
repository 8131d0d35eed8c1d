"""Things with a name, in the database: targets, routes, remotes, pipelines, rules that delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, delete, insert, select, update

from ouzel.store.db import Db, Tx

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Named(Generic[S]):
    """Instants are aware UTC."""

    name: str
    spec: S
    revision: int
    created_at: datetime
    updated_at: datetime


class NamedRepo(Generic[S]):
    """Reads alone, writes within the caller's transaction.

    Args:
        parse, render: of the columns beside those that all have.
    """

    def __init__(
        self, db: Db, table: Table, parse: Callable[[Mapping[Any, Any]], S], render: Callable[[S], dict[str, Any]]
    ) -> None:
        self._db = db
        self._table = table
        self._parse = parse
        self._render = render

    async def all(self) -> list[Named[S]]:
        """In the order of their names."""
        return [self._of(row) for row in await self._db.read(select(self._table).order_by(self._table.c.name))]

    async def all_in(self, tx: Tx) -> list[Named[S]]:
        return [self._of(row) for row in await tx.read(select(self._table).order_by(self._table.c.name))]

    async def get(self, name: str) -> Named[S] | None:
        row = await self._db.one(select(self._table).where(self._table.c.name == name))
        return self._of(row) if row is not None else None

    async def get_in(self, tx: Tx, name: str) -> Named[S] | None:
        row = await tx.one(select(self._table).where(self._table.c.name == name))
        return self._of(row) if row is not None else None

    async def put_in(self, tx: Tx, named: Named[S]) -> None:
        """Make it, or write it anew."""
        row = {
            "name": named.name, **self._render(named.spec), "revision": named.revision,
            "created_at": named.created_at, "updated_at": named.updated_at,
        }  # fmt: skip
        done = await tx.execute(update(self._table).where(self._table.c.name == named.name).values(row))
        if not done.rowcount:
            await tx.execute(insert(self._table).values(row))

    async def remove_in(self, tx: Tx, name: str) -> None:
        await tx.execute(delete(self._table).where(self._table.c.name == name))

    def _of(self, row: Mapping[Any, Any]) -> Named[S]:
        return Named(row["name"], self._parse(row), row["revision"], row["created_at"], row["updated_at"])


def kept_as_doc(
    db: Db, table: Table, parse: Callable[[Mapping[str, Any]], S], render: Callable[[S], dict[str, Any]]
) -> NamedRepo[S]:
    """Of those that are one document, in the column `doc`."""
    return NamedRepo(db, table, lambda row: parse(row["doc"]), lambda spec: {"doc": render(spec)})
