"""What followed files said when they were obeyed last."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from ouzel.store.db import Db, Tx
from ouzel.store.tables.channels import followed

Place: TypeAlias = tuple[str, str]
"""A file, and the scope or the address of which it says something."""


class FollowedRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def all(self) -> dict[Place, dict[str, Any]]:
        """Of all files."""
        return {(row["file"], row["subject"]): row["said"] for row in await self._db.read(select(followed))}

    async def put_in(self, tx: Tx, said: Mapping[Place, Mapping[str, Any]]) -> None:
        for (file, subject), doc in said.items():
            row = upsert(followed).values(file=file, subject=subject, said=dict(doc))
            await tx.execute(row.on_conflict_do_update(index_elements=["file", "subject"], set_={"said": dict(doc)}))

    async def forget_in(self, tx: Tx, places: Collection[Place]) -> None:
        for file, subject in places:
            await tx.execute(delete(followed).where(followed.c.file == file, followed.c.subject == subject))
