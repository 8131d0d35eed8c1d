"""The bus: what was stored and what is new, without a hole or a double between them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import delete

from ouzel.model.happening import Happening
from ouzel.services.events import EventBus, Resync, Subscription
from ouzel.store.db import Db, open_db
from ouzel.store.tables.events import events
from ouzel.system.clock import SystemClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def db(tmp_path: Path) -> AsyncGenerator[Db]:
    async with open_db(tmp_path / "ouzel.db", SystemClock()) as opened:
        yield opened


async def _emit(db: Db, count: int = 1) -> None:
    for _ in range(count):
        async with db.transaction() as tx:
            tx.emit(Happening("layer.changed", "global"))


async def _numbers(listening: Subscription, count: int) -> list[int | Resync | None]:
    with anyio.fail_after(30):
        told = [await listening.next() for _ in range(count)]
    return [each if each is None or isinstance(each, Resync) else each.number for each in told]


async def test_what_was_stored_comes_first_then_what_is_new(db: Db) -> None:
    await _emit(db, 3)
    bus = EventBus(db)
    async with bus.subscribe(1) as listening, anyio.create_task_group() as tasks:
        tasks.start_soon(_emit, db, 3)
        assert await _numbers(listening, 5) == [2, 3, 4, 5, 6]


async def test_who_says_nothing_hears_from_now_on(db: Db) -> None:
    await _emit(db, 3)
    bus = EventBus(db)
    async with bus.subscribe() as listening:
        await _emit(db)
        assert await _numbers(listening, 1) == [4]


@pytest.mark.parametrize("recent", [1, 7, 1000])
async def test_at_the_seam_nothing_is_lost_or_comes_twice(db: Db, recent: int) -> None:
    bus = EventBus(db, recent=recent)
    heard: list[list[int | Resync | None]] = []

    async def listen(after: int) -> None:
        async with bus.subscribe(after) as listening:
            heard.append(await _numbers(listening, 120 - after))

    async with anyio.create_task_group() as tasks:
        for turn in range(12):
            await _emit(db, 5)
            tasks.start_soon(listen, turn * 5)
            tasks.start_soon(_emit, db, 5)

    assert len(heard) == 12
    for numbers in heard:
        assert numbers == list(range(numbers[0] if isinstance(numbers[0], int) else 0, 121))


async def test_waiting_may_be_given_up_and_nothing_is_lost_by_it(db: Db) -> None:
    bus = EventBus(db)
    async with bus.subscribe(0) as listening:
        for _ in range(3):
            with anyio.move_on_after(0):
                await listening.next()
        await _emit(db, 2)
        assert await _numbers(listening, 2) == [1, 2]


async def test_who_is_too_far_behind_is_told_to_read_anew_and_goes_on_from_there(db: Db) -> None:
    bus = EventBus(db, furthest=10)
    await _emit(db, 11)
    async with bus.subscribe(0) as listening, bus.subscribe(1) as another:
        assert await _numbers(listening, 1) == [Resync(11)]
        assert await _numbers(another, 1) == [2]
        await _emit(db)
        assert await _numbers(listening, 1) == [12]


async def test_who_falls_behind_while_it_listens_is_told_too(db: Db) -> None:
    bus = EventBus(db, furthest=600, recent=10)
    async with bus.subscribe(0) as listening:
        await _emit(db)
        assert await _numbers(listening, 1) == [1]
        async with db.transaction() as tx:
            tx.emit(*[Happening("layer.changed", "global")] * 601)
        assert await _numbers(listening, 1) == [Resync(602)]


async def test_who_knows_what_is_not_stored_any_more_reads_anew(db: Db) -> None:
    await _emit(db, 5)
    async with db.transaction() as tx:
        await tx.execute(delete(events).where(events.c.number <= 3))
    bus = EventBus(db)
    async with bus.subscribe(2) as lost, bus.subscribe(3) as found, bus.subscribe(99) as strange:
        assert await _numbers(lost, 1) == [Resync(5)]
        assert await _numbers(found, 2) == [4, 5]
        assert await _numbers(strange, 1) == [Resync(5)]


async def test_who_waits_is_told_when_it_happens(db: Db) -> None:
    bus = EventBus(db)
    heard: list[int | Resync | None] = []

    async def listen() -> None:
        async with bus.subscribe() as listening:
            heard.extend(await _numbers(listening, 2))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        for _ in range(2):
            while not bus.news.statistics().tasks_waiting:
                await anyio.lowlevel.checkpoint()
            await _emit(db)
    assert heard == [1, 2]


async def test_when_it_is_closed_all_come_to_their_end(db: Db) -> None:
    bus = EventBus(db)
    ended: list[object] = []

    async def listen() -> None:
        async with bus.subscribe() as listening:
            ended.append(await listening.next())

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(listen)
        await anyio.wait_all_tasks_blocked()
        bus.close()
    assert ended == [None] * 3
    assert bus.listeners == 0


async def test_what_happened_before_the_end_is_told_before_it(db: Db) -> None:
    bus = EventBus(db)
    async with bus.subscribe() as listening:
        await _emit(db, 2)
        bus.close()
        assert await _numbers(listening, 3) == [1, 2, None]


async def test_what_is_told_in_passing_is_not_stored_and_only_the_latest_of_each_counts(db: Db) -> None:
    bus = EventBus(db)
    await _emit(db)
    bus.tell(Happening("download.progress", "z", {"n": 0}))  # nobody listens yet
    async with bus.subscribe() as listening:
        for number in range(3):
            bus.tell(Happening("download.progress", "a", {"n": number}))
        bus.tell(Happening("download.progress", "b", {"n": 9}))
        await _emit(db)
        with anyio.fail_after(30):
            told = [await listening.next() for _ in range(3)]
        assert [(each.code, each.subject, each.number) for each in told if not isinstance(each, Resync | None)] == [
            ("layer.changed", "global", 2), ("download.progress", "a", 2), ("download.progress", "b", 2),
        ]  # fmt: skip
        assert told[1] is not None
        assert not isinstance(told[1], Resync)
        assert told[1].data == {"n": 2}
        bus.tell(Happening("download.progress", "a", {"n": 4}))
        bus.hush("download.progress", "a")
        await _emit(db)
        assert await _numbers(listening, 1) == [3]
    assert [each.code for each in await db.events_after(0)] == ["layer.changed"] * 3
    bus.close()
