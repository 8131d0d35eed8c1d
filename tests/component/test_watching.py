"""Watching, in virtual time: scripted platforms, a real database, the real supervisor, and recorders that only stand there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from sqlalchemy import select
from tests.fake_sites import START, Room, Site, World, world

from ouzel.base.errors import Blocked, ConnectFailed, SiteChanged
from ouzel.model.budget import BudgetRules
from ouzel.model.channel import Channel
from ouzel.model.live import Identity, Live, Offline
from ouzel.services.channel_forms import ChannelEdit
from ouzel.store.tables import broadcasts
from ouzel.testing.virtual_time import simulate

HUYA = "huya"


def site(*rooms: Room, name: str = HUYA, at_once: int = 0) -> Site:
    return Site(name, at_once, rooms={room.id: room for room in rooms})


def play(
    folder: Path, sites: list[Site], story: Callable[[World], Awaitable[None]], *, begin_s: float = 0.0, **given: object
) -> World:
    """Run it; what it leaves can be looked at."""

    async def main() -> World:
        async with world(folder, sites, **given) as made:  # type: ignore[arg-type]
            await story(made)
            return made

    return simulate(main, begin_s=begin_s)


async def states(made: World, channel: Channel) -> list[tuple[str, str | None, float]]:
    """The history, the oldest first, with when."""
    rows = await made.standings.history(channel.id)
    return [(row["state"], row["code"], (row["at"] - START).total_seconds()) for row in reversed(rows)]


def test_a_broadcast_is_found_held_and_over_after_three_answers(tmp_path: Path) -> None:
    room = Room("1", on_air=[(100.0, 1000.0)])

    async def story(made: World) -> None:
        channel = await made.add(HUYA, "1")
        await made.begin()
        await anyio.sleep(600)
        assert made.recorders.running == {"huya:1": (await made.db.one(select(broadcasts)))["id"]}  # type: ignore[index]
        standing = await made.standings.get(channel.id)
        assert standing is not None
        assert (standing.state, standing.title, standing.evidence[0]["status"]) == ("live", "part 0", 200)
        await anyio.sleep(600)
        rows = await made.db.read(select(broadcasts))
        assert [(row["state"], row["title"]) for row in rows] == [("ended", "part 1")]
        assert made.recorders.running == {}
        history = await states(made, channel)
        assert [state for state, _, _ in history] == ["offline", "live", "offline"]
        assert 100 <= history[1][2] <= 134

    made = play(tmp_path, [site(room)], story)
    over = [
        heard
        for heard in made.heard
        if isinstance(heard.outcome, Offline) and heard.at > START + timedelta(seconds=999)
    ]
    gaps = [(b.at - a.at).total_seconds() for a, b in pairwise(over)]
    assert [heard.offline_in_row for heard in over] == [1, 2, 3]
    assert gaps == pytest.approx([20.3, 20.3], abs=0.2)
    on_air = [t for t in room.asked if 140 < t < 1000]
    assert min(b - a for a, b in pairwise(on_air)) >= 60  # seldom while it is on air


def test_an_error_never_means_that_it_is_over(tmp_path: Path) -> None:
    room = Room("1", on_air=[(10.0, 3000.0)])
    huya = site(room)
    huya.outages = [(300.0, 700.0, SiteChanged), (1000.0, 1300.0, ConnectFailed)]

    async def story(made: World) -> None:
        channel = await made.add(HUYA, "1")
        await made.begin()
        await anyio.sleep(2000)
        rows = await made.db.read(select(broadcasts))
        assert [row["state"] for row in rows] == ["live"]
        told = [(state, code) for state, code, _ in await states(made, channel)]
        expected = [
            ("live", None),
            ("broken", "site_changed"),
            ("live", None),
            ("blocked", "connect_failed"),
            ("live", None),
        ]
        assert [each for each in told if each != ("offline", None)] == expected

    made = play(tmp_path, [huya], story)
    assert set(made.recorders.taken.values()) == {1}


def test_errors_do_not_count_among_the_answers_that_it_is_over(tmp_path: Path) -> None:
    huya = site(Room("1", on_air=[(10.0, 300.0)]))
    huya.outages = [(200.0, 400.0, SiteChanged)]

    async def story(made: World) -> None:
        await made.add(HUYA, "1")
        await made.begin()
        await anyio.sleep(900)

    made = play(tmp_path, [huya], story)
    rows = [heard.offline_in_row for heard in made.heard if heard.at > START + timedelta(seconds=300)]
    assert rows == [1, 2, 3]


def test_who_is_to_be_asked_now_and_is_being_asked_is_asked_again(tmp_path: Path) -> None:
    room = Room("1")
    huya = site(room)
    huya.latency_s = 5.0

    async def story(made: World) -> None:
        channel = await made.add(HUYA, "1")
        await made.begin()
        await anyio.sleep(1)
        made.watching.nudge(channel.id)
        await anyio.sleep(8)
        assert [at - room.asked[0] for at in room.asked] == pytest.approx([0, 5], abs=0.1)

    play(tmp_path, [huya], story)


def test_a_drop_is_asked_about_at_once(tmp_path: Path) -> None:
    room = Room("1", on_air=[(0.0, 200.0), (215.0, 900.0)])

    async def story(made: World) -> None:
        channel = await made.add(HUYA, "1")
        await made.begin()
        await anyio.sleep(205)
        made.watching.nudge(channel.id)
        await anyio.sleep(2)
        assert room.asked[-1] == pytest.approx(205, abs=0.6)
        last = made.heard[-1]
        assert (type(last.outcome), last.offline_in_row) == (Offline, 1)
        await anyio.sleep(30)
        assert (type(made.heard[-1].outcome), made.heard[-1].offline_in_row) == (Live, 0)

    play(tmp_path, [site(room)], story)


def test_who_records_asks_before_its_turn_and_all_hear_it(tmp_path: Path) -> None:
    rooms = [Room(str(number), on_air=[(0.0, 9e9)] if number == 1 else []) for number in range(1, 40)]

    async def story(made: World) -> None:
        added = await made.add_all([(HUYA, room.id, True, {}) for room in rooms])
        await made.begin()
        await anyio.sleep(120)  # far too many for the budget
        began = anyio.current_time()
        told = await made.watching.ask(added[0])
        assert isinstance(told.outcome, Live)
        assert anyio.current_time() - began < 0.5
        assert made.watching.latest(added[0].id) == told.outcome
        assert made.heard[-1].outcome == told.outcome
        await anyio.sleep(30)
        assert made.watching.latest(added[0].id) is None

    play(tmp_path, [site(*rooms)], story, budgets={HUYA: BudgetRules(requests_per_minute=12)})


def test_what_is_not_watched_any_more_is_asked_for_its_recording_only(tmp_path: Path) -> None:
    room = Room("1", on_air=[(0.0, 500.0)])

    async def story(made: World) -> None:
        channel = await made.add(HUYA, "1")
        await made.begin()
        await anyio.sleep(100)
        await made.channels.edit(channel.id, ChannelEdit(watch=False), by="me")
        await anyio.sleep(300)
        assert max(room.asked) < 101
        assert made.recorders.running
        await anyio.sleep(150)
        await made.watching.ask(made.channels.get(channel.id))
        assert isinstance(made.heard[-1].outcome, Offline)
        rows = await made.db.read(select(broadcasts.c.state))
        assert [row["state"] for row in rows] == ["parked"]

    play(tmp_path, [site(room)], story)


def test_an_edit_counts_from_now_on(tmp_path: Path) -> None:
    rooms = [Room("1"), Room("2")]

    async def story(made: World) -> None:
        channel = await made.add(HUYA, "1")
        await made.begin()
        await anyio.sleep(100)
        await made.channels.edit(channel.id, ChannelEdit(settings={"interval_s": 300}), by="me")
        await anyio.sleep(1800)
        times = rooms[0].asked[-5:]
        assert all(270 <= b - a <= 331 for a, b in pairwise(times))
        other = await made.add(HUYA, "2")
        made.watching.reload([other.id])
        await anyio.sleep(1)
        assert len(rooms[1].asked) == 1  # at once

    play(tmp_path, [site(*rooms)], story)


def test_outside_its_hours_nobody_asks(tmp_path: Path) -> None:
    room = Room("1")
    hours = {"settings": {"schedule": [{"from": "01:00", "to": "02:00"}], "time_zone": "UTC"}}

    async def story(made: World) -> None:
        channel = await made.add(HUYA, "1", **hours)
        await made.begin()
        await anyio.sleep(3 * 3600)
        assert room.asked
        assert (min(room.asked), max(room.asked)) == (pytest.approx(3600, abs=2), pytest.approx(7200, abs=35))
        assert max(room.asked) < 7200
        standing = await made.standings.get(channel.id)
        assert standing is not None
        assert standing.due_at == START + timedelta(hours=25)

    play(tmp_path, [site(room)], story)


def test_a_platform_that_blocks_is_left_alone_by_all_and_somebody_is_told_with_the_proof(tmp_path: Path) -> None:
    rooms = [Room(str(number)) for number in range(10)]
    huya = site(*rooms)
    huya.outages = [(300.0, 900.0, Blocked)]

    async def story(made: World) -> None:
        added = await made.add_all([(HUYA, room.id, True, {}) for room in rooms])
        await made.begin()
        await anyio.sleep(3000)
        assert [state for state, _, _ in await states(made, added[0])][-1] == "offline"
        asked = [t for t in huya.requests if 300 <= t < 900]
        assert len(asked) <= 12  # it was 20 a minute before
        assert [(t.code, t.over, t.data.get("for_s")) for _, t in made.troubles] == [
            ("blocked", False, 30), ("blocked", False, 60), ("blocked", False, 120), ("blocked", False, 240),
            ("blocked", False, 480), ("blocked", True, None),
        ]  # fmt: skip
        assert made.troubles[0][1].data["evidence"][0]["status"] == 200

    play(tmp_path, [huya], story)


def test_a_budget_that_is_too_small_starves_nobody_and_is_told(tmp_path: Path) -> None:
    rooms = [Room(str(number)) for number in range(60)]

    async def story(made: World) -> None:
        await made.add_all([(HUYA, room.id, True, {}) for room in rooms])
        await made.begin()
        await anyio.sleep(3600)
        gaps = [b - a for room in rooms for a, b in zip(room.asked, room.asked[1:], strict=False)]
        assert max(gaps) < 2.2 * 150  # 60 channels at 24 a minute: 150 s
        assert [(t.code, t.over) for _, t in made.troubles] == [("strained", False)]
        assert made.watching.loads()[0].strained

    made = play(tmp_path, [site(*rooms)], story, budgets={HUYA: BudgetRules(requests_per_minute=24)})
    assert 1390 <= len(made.sites[HUYA].requests) <= 24 * 60 + 10


def test_a_platform_that_tells_of_many_is_asked_about_many(tmp_path: Path) -> None:
    rooms = [Room(str(number), on_air=[(900.0 + 10 * number, 2400.0)] if number < 5 else []) for number in range(100)]

    async def story(made: World) -> None:
        await made.add_all([(HUYA, room.id, True, {}) for room in rooms])
        await made.begin()
        await anyio.sleep(1500)
        rows = await made.db.read(select(broadcasts))
        assert len(rows) == 5
        assert all((row["seen_at"] - row["started_at"]).total_seconds() >= 0 for row in rows)
        titles = {row["title"] for row in rows}
        assert titles == {"part 0"}
        await anyio.sleep(300)
        assert {row["title"] for row in await made.db.read(select(broadcasts))} == {"part 1"}
        assert len(made.recorders.running) == 5

    made = play(tmp_path, [site(*rooms, at_once=50)], story)
    found = {heard.channel.id: heard.at for heard in reversed(made.heard) if isinstance(heard.outcome, Live)}
    starts = {each.channel.id: each.outcome.started_at for each in made.heard if isinstance(each.outcome, Live)}
    assert all(found[each] - starts[each] <= timedelta(seconds=35) for each in found)  # type: ignore[operator]
    asked = [t for t in made.sites[HUYA].requests if 300 < t < 900]
    assert len(asked) < 90  # 100 channels, each every 30 s for ten minutes: 2000 by themselves


def test_who_is_renamed_keeps_the_folder_and_two_addresses_of_a_room_are_one_channel(tmp_path: Path) -> None:
    room = Room("7", "Old", renamed=(300.0, "New"))
    huya = site(room)
    huya.rooms["short"] = room

    async def story(made: World) -> None:
        first, second = await made.add_all([(HUYA, "7", False, {}), (HUYA, "short", False, {})])
        await made.begin()
        await anyio.sleep(600)
        (left,) = made.channels.all()
        assert left.identity == Identity(HUYA, "7")
        assert set(left.addresses) == {first.address, second.address}
        assert (left.name, left.aliases[-1]) == ("New", "Old")
        assert left.folder in {first.folder, second.folder}
        codes = [event.code for event in await made.db.events_after(0)]
        assert (codes.count("channel.merged"), codes.count("channel.renamed")) == (1, 2)
        before = len(room.asked)
        await anyio.sleep(300)
        assert 9 <= len(room.asked) - before <= 11  # one of them is asked about

    play(tmp_path, [huya], story)


def test_after_a_restart_all_goes_on_without_a_burst(tmp_path: Path) -> None:
    rooms = [Room(str(number), on_air=[(50.0, 9000.0)] if number < 3 else []) for number in range(40)]

    async def before(made: World) -> None:
        await made.add_all([(HUYA, room.id, True, {}) for room in rooms])
        await made.begin()
        await anyio.sleep(600)

    async def after(made: World) -> None:
        await made.begin()
        await anyio.sleep(20)
        assert [room.asked[0] for room in rooms[:3]] == pytest.approx(
            [702.0] * 3, abs=4
        )  # what was on air first of all
        await anyio.sleep(100)
        assert all(room.asked for room in rooms)
        rows = await made.db.read(select(broadcasts))
        assert [row["state"] for row in rows] == ["live"] * 3

    play(tmp_path, [site(*rooms)], before)
    for room in rooms:
        room.asked.clear()
    made = play(tmp_path, [site(*rooms)], after, begin_s=700.0)
    assert len([t for t in made.sites[HUYA].requests if t < 705]) <= 10


def test_answers_that_say_nothing_new_are_written_together(tmp_path: Path) -> None:
    rooms = [Room(str(number)) for number in range(20)]
    written = list[str]()

    async def story(made: World) -> None:
        added = await made.add_all([(HUYA, room.id, True, {}) for room in rooms])
        await made.begin()
        await anyio.sleep(300)
        put, repo = type(made.standings).put_in, type(made.standings)

        async def counted(self: object, tx: object, *told: object) -> None:
            written.append(str(len(told)))
            await put(self, tx, *told)  # type: ignore[arg-type]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(repo, "put_in", counted)
            await anyio.sleep(600)
        assert len(written) == 5
        standing = await made.standings.get(added[0].id)
        assert standing is not None
        assert standing.asked_at is not None
        assert standing.asked_at > made.db.clock.now() - timedelta(seconds=155)

    made = play(tmp_path, [site(*rooms)], story, budgets={HUYA: BudgetRules(requests_per_minute=120)})
    assert len(made.sites[HUYA].requests) > 500
