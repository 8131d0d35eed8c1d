"""Rows of a library, written straight into a real database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from ouzel.base.ids import new_id
from ouzel.model.broadcast import Broadcast, BroadcastState
from ouzel.model.recording import FileState, RecordedFile, Recording
from ouzel.model.standing import Standing
from ouzel.model.states import RecordingState
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.db import Db, open_db
from ouzel.store.recordings import RecordingRepo
from ouzel.store.standings import StandingRepo
from ouzel.store.tables import channels
from ouzel.testing.clock import FakeClock

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Library:
    """What has happened, as a test says."""

    def __init__(self, db: Db, clock: FakeClock) -> None:
        self.db = db
        self.clock = clock
        self._recordings = RecordingRepo(db)

    async def channel(self, channel_id: str = "c1", platform: str = "huya", **values: Any) -> str:
        row: dict[str, Any] = {
            "id": channel_id, "addresses": [f"https://www.huya.com/{channel_id}"], "platform": platform,
            "name": f"name of {channel_id}", "named_by_user": False, "aliases": [], "folder": channel_id, "labels": [],
            "watch": True, "settings": {}, "revision": 1, "created_at": self.clock.now(), "updated_at": self.clock.now(),
        }  # fmt: skip
        async with self.db.transaction() as tx:
            await tx.execute(insert(channels).values(row | values))
        return channel_id

    async def change_channel(self, channel_id: str, **values: Any) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(update(channels).where(channels.c.id == channel_id).values(values))

    async def stands(self, channel_id: str, state: str, *, code: str | None = None) -> None:
        now = self.clock.now()
        standing = Standing(channel_id, now, state, asked_at=now, code=code, why=code and f"why {code}")
        async with self.db.transaction() as tx:
            await StandingRepo(self.db).put_in(tx, standing)

    async def broadcast(self, channel_id: str = "c1", *, state: BroadcastState = BroadcastState.LIVE) -> Broadcast:
        now = self.clock.now()
        made = Broadcast(
            id=new_id(now), channel_id=channel_id, state=state, started_at=now, told_start=False, seen_at=now,
            title="title",
        )  # fmt: skip
        async with self.db.transaction() as tx:
            await BroadcastRepo(self.db).add_in(tx, made)
        return made

    async def recording(
        self, broadcast: Broadcast | None = None, *, state: RecordingState = RecordingState.RECORDING, **values: Any
    ) -> Recording:
        broadcast = broadcast or await self.broadcast()
        now = self.clock.now()
        made = Recording(
            id=new_id(now), broadcast_id=broadcast.id, channel_id=broadcast.channel_id, state=state,
            title=broadcast.title, started_at=now, updated_at=now, **values,
        )  # fmt: skip
        async with self.db.transaction() as tx:
            await self._recordings.add_in(tx, made)
        return made

    async def change(self, recording: Recording, **values: Any) -> None:
        async with self.db.transaction() as tx:
            await self._recordings.change_in(tx, recording.id, **values)

    async def file(self, recording: Recording, path: str, *, root: str = "recordings", **values: Any) -> RecordedFile:
        now = self.clock.now()
        known: dict[str, Any] = {"state": FileState.CLOSED, "part": 1, "opened_at": now, "closed_at": now}
        made = RecordedFile(
            id=new_id(now), recording_id=recording.id, root=root, path=path, format=Path(path).suffix[1:],
            **(known | values),
        )  # fmt: skip
        async with self.db.transaction() as tx:
            await self._recordings.add_file_in(tx, made)
        return made

    async def codes(self) -> list[str]:
        return [event.code for event in await self.db.events_after(0)]


@asynccontextmanager
async def library(folder: Path) -> AsyncGenerator[Library]:
    clock = FakeClock(START)
    async with open_db(folder / "ouzel.db", clock) as db:
        yield Library(db, clock)
