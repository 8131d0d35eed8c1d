"""What each user has watched, in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from ouzel.model.watches import Watch
from ouzel.store.db import Db, Tx
from ouzel.store.tables.videos import watches

_FIELDS = [watches.c[each.name] for each in fields(Watch)]
_NAMES = [each.name for each in fields(Watch)]


class WatchRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def of(self, user_id: str, numbers: Collection[int]) -> Mapping[int, Watch]:
        """Of those of these videos that they have begun, watched or marked."""
        which = watches.c.user_id == user_id, watches.c.number.in_(numbers)
        rows = await self._db.read(select(watches.c.number, *_FIELDS).where(*which))
        return {row["number"]: Watch(**{name: row[name] for name in _NAMES}) for row in rows}

    async def get_in(self, tx: Tx, user_id: str, number: int) -> Watch:
        row = await tx.one(select(*_FIELDS).where(watches.c.user_id == user_id, watches.c.number == number))
        return Watch(**row) if row is not None else Watch()

    async def put_in(self, tx: Tx, user_id: str, number: int, watch: Watch) -> None:
        values: dict[str, Any] = asdict(watch)
        new = insert(watches).values(user_id=user_id, number=number, **values)
        await tx.execute(new.on_conflict_do_update(index_elements=["user_id", "number"], set_=values))
