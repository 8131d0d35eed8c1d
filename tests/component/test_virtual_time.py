"""A loop whose time jumps, and does not jump while threads are at work."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from sqlalchemy import func, insert, select

from ouzel.store.db import open_db
from ouzel.store.tables import layers
from ouzel.testing.virtual_time import VirtualClock, simulate, virtual_loop


def test_an_hour_takes_no_time_and_timers_fire_in_their_order() -> None:
    fired = list[tuple[str, float]]()

    async def sleeper(name: str, each_s: float, times: int) -> None:
        for _ in range(times):
            await anyio.sleep(each_s)
            fired.append((name, anyio.current_time()))

    async def main() -> datetime:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sleeper, "long", 1800, 2)
            tasks.start_soon(sleeper, "short", 1000, 3)
        with anyio.move_on_after(400):
            await anyio.sleep_forever()
        return VirtualClock().now()

    began = time.monotonic()
    assert simulate(main) == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=4000)
    assert time.monotonic() - began < 60
    expected = [("short", 1000), ("long", 1800), ("short", 2000), ("short", 3000), ("long", 3600)]
    assert [(name, round(at_s)) for name, at_s in fired] == expected


@pytest.mark.parametrize("how", ["thread", "working"])
def test_the_clock_stands_still_while_others_work(how: str) -> None:
    go = threading.Event()

    async def main() -> float:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep, 100)  # a timer to which the clock could jump
            if how == "thread":
                timer = threading.Timer(0.05, go.set)
                timer.start()
                await anyio.to_thread.run_sync(go.wait)
            else:
                done = anyio.Event()
                loop = virtual_loop()
                with loop.working():
                    timer = threading.Timer(0.05, loop.call_soon_threadsafe, (done.set,))
                    timer.start()
                    await done.wait()
            timer.join()
            worked_until = anyio.current_time()
        assert anyio.current_time() == pytest.approx(100)
        return worked_until

    assert simulate(main) == 0.0


def test_the_database_takes_no_virtual_time(tmp_path: Path) -> None:
    async def main() -> tuple[float, int]:
        async def tick() -> None:
            for _ in range(1000):
                await anyio.sleep(10)

        async with open_db(tmp_path / "ouzel.db", VirtualClock()) as db, anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            began = anyio.current_time()
            for number in range(50):
                row = {"scope": f"platform:{number}", "settings": {}, "revision": 1, "updated_at": db.clock.now()}
                async with db.transaction() as tx:
                    await tx.execute(insert(layers), [row])
            took = anyio.current_time() - began
            tasks.cancel_scope.cancel()
            return took, await db.scalar(select(func.count()).select_from(layers))

    assert simulate(main) == (0.0, 50)
