"""Rows that are old go, piece by piece; what is still needed stays."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from ouzel.model.happening import Happening
from ouzel.services.audit import Audit, Client
from ouzel.services.events import EventBus, Resync
from ouzel.services.housekeeping import Housekeeping
from ouzel.store import housekeeping
from ouzel.store.db import Db, open_db
from ouzel.store.housekeeping import DAYS, HousekeepingRepo
from ouzel.store.idempotency import Kept, reserve_in
from ouzel.store.tables import audit, events, idempotency, jobs, messages, nodes, notices
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def db(tmp_path: Path, clock: FakeClock) -> AsyncGenerator[Db]:
    async with open_db(tmp_path / "ouzel.db", clock) as opened:
        yield opened


async def tell(db: Db, count: int = 1) -> None:
    async with db.transaction() as tx:
        tx.emit(*[Happening("channel.added", "c") for _ in range(count)])


async def count(db: Db, table: Any) -> int:
    return await db.scalar(select(func.count()).select_from(table))


def set_to(clock: FakeClock, now: datetime) -> None:
    clock.jump((now - clock.now()).total_seconds())


async def no_rest(_seconds: float) -> None:
    pass


async def test_what_is_old_goes_and_the_rest_stays(db: Db, clock: FakeClock) -> None:
    keeper = Housekeeping(db, sleep=no_rest)
    clock.jump(86400 * 1000)
    now = db.clock.now()
    job = {
        "kind": "x", "queue": "disk", "args": {}, "prio": 0, "attempts": 1, "max_attempts": 1, "epoch": 1, "message": "",
        "created_at": now,
    }  # fmt: skip
    notice = {"code": "x", "severity": "info", "data": {}, "raised_at": now, "last_at": now}
    message = {
        "route": "r", "target": "t", "code": "x", "severity": "info", "about": "x", "at": now, "title": "", "text": "",
        "url": "", "picture": "", "data": {}, "language": "en", "state": "waiting", "joined": False, "attempts": 0,
        "created_at": now,
    }  # fmt: skip
    node = {"name": "ouzel", "labels": [], "cap": 1, "registered_at": now, "beat_at": now}
    async with db.transaction() as tx:
        await tx.execute(insert(jobs).values(job | {"id": "over", "state": "done", "ended_at": now}))
        await tx.execute(insert(jobs).values(job | {"id": "open", "state": "queued"}))
        await tx.execute(insert(notices).values(notice | {"id": "over", "key": "a", "over_at": now}))
        await tx.execute(insert(notices).values(notice | {"id": "open", "key": "b"}))
        await tx.execute(insert(messages).values(message | {"id": "over", "number": 1, "ended_at": now}))
        await tx.execute(insert(messages).values(message | {"id": "open", "number": 2}))
        await tx.execute(insert(nodes).values(node | {"fenced_at": now}))
        await tx.execute(insert(nodes).values(node))
        await reserve_in(tx, Kept("u", "k", "f", None, {}, None, now + timedelta(hours=1)), now)
    await tell(db, 2)
    await Audit(db).note(None, "auth.login", client=Client())
    tables = {
        "events": events,
        "audit": audit,
        "jobs": jobs,
        "notices": notices,
        "messages": messages,
        "nodes": nodes,
        "idempotency": idempotency,
    }
    before = {name: await count(db, table) for name, table in tables.items()}
    assert await keeper.sweep() == 0
    for days in sorted({*DAYS.values()}):
        names = [name for name in DAYS if DAYS[name] == days]
        set_to(clock, now + timedelta(days=days, seconds=-1))
        await keeper.sweep()
        assert [await count(db, tables[name]) for name in names] == [before[name] for name in names]
        set_to(clock, now + timedelta(days=days, seconds=1))
        assert await keeper.sweep() == len(names)
    left = {name: await count(db, table) for name, table in tables.items()}
    assert left == {"events": 1, "audit": 0, "jobs": 1, "notices": 1, "messages": 1, "nodes": 1, "idempotency": 0}


async def test_there_are_never_too_many_events(db: Db, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PIECE", 10)
    monkeypatch.setattr("ouzel.services.housekeeping.PIECE", 10)
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    await tell(db, 65)
    assert await Housekeeping(db, HousekeepingRepo(db, most_events=30), sleep=rest).sweep() == 35
    assert len(rests) == 3  # after each whole piece
    assert [each.number for each in await db.events_after(0)] == [*range(36, 66)]


async def test_a_listener_that_knows_an_event_that_went_is_told(db: Db) -> None:
    await tell(db, 50)
    bus = EventBus(db)
    await Housekeeping(db, HousekeepingRepo(db, most_events=10), sleep=no_rest).sweep()
    async with bus.subscribe(after=5) as behind, bus.subscribe(after=45) as near:
        assert await behind.next() == Resync(50)
        event = await near.next()
        assert not isinstance(event, Resync)
        assert event is not None
        assert event.number == 46
    bus.close()
