"""A thousand channels on three platforms, a hundred recorded at once, asked about over HTTP by the real resolvers.

Only time is virtual: it stands still while a question is under way. The platforms of `test_watch_thousand.py` answer in the
process, for an hour; here it is ten minutes, since each request takes as long as it takes.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, cast
from urllib.parse import parse_qs

import anyio
import anyio.to_thread
import pytest
from sqlalchemy import func, select
from tests.fake_sites import START, Room, Site, World, world

from ouzel.base.errors import Blocked
from ouzel.model.budget import BudgetRules, Budgets
from ouzel.model.standing import Standing
from ouzel.platforms.adapters import adapter_for
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options
from ouzel.platforms.host import ResolverHost
from ouzel.platforms.peeking import Peeked, probe
from ouzel.platforms.registry import registry
from ouzel.platforms.worker import answer
from ouzel.services.asking import PlatformAsker
from ouzel.store.tables import broadcasts
from ouzel.testing.platforms import AskedOf, PlannedAnswer, PlatformServer, platform_server
from ouzel.testing.virtual_time import VirtualClock, simulate

STRETCH_S = 600.0
ROOMS = {"bilibili": 450, "twitch": 450, "missevan": 100}
TWICE = 10
PAGES = {
    "bilibili": "https://live.bilibili.com/{room}",
    "twitch": "https://www.twitch.tv/r{room}",
    "missevan": "https://fm.missevan.com/live/{room}",
}
AMPLE = BudgetRules(requests_per_minute=240, apart_s=0.2)
OUTAGE = (250.0, 340.0, Blocked)
POLL_S = 33.0
BEIJING = timezone(timedelta(hours=8))
MASTER = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=320x180,IVS-NAME="180p"\nhttps://cdn.example/{}.m3u8\n'


def make_sites(random: Random) -> list[Site]:
    sites: list[Site] = []
    for name, rooms in ROOMS.items():
        site = Site(name, page=PAGES[name])
        sites.append(site)
        for number in range(1001, 1001 + rooms):
            room = site.rooms[str(number)] = Room(str(number))
            if number % 7 == 0:
                start = random.uniform(-200.0, 450.0)
                room.on_air = [(start, start + random.uniform(60.0, 200.0) if number % 5 == 0 else math.inf)]
            if number % 50 == 3:
                room.renamed = (random.uniform(60.0, 400.0), f"new {number}")
    bilibili = sites[0]
    bilibili.outages = [OUTAGE]
    for number in range(1, 1 + TWICE):  # a short number of a room
        bilibili.rooms[str(number)] = bilibili.rooms[str(1000 + 7 * number)]
    return sites


class Answering:
    """What the three platforms answer, in the shapes of theirs."""

    def __init__(self, sites: list[Site]) -> None:
        self._sites = {site.name: site for site in sites}
        self._twitch = {f"r{name}": room for name, room in self._sites["twitch"].rooms.items()}

    def __call__(self, asked: AskedOf) -> PlannedAnswer:
        name = {"live": "bilibili", "ttvnw": "twitch"}.get(asked.host.split(".")[1], asked.host.split(".")[1])
        site, now_s = self._sites[name], anyio.current_time()
        site.requests.append(now_s)
        if site.outage(now_s):
            return PlannedAnswer("", "slow down", status=412, type="text/html")
        told = {"bilibili": self._bilibili, "twitch": self._of_twitch, "missevan": self._missevan}[name](asked, now_s)
        return PlannedAnswer("", told if isinstance(told, str) else json.dumps(told))

    def _bilibili(self, asked: AskedOf, now_s: float) -> Mapping[str, Any]:
        given = parse_qs(asked.query)
        if "room_id" in given:
            codec = {
                "codec_name": "avc", "current_qn": 10000, "base_url": f"/{given['room_id'][0]}.flv?",
                "url_info": [{"host": "https://cdn.example", "extra": "a=b"}],
            }  # fmt: skip
            stream = {"protocol_name": "http_stream", "format": [{"format_name": "flv", "codec": [codec]}]}
            return {"code": 0, "data": {"playurl_info": {"playurl": {"g_qn_desc": [], "stream": [stream]}}}}
        rooms = self._sites["bilibili"].rooms
        names = [each for key, values in given.items() if key.startswith("room_ids") for each in values]
        found = {name: self._base(name, rooms[name], now_s) for name in names}
        return {"code": 0, "data": {"by_room_ids": found}}

    def _base(self, name: str, room: Room, now_s: float) -> Mapping[str, Any]:
        start = _ask(room, now_s)
        began = "0000-00-00 00:00:00" if start is None else f"{_instant(start).astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
        return {
            "room_id": int(room.id), "short_id": int(name) if name != room.id else 0, "uname": room.called(now_s),
            "title": "birds", "live_status": int(start is not None), "live_time": began,
        }  # fmt: skip

    def _of_twitch(self, asked: AskedOf, now_s: float) -> Mapping[str, Any] | str:
        if "usher" in asked.host:
            return MASTER.format(asked.path.rpartition("/")[2])
        doc = json.loads(asked.body)
        if "streamPlaybackAccessToken" in doc["query"]:
            return {"data": {"streamPlaybackAccessToken": {"value": "{}", "signature": "0f"}}}
        if "logins" in doc["variables"]:
            return {"data": {"users": [self._user(login, now_s) for login in doc["variables"]["logins"]]}}
        return {"data": {"userOrError": self._user(doc["variables"]["login"], now_s)}}

    def _user(self, login: str, now_s: float) -> Mapping[str, Any]:
        room = self._twitch[login]
        start = _ask(room, now_s)
        stream = start is not None and {
            "id": f"{room.id}@{start}", "type": "live", "createdAt": f"{_instant(start):%Y-%m-%dT%H:%M:%SZ}",
        }  # fmt: skip
        return {
            "id": room.id, "login": login, "displayName": room.called(now_s),
            "broadcastSettings": {"title": "birds"}, "stream": stream or None,
        }  # fmt: skip

    def _missevan(self, asked: AskedOf, now_s: float) -> Mapping[str, Any]:
        room = self._sites["missevan"].rooms[asked.path.rpartition("/")[2]]
        start = _ask(room, now_s)
        began = int(_instant(start).timestamp() * 1000) if start is not None else 0
        status = {"broadcasting": start is not None, "open_time": began}
        told = {
            "room_id": int(room.id), "name": "birds", "status": status,
            "channel": {"flv_pull_url": f"https://cdn.example/{room.id}.flv"},
        }  # fmt: skip
        return {"code": 0, "info": {"room": told, "creator": {"username": room.called(now_s)}}}


def _ask(room: Room, now_s: float) -> float | None:
    room.asked.append(now_s)
    return room.start_of(now_s)


def _instant(start_s: float) -> Any:
    return START + timedelta(seconds=start_s)


class InThreads:
    """What `ResolverHost` has in a child process."""

    def __init__(self, server: PlatformServer) -> None:
        self._server = server

    def _given(self, options: Options) -> Options:
        return replace(options, proxy=self._server.proxy)

    async def resolve(self, url: str, options: Options) -> Told:
        return await anyio.to_thread.run_sync(answer, url, None, self._given(options))

    async def probe(self, urls: Mapping[str, str], options: Options) -> Mapping[str, Peeked]:
        return await anyio.to_thread.run_sync(probe, urls, registry(), self._given(options), adapter_for)


def test_ten_minutes_of_a_thousand_channels_over_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    sites = make_sites(Random(2026))

    async def main() -> World:
        async with platform_server(tmp_path) as server:
            server.answer = Answering(sites)  # type: ignore[method-assign]

            def asking(budgets: Budgets) -> PlatformAsker:
                host = cast("ResolverHost", InThreads(server))
                return PlatformAsker(host, cast("Any", None), cast("Any", None), budgets, VirtualClock(START))

            async with world(tmp_path, sites, budgets=dict.fromkeys(ROOMS, AMPLE), asking=asking) as made:
                none: dict[str, Any] = {}
                added = await made.add_all(
                    [(s.name, name, name == room.id, none) for s in sites for name, room in s.rooms.items()]
                )
                async with made.db.transaction() as tx:  # they were off air when the daemon ended
                    last = [Standing(each.id, START, "offline", due_at=START) for each in added if each.identity]
                    await made.standings.put_in(tx, *last)
                await made.begin()
                await anyio.sleep(STRETCH_S)
                await _check_rows(made)
                return made

    made = simulate(main)
    _check_starts(made)
    _check_requests(made)
    assert made.recorders.most >= 100
    assert set(made.recorders.taken.values()) == {1}, "a broadcast was taken up twice"


async def _check_rows(made: World) -> None:
    assert len(made.channels.all()) == sum(ROOMS.values()), "two addresses of a room are one channel"
    rows = await made.db.read(
        select(broadcasts.c.channel_id, func.count().label("number")).group_by(broadcasts.c.channel_id)
    )
    assert {row["number"] for row in rows} == {1}
    named = {channel.name for channel in made.channels.all()}
    assert {"new 1003", "new 1053"} <= named


def _check_starts(made: World) -> None:
    """Every beginning was found by the first question after it that was answered, and that came in time."""
    checked = Counter[str]()
    for site in made.sites.values():
        for room in {id(room): room for room in site.rooms.values()}.values():
            for start, _end in room.on_air:
                if start > 0.0:
                    ready_s, slack_s = start, POLL_S + 5.0
                    if any(
                        begin <= start + slack_s and start < 2 * over - begin + slack_s
                        for begin, over, _ in site.outages
                    ):
                        ready_s, slack_s = max(start, OUTAGE[1]), OUTAGE[1] - OUTAGE[0] + 2 * slack_s
                    if ready_s + 1.5 * slack_s > STRETCH_S:
                        continue
                    found_s = made.first.get((site.name, room.id, math.floor(start)))
                    assert found_s is not None, (site.name, room.id, start, room.asked)
                    asked_s = room.asked[bisect_right(room.asked, ready_s)]
                    assert asked_s - ready_s <= slack_s, (site.name, room.id, start, asked_s)
                    assert found_s - ready_s <= slack_s + POLL_S / 2, (site.name, room.id, start, asked_s, found_s)
                    checked[site.name] += 1
    assert set(checked) == set(ROOMS)
    assert checked.total() > 70


def _check_requests(made: World) -> None:
    for site in made.sites.values():
        times = site.requests
        for at in range(0, int(STRETCH_S), 60):
            asked = bisect_right(times, at + 60.0) - bisect_right(times, at)
            assert asked <= AMPLE.requests_per_minute + 2 * AMPLE.burst, (site.name, at, asked)
        for begin, over, _ in site.outages:
            during = bisect_right(times, over) - bisect_right(times, begin)
            assert 0 < during <= 20, (site.name, during)
