"""The clock that a test moves, and the resolver that it scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from ouzel.testing.clock import FakeClock
from ouzel.testing.resolver import FakeResolver

pytestmark = pytest.mark.anyio
START = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock = FakeClock(START)
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with anyio.create_task_group() as tasks:
        for seconds in (5, 1, 3):
            tasks.start_soon(sleeper, seconds)
        await clock.wait_sleepers(3)
        clock.advance(0.5)
        await anyio.wait_all_tasks_blocked()
        assert woken == []
        clock.advance(2.5)
        await anyio.wait_all_tasks_blocked()
        assert woken == [1, 3]
        assert clock.sleepers == 1
        clock.advance(2)

    assert woken == [1, 3, 5]
    assert clock.now() == START + timedelta(seconds=5)
    assert clock.monotonic() == 5


async def test_a_jump_moves_the_wall_clock_only() -> None:
    clock = FakeClock(START)
    with anyio.move_on_after(0) as scope:
        clock.jump(3600)
        await clock.sleep(1)

    assert scope.cancelled_caught
    assert clock.sleepers == 0  # a cancelled sleeper is forgotten
    assert clock.now() == START + timedelta(hours=1)
    assert clock.monotonic() == 0
    clock.jump(-7200)
    assert clock.now() == START - timedelta(hours=1)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


async def test_a_resolver_follows_its_script() -> None:
    resolver = FakeResolver(lambda: f"url{resolver.calls}").then(None, KeyError("blocked"), "other")

    assert await resolver.resolve() is None
    with pytest.raises(KeyError, match="blocked"):
        await resolver.resolve()
    assert [await resolver.resolve(), await resolver.resolve()] == ["other", "url4"]
    resolver.offline = True
    assert await resolver.resolve() is None
    assert resolver.calls == 5
