"""A thousand channels on twelve platforms, a hundred recorded at once, for an hour of virtual time."""

from __future__ import annotations

import gc
import math
import sys
from bisect import bisect_right
from pathlib import Path
from random import Random

import anyio
from sqlalchemy import func, select
from tests.fake_sites import Room, Site, World, world

from ouzel.base.errors import Blocked, ConnectFailed, OuzelError, SiteChanged
from ouzel.model.budget import BudgetRules
from ouzel.store.tables import broadcasts, standing_history, standings
from ouzel.testing.virtual_time import simulate

HOUR_S = 3600.0
ROOMS, SITES, TWICE = 82, 12, 20
TIGHT = {"s9", "s10", "s11"}
"""Their budgets are too small for the intervals."""
AMPLE = BudgetRules(requests_per_minute=240, apart_s=0.2)
BUDGETS = {f"s{n}": AMPLE for n in (7, 8)}
OUTAGES: dict[str, tuple[float, float, type[OuzelError]]] = {
    "s1": (1200.0, 1500.0, Blocked), "s7": (900.0, 1100.0, Blocked), "s6": (2000.0, 2100.0, ConnectFailed),
    "s8": (600.0, 800.0, SiteChanged), "s11": (1500.0, 1600.0, Blocked),
}  # fmt: skip
MOST_GROWTH = 20_000
"""Pieces of memory, a piece having a hundred bytes or so."""


def make_sites(random: Random) -> list[Site]:
    sites = [Site(f"s{n}", at_once=(50, 100, 20, 50, 1000, 82, 10)[n] if n < 7 else 0) for n in range(SITES)]
    for site in sites:
        for number in range(ROOMS):
            room = site.rooms[str(number)] = Room(str(number))
            if number % 4 == 0:
                start = random.uniform(-600.0, 2400.0)
                room.on_air = [(start, start + random.uniform(1200.0, 2400.0))]
            elif number % 10 == 1:
                start = random.uniform(60.0, 1000.0)
                room.on_air = [(start, start + 600.0), (start + 1500.0, start + 2300.0)]
            if number % 16 == 3:
                room.renamed = (random.uniform(100.0, 3000.0), f"new {number}")
            if number == 50:
                room.gone_from = 1000.0
            if number % 20 == 4:
                room.wrong_once = {random.randrange(3, 12): SiteChanged("garbage")}
        if site.name in OUTAGES:
            site.outages = [OUTAGES[site.name]]
    for number in range(TWICE):  # another address of a room
        site = sites[number % SITES]
        site.rooms[f"alias{number}"] = site.rooms[str(4 * number)]
    return sites


def test_an_hour_of_a_thousand_channels(tmp_path: Path) -> None:
    sites = make_sites(Random(2026))
    grown = list[int]()

    async def main() -> World:
        async with world(tmp_path, sites, budgets=BUDGETS, keep_heard=False) as made:
            twice = {(site.name, room.id) for site in sites for name, room in site.rooms.items() if name != room.id}
            await made.add_all(
                [(s.name, name, (s.name, room.id) not in twice, {}) for s in sites for name, room in s.rooms.items()]
            )
            assert len(made.channels.all()) >= 1000
            await made.begin()
            await anyio.sleep(HOUR_S * 2 / 3)
            before = _blocks(made)
            await anyio.sleep(HOUR_S / 3)
            grown.append(_blocks(made) - before)
            await _check_rows(made)
            return made

    made = simulate(main)
    _check_starts(made)
    _check_budgets(made)
    assert made.recorders.most >= 100
    assert set(made.recorders.taken.values()) == {1}, "a broadcast was taken up twice"
    assert grown[0] < MOST_GROWTH


def _blocks(made: World) -> int:
    """Pieces of memory in use, but for the instants that the platforms themselves remember."""
    gc.collect()
    remembered = sum(
        len(site.requests) + sum(len(r.asked) for r in site.rooms.values()) for site in made.sites.values()
    )
    return sys.getallocatedblocks() - remembered


async def _check_rows(made: World) -> None:
    alive = {channel.id for channel in made.channels.all()}
    assert len(alive) == SITES * ROOMS, "two addresses of a room are one channel"
    known = {row["channel_id"]: row["state"] for row in await made.db.read(select(standings))}
    assert alive <= set(known)
    assert [known[c.id] for c in made.channels.all() if c.name.startswith("50") or c.aliases[:1] == ("50",)]
    doubles = select(broadcasts.c.own_name, broadcasts.c.channel_id, func.count()).group_by(
        broadcasts.c.own_name, broadcasts.c.channel_id
    )
    assert {row["count_1"] for row in await made.db.read(doubles)} == {1}
    named = {channel.name for channel in made.channels.all()}
    assert {"new 3", "new 19"} <= named
    history = await made.db.scalar(select(func.count()).select_from(standing_history))
    assert history < 10_000


def _check_starts(made: World) -> None:
    """Every beginning was found by the first question after it that was answered, and that came in time."""
    checked = 0
    for site in made.sites.values():
        for room in {id(room): room for room in site.rooms.values()}.values():
            for start, end in room.on_air:
                if 0.0 < start < HOUR_S - 700 and start < room.gone_from:
                    _check_start(made, site, room, start, end)
                    checked += 1
    assert checked > 300


def _check_start(made: World, site: Site, room: Room, start: float, end: float) -> None:
    ready_s, slack_s = start, _poll_s(site)
    for begin, over, _ in site.outages:
        if begin <= start + slack_s and start < over + (over - begin) + slack_s:
            ready_s, slack_s = (
                max(start, over),
                over - begin + 2 * slack_s,
            )  # it has been left alone for as long as it lasted
    if room.renamed is not None or any(True for _ in room.wrong_once):
        slack_s *= 2
    if room.id in {str(number) for number in range(4, ROOMS, 20)}:
        slack_s *= 2  # one of its answers was garbage
    found_s = made.first.get((site.name, room.id, math.floor(start)))
    assert found_s is not None, (site.name, room.id, start, end, room.asked)
    times = sorted(room.asked)
    asked_s = times[bisect_right(times, ready_s)]
    assert asked_s - ready_s <= slack_s, (site.name, room.id, start, asked_s)
    assert found_s - ready_s <= slack_s + _poll_s(site) / 2, (site.name, room.id, start, asked_s, found_s)


def _poll_s(site: Site) -> float:
    """One poll of it at the most."""
    rules = BUDGETS.get(site.name, BudgetRules())
    share_s = ROOMS * 60.0 / rules.requests_per_minute if not site.at_once else 0.0
    return max(33.0, 2.0 * share_s if share_s > 30.0 else 0.0) + 5.0


def _check_budgets(made: World) -> None:
    for site in made.sites.values():
        rules = BUDGETS.get(site.name, BudgetRules())
        times = site.requests
        for at in range(0, int(HOUR_S), 60):
            asked = bisect_right(times, at + 60.0) - bisect_right(times, at)
            assert asked <= rules.requests_per_minute + 2 * rules.burst, (site.name, at, asked)
        assert len(times) <= rules.requests_per_minute * 60 + 2 * rules.burst
        for begin, over, kind in site.outages:
            if kind is Blocked:
                during = bisect_right(times, over) - bisect_right(times, begin)
                assert during <= 20 + rules.burst, (site.name, during)
    strained = {trouble.platform for _, trouble in made.troubles if trouble.code == "strained"}
    assert strained == TIGHT
