"""The supervisor over the embedded database: what is wanted runs, what crashed runs again, what nobody wants is ended."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from sqlalchemy import select

from ouzel.base.errors import BadUrl, ConnectionLost, RateLimited, StaleOwner, StorageError
from ouzel.model.happening import Happening
from ouzel.model.ownership import ALONE, StopReason, TaskState, TaskView, Terms
from ouzel.services.bodies import Body, Context, Ending
from ouzel.services.supervisor import Supervisor
from ouzel.store.db import Db, open_db
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.tables.ownership import owns
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
Play = Callable[[Context], Awaitable[None]]


async def until_stopped(ctx: Context) -> None:
    await ctx.stopping.wait()


@dataclass
class House:
    """A supervisor at work, and what its bodies did."""

    db: Db
    clock: FakeClock
    ownership: SqliteOwnership
    play: Play = until_stopped
    began: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    ended: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    crashes: list[TaskView] = field(default_factory=list[TaskView])
    _changed: anyio.Event = field(default_factory=anyio.Event)
    supervisor: Supervisor = field(init=False)

    async def run(self, ctx: Context) -> None:
        self.began.append((ctx.key, ctx.epoch))
        self._tell()
        how = "cancelled"
        try:
            await self.play(ctx)
            how = "returned"
        except Exception as exc:
            how = type(exc).__name__
            raise
        finally:
            self.ended.append((ctx.key, how))
            self._tell()

    async def on_crash(self, view: TaskView) -> None:
        self.crashes.append(view)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def until(self, true: Callable[[], bool]) -> None:
        with anyio.fail_after(20):
            while not true():
                await self._changed.wait()

    async def idle(self) -> None:
        """The supervisor has looked, and sleeps."""
        with anyio.fail_after(20):
            await self.clock.wait_sleepers(1)

    async def state_of(self, key: str) -> dict[str, object]:
        row = await self.db.one(select(owns).where(owns.c.key == key))
        assert row is not None
        return dict(row)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    clock = FakeClock()
    async with open_db(tmp_path / "ouzel.db", clock) as db:
        yield House(db, clock, SqliteOwnership(db, lease_clock=clock.monotonic))


@asynccontextmanager
async def at_work(
    house: House,
    *,
    slots: int = 5,
    patience_s: float = 60.0,
    ended: Callable[[Context, Ending], Awaitable[bool]] | None = None,
    settle: Callable[[], Awaitable[object]] | None = None,
) -> AsyncGenerator[Supervisor]:
    body = Body(house.run, slots, patience_s, ended)
    supervisor = Supervisor(
        house.ownership, {"rec": body}, house.clock, settle=settle, on_crash=house.on_crash, sleep=house.clock.sleep
    )
    house.supervisor = supervisor
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            await house.idle()
            try:
                yield supervisor
            finally:
                supervisor.stop(0)


async def test_what_is_wanted_runs_at_once_without_waiting_for_a_beat(house: House) -> None:
    async with at_work(house) as supervisor:
        await house.ownership.want("rec:a", {"broadcast": "x"})
        await house.until(lambda: house.began == [("rec:a", 1)])

        (view,) = supervisor.snapshot()
        assert (view.key, view.kind, view.state, view.epoch, view.restarts) == ("rec:a", "rec", TaskState.RUNNING, 1, 0)
    assert house.clock.monotonic() == 0, "no time has passed"


async def test_a_beat_while_nothing_waits_is_one_transaction(house: House) -> None:
    async with at_work(house):
        await house.ownership.want("rec:a", {})
        await house.until(lambda: bool(house.began))
        await house.idle()
        for _ in range(3):
            before = house.db.writes
            house.clock.advance(ALONE.beat_s)
            await house.idle()
            assert house.db.writes == before + 1


async def test_what_was_wanted_before_it_began_runs(house: House) -> None:
    await house.ownership.want("rec:a", {})
    async with at_work(house):
        await house.until(lambda: house.began == [("rec:a", 1)])


async def test_what_nobody_wants_any_more_is_ended_at_once_and_has_time_to_close(house: House) -> None:
    closing = anyio.Event()
    reasons: list[StopReason | None] = []

    async def play(ctx: Context) -> None:
        await ctx.stopping.wait()
        reasons.append(ctx.reason)
        await closing.wait()
        await ctx.emit(Happening("recording.changed", ctx.key))

    house.play = play
    async with at_work(house) as supervisor:
        await house.ownership.want("rec:a", {})
        await house.until(lambda: bool(house.began))
        await house.ownership.unwant("rec:a")
        with anyio.fail_after(10):
            while not reasons:
                await anyio.lowlevel.checkpoint()
        assert supervisor.snapshot()[0].state is TaskState.STOPPING
        closing.set()
        await house.until(lambda: house.ended == [("rec:a", "returned")])
        await _while(lambda: bool(supervisor.snapshot()))
    assert reasons == [StopReason.UNWANTED]
    assert len(await house.db.events_after(0)) == 1
    assert (await house.state_of("rec:a"))["node"] is None
    assert len(house.began) == 1


async def _while(true: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while true():
            await anyio.lowlevel.checkpoint()


async def test_who_does_not_end_in_time_is_cancelled(house: House) -> None:
    house.play = _forever
    async with at_work(house, patience_s=0.01):
        await house.ownership.want("rec:a", {})
        await house.until(lambda: bool(house.began))
        await house.ownership.unwant("rec:a")
        await house.until(lambda: house.ended == [("rec:a", "cancelled")])


async def _forever(ctx: Context) -> None:
    await anyio.sleep_forever()


async def test_a_crash_is_counted_told_once_with_its_traceback_and_run_again_later(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(ctx: Context) -> None:
        raise KeyError("oops")

    house.play = play
    async with at_work(house) as supervisor:
        await house.ownership.want("rec:a", {})
        await house.until(lambda: len(house.ended) == 2)  # the first time at once
        await house.idle()
        await _while(lambda: not supervisor.snapshot())
        (view,) = supervisor.snapshot()
        assert (view.state, view.restarts, view.code) == (TaskState.HELD, 2, "internal")
        assert "KeyError" in view.last_error
        while len(house.ended) < 4:
            await house.idle()
            house.clock.advance(10)
    traced = [record for record in caplog.records if record.exc_info]
    assert len(traced) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * len(house.crashes)
    assert [view.restarts for view in house.crashes][:4] == [1, 2, 3, 4]
    assert [epoch for _, epoch in house.began][:4] == [1, 2, 3, 4]


async def test_one_body_that_crashes_disturbs_no_other(house: House) -> None:
    async def play(ctx: Context) -> None:
        if ctx.key == "rec:bad":
            raise ExceptionGroup("in a group", [ConnectionLost("lost")])
        await ctx.stopping.wait()

    house.play = play
    async with at_work(house) as supervisor:
        await house.ownership.want("rec:good", {})
        await house.ownership.want("rec:bad", {})
        await house.until(lambda: ("rec:bad", "ExceptionGroup") in house.ended)
        views = {view.key: view for view in supervisor.snapshot()}
        assert views["rec:good"].state is TaskState.RUNNING
    assert house.crashes[0].code == "connection_lost"
    assert house.crashes[0].last_error == "lost"


@pytest.mark.parametrize(
    ("error", "least_s"), [(RateLimited("slow", status=429), 30), (BadUrl("wrong"), 300), (ConnectionLost("x"), 0)]
)
async def test_the_error_says_how_long_its_key_is_left_alone(house: House, error: Exception, least_s: float) -> None:
    async def play(ctx: Context) -> None:
        if len(house.began) == 1:
            raise error
        await ctx.stopping.wait()

    house.play = play
    async with at_work(house):
        await house.ownership.want("rec:a", {})
        await house.until(lambda: bool(house.ended))
        if least_s:
            while (await house.state_of("rec:a"))["node"] is not None:
                await anyio.lowlevel.checkpoint()
            await house.idle()
            house.clock.advance(least_s - 0.001)
            await house.idle()
            assert len(house.began) == 1
            house.clock.advance(0.001)
        await house.until(lambda: len(house.began) == 2)


async def test_wanting_it_anew_runs_at_once_what_was_held_back(house: House) -> None:
    async def play(ctx: Context) -> None:
        if len(house.began) == 1:
            raise BadUrl("wrong")
        await ctx.stopping.wait()

    house.play = play
    async with at_work(house):
        await house.ownership.want("rec:a", {"url": "wrong"})
        await house.until(lambda: bool(house.ended))
        while (await house.state_of("rec:a"))["node"] is not None:
            await anyio.lowlevel.checkpoint()
        await house.ownership.want("rec:a", {"url": "right"})
        await house.until(lambda: len(house.began) == 2)
    assert house.clock.monotonic() == 0


async def test_no_more_run_than_there_are_slots_and_the_next_follows(house: House) -> None:
    go = {f"rec:{n}": anyio.Event() for n in range(30)}

    async def play(ctx: Context) -> None:
        await go[ctx.key].wait()
        await house.ownership.unwant(ctx.key)

    house.play = play
    async with at_work(house, slots=12) as supervisor:
        for key in go:
            await house.ownership.want(key, {})
        await house.until(lambda: len(house.began) == 12)
        await house.idle()
        assert len(supervisor.snapshot()) == 12
        for number in range(18):
            go[house.began[number][0]].set()
            await house.until(lambda number=number: len(house.began) == 13 + number)
            assert len(supervisor.snapshot()) <= 13
        for event in go.values():
            event.set()
        await house.until(lambda: len(house.ended) == 30)
    assert sorted(key for key, _ in house.began) == sorted(go)


async def test_one_kind_does_not_take_the_slots_of_another(house: House) -> None:
    supervisor = Supervisor(
        house.ownership,
        {"rec": Body(house.run, 1, 60.0), "poll": Body(house.run, 5, 60.0)},
        house.clock,
        sleep=house.clock.sleep,
    )
    for key in ("rec:a", "rec:b", "rec:c", "poll:x", "poll:y"):
        await house.ownership.want(key, {})
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            await house.idle()
            assert [view.key for view in supervisor.snapshot()] == ["poll:x", "poll:y", "rec:a"]
            supervisor.stop(60)


async def test_shutdown_ends_all_within_its_time_and_leaves_the_wishes(house: House) -> None:
    async def play(ctx: Context) -> None:
        if ctx.key == "rec:stubborn":
            await anyio.sleep_forever()
        await ctx.stopping.wait()
        assert ctx.reason is StopReason.SHUTDOWN
        await ctx.emit(Happening("recording.changed", ctx.key))  # the last file is closed

    house.play = play
    with anyio.fail_after(20):
        async with at_work(house) as supervisor:
            await house.ownership.want("rec:good", {})
            await house.ownership.want("rec:stubborn", {})
            await house.until(lambda: len(house.began) == 2)
            supervisor.stop(0.05)
            await house.until(lambda: len(house.ended) == 2)
    assert sorted(house.ended) == [("rec:good", "returned"), ("rec:stubborn", "cancelled")]
    assert [event.subject for event in await house.db.events_after(0)] == ["rec:good"]
    for key in ("rec:good", "rec:stubborn"):
        row = await house.state_of(key)
        assert (row["want"], row["node"], row["hold_until"]) == (True, None, None)


async def test_draining_lets_run_what_runs_and_takes_nothing_new(house: House) -> None:
    async with at_work(house) as supervisor:
        await house.ownership.want("rec:a", {})
        await house.until(lambda: bool(house.began))
        await supervisor.drain()
        await house.ownership.want("rec:b", {})
        await house.idle()
        assert [view.key for view in supervisor.snapshot()] == ["rec:a"]
        assert house.ended == []


async def test_who_was_fenced_ends_all_and_does_not_come_back(house: House, tmp_path: Path) -> None:
    reasons: list[tuple[StopReason | None, bool]] = []

    async def play(ctx: Context) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            reasons.append((ctx.reason, ctx.owned()))

    async def be_fenced() -> None:
        async with at_work(house) as supervisor, open_db(tmp_path / "ouzel.db", house.clock) as theirs:
            await house.ownership.want("rec:a", {})
            await house.until(lambda: bool(house.began))
            await SqliteOwnership(theirs).register("other", cap=5)
            supervisor.wake()
            await house.until(lambda: bool(house.ended))

    house.play = play
    with pytest.raises(ExceptionGroup) as caught:
        await be_fenced()
    assert caught.group_contains(StaleOwner)
    assert reasons == [(StopReason.FENCED, False)]
    assert house.crashes == []


async def test_a_body_that_finds_itself_fenced_is_no_crash(house: House) -> None:
    async def play(ctx: Context) -> None:
        await house.ownership.register("again", cap=5)
        await ctx.emit(Happening("recording.changed", ctx.key))

    house.play = play
    async with at_work(house):
        await house.ownership.want("rec:a", {})
        await house.until(lambda: bool(house.ended))
        house.play = until_stopped
    assert house.ended[0] == ("rec:a", "StaleOwner")
    assert house.crashes == []


async def test_a_database_that_takes_nothing_ends_nothing_while_we_are_alone(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse() -> None:
        raise StorageError("the disk with the database is full")

    async with at_work(house) as supervisor:
        await house.ownership.want("rec:a", {})
        await house.until(lambda: bool(house.began))
        await house.idle()
        with monkeypatch.context() as patch:
            patch.setattr(house.ownership, "beat", refuse)
            for _ in range(50):
                house.clock.advance(ALONE.beat_s)
                await house.idle()
            assert supervisor.snapshot()[0].state is TaskState.RUNNING
        house.clock.advance(ALONE.beat_s)
        await house.ownership.want("rec:b", {})
        await house.until(lambda: len(house.began) == 2)
    assert ["is full" in record.message for record in caplog.records] == [True], "told once"


async def test_when_others_may_take_over_work_ends_after_the_grace(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse() -> None:
        raise StorageError("gone")

    house.ownership.terms = Terms(beat_s=5, ttl_s=30, grace_s=60)
    house.play = _forever
    async with at_work(house):
        await house.ownership.want("rec:a", {})
        await house.until(lambda: bool(house.began))
        await house.idle()
        monkeypatch.setattr(house.ownership, "beat", refuse)
        for _ in range(16):  # 80 s
            house.clock.advance(5)
            await house.idle()
        assert house.ended == []
        house.clock.advance(5)
        await house.until(lambda: house.ended == [("rec:a", "cancelled")])


async def test_a_body_may_say_itself_how_it_goes_on(house: House) -> None:
    endings: list[Ending] = []

    async def ended(ctx: Context, ending: Ending) -> bool:
        endings.append(ending)
        await house.ownership.release(ctx.grant, hold_s=1000)
        return True

    async def play(ctx: Context) -> None:
        raise ConnectionLost("x")

    house.play = play
    async with at_work(house, ended=ended):
        await house.ownership.want("rec:a", {})
        await house.until(lambda: bool(house.ended))
        await _while(lambda: not endings)
        await house.idle()
        house.clock.advance(500)
        await house.idle()
        assert len(house.began) == 1
    assert isinstance(endings[0].error, ConnectionLost)


async def test_what_others_left_behind_is_put_in_order_before_anything_is_claimed(house: House) -> None:
    order: list[str] = []

    async def settle() -> None:
        order.append("settled")
        assert house.began == []

    await house.ownership.want("rec:a", {})
    async with at_work(house, settle=settle):
        await house.until(lambda: bool(house.began))
    assert order == ["settled"]


async def test_a_key_that_a_body_gave_back_itself_is_not_run_beside_it(house: House) -> None:
    go = anyio.Event()

    async def play(ctx: Context) -> None:
        if ctx.epoch == 1:
            await house.ownership.release(ctx.grant)
            house.supervisor.wake()
            await go.wait()
        else:
            await ctx.stopping.wait()

    house.play = play
    async with at_work(house) as supervisor:
        await house.ownership.want("rec:a", {})
        await _while(lambda: [view.epoch for view in supervisor.snapshot()] != [2])
        await house.idle()
        assert house.began == [("rec:a", 1)]
        go.set()
        await house.until(lambda: house.began == [("rec:a", 1), ("rec:a", 2)])
        assert house.ended == [("rec:a", "returned")]
