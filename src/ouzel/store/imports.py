"""Imports and uploads in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from ouzel.model.imports import Import, ImportHow, ImportState, Upload
from ouzel.store.db import Db, Tx
from ouzel.store.tables.imports import imports, uploads


class ImportRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def get(self, import_id: str) -> Import | None:
        row = await self._db.one(select(imports).where(imports.c.id == import_id))
        return _import(row) if row is not None else None

    async def add_in(self, tx: Tx, new: Import) -> None:
        await tx.execute(insert(imports).values(asdict(new) | {"how": new.how.value, "state": new.state.value}))


class UploadRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def get(self, upload_id: str) -> Upload | None:
        row = await self._db.one(select(uploads).where(uploads.c.id == upload_id))
        return Upload(**row) if row is not None else None

    async def all(self) -> list[Upload]:
        """The oldest first."""
        return [Upload(**row) for row in await self._db.read(select(uploads).order_by(uploads.c.id))]

    async def add(self, upload: Upload) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(insert(uploads).values(_row(upload)))

    async def touch(self, upload_id: str, at: datetime) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(update(uploads).where(uploads.c.id == upload_id).values(touched_at=at))

    async def will_be(self, upload_id: str, path: str) -> None:
        """It has come whole, and goes there."""
        async with self._db.transaction() as tx:
            await tx.execute(update(uploads).where(uploads.c.id == upload_id).values(path=path))

    async def become_in(self, tx: Tx, upload_id: str, import_id: str) -> None:
        """It is whole, and that is what it became."""
        await tx.execute(update(uploads).where(uploads.c.id == upload_id).values(import_id=import_id))

    async def remove(self, upload_id: str) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(delete(uploads).where(uploads.c.id == upload_id))


def _import(row: Mapping[Any, Any]) -> Import:
    fields: dict[str, Any] = {**row, "how": ImportHow(row["how"]), "state": ImportState(row["state"])}
    return Import(**fields)


def _row(upload: Upload) -> dict[str, Any]:
    row = asdict(upload)
    del row["received"]  # the file tells it
    return row
