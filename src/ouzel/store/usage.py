"""How much the storage roots hold, by their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select

from ouzel.model.recording import FileState
from ouzel.store.db import Db
from ouzel.store.tables.broadcasts import files, recordings
from ouzel.store.tables.storage import roots

_SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Held:
    """By one root."""

    files: int = 0
    bytes: int = 0
    recent_bytes: int = 0
    """Of files that were begun lately."""
    oldest: datetime | None = None
    """When the first of its files was begun."""


class UsageRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def held(self, since: datetime) -> dict[str, Held]:
        """By name of the root. `since`: what `recent_bytes` counts from."""
        is_recent = files.c.opened_at >= since
        query = select(
            files.c.root,
            func.count().label("files"),
            func.coalesce(func.sum(files.c.bytes), 0).label("bytes"),
            func.coalesce(func.sum(files.c.bytes).filter(is_recent), 0).label("recent_bytes"),
            func.min(files.c.opened_at).label("oldest"),
        )
        rows = await self._db.read(query.where(files.c.state != FileState.LOST.value).group_by(files.c.root))
        return {
            row["root"]: Held(row["files"], row["bytes"], row["recent_bytes"], row["oldest"]) for row in rows
        }  # fmt: skip

    async def files_of(self) -> dict[str, int]:
        """How many each root has, lost ones too."""
        query = select(files.c.root, func.count().label("files")).group_by(files.c.root)
        return {row["root"]: row["files"] for row in await self._db.read(query)}

    async def sample(self, root: str) -> list[str]:
        """Paths of the files that were begun last, from the root on."""
        query = select(files.c.path).where(files.c.root == root, files.c.state != FileState.LOST.value)
        return [row["path"] for row in await self._db.read(query.order_by(files.c.opened_at.desc()).limit(_SAMPLE))]

    async def was_marked(self, root: str, folder: str) -> bool:
        """Whether its marker was seen in this folder."""
        return await self._db.one(select(roots).where(roots.c.name == root, roots.c.folder == folder)) is not None

    async def note_marked(self, root: str, folder: str) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(delete(roots).where(roots.c.name == root))
            await tx.execute(insert(roots).values(name=root, folder=folder, marked_at=self._db.clock.now()))

    async def is_writing(self) -> bool:
        """Whether something is recorded now."""
        query = select(recordings.c.id).where(recordings.c.state.in_(("recording", "paused"))).limit(1)
        return await self._db.one(query) is not None
