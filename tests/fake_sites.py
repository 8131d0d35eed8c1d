"""Platforms that exist in a test only: rooms that go on air and off it by a plan, and outages; and who asks them."""

from __future__ import annotations

import base64
import math
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import anyio

from ouzel.base.errors import ChannelGone, OuzelError
from ouzel.base.ids import new_id
from ouzel.model.budget import BudgetRules, Budgets
from ouzel.model.channel import Channel
from ouzel.model.channel_settings import ChannelSettings
from ouzel.model.evidence import Evidence
from ouzel.model.live import Identity, Live, Offline
from ouzel.model.ownership import ALONE, POLL, RECORD, key_of
from ouzel.model.polling import PollRules
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Peek
from ouzel.platforms.peeking import Peeked
from ouzel.services.asking import Asker
from ouzel.services.bodies import Body, Context
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.channels import Channels
from ouzel.services.hearing import Desk, Heard, Trouble
from ouzel.services.supervisor import Supervisor
from ouzel.services.watching import PollContext, Watching
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx, open_db
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.standings import StandingRepo
from ouzel.testing.virtual_time import VirtualClock

START = datetime(2026, 1, 1, tzinfo=UTC)
_SELDOM = replace(ALONE, beat_s=60.0, ttl_s=600.0)
"""Nobody else is there to take over."""


@dataclass
class Room:
    """What a site knows of one channel. Times in seconds of the simulation."""

    id: str
    name: str = ""
    on_air: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    renamed: tuple[float, str] | None = None
    gone_from: float = float("inf")
    title_every_s: float = 600.0
    wrong_once: dict[int, OuzelError] = field(default_factory=dict[int, OuzelError])
    """Errors by the number of the question."""
    asked: list[float] = field(default_factory=list[float])
    """By itself or with others."""
    asked_in_full: int = 0

    def start_of(self, now_s: float) -> float | None:
        return next((start for start, end in self.on_air if start <= now_s < end), None)

    def called(self, now_s: float) -> str:
        return self.renamed[1] if self.renamed and self.renamed[0] <= now_s else self.name or f"room {self.id}"


@dataclass
class Site:
    name: str
    at_once: int = 0
    latency_s: float = 0.3
    page: str = "https://{site}.example/{room}"
    """The address of a room."""
    rooms: dict[str, Room] = field(default_factory=dict[str, Room])
    """By what addresses name: two names may lead to one room."""
    outages: list[tuple[float, float, type[OuzelError]]] = field(
        default_factory=list[tuple[float, float, type[OuzelError]]]
    )
    requests: list[float] = field(default_factory=list[float])

    def outage(self, now_s: float) -> OuzelError | None:
        return next((kind("an outage") for start, end, kind in self.outages if start <= now_s < end), None)


class SiteAsker:
    """An `Asker` in the process. Each question is one request."""

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self.sites = sites

    def _room(self, channel: Channel) -> Room:
        return self.sites[channel.platform].rooms[channel.address.rpartition("/")[2]]

    async def ask(self, channel: Channel, settings: ChannelSettings, *, others: bool = False) -> Told:
        site, room = self.sites[channel.platform], self._room(channel)
        now_s = anyio.current_time()
        site.requests.append(now_s)
        room.asked.append(now_s)
        room.asked_in_full += 1
        await anyio.sleep(site.latency_s)
        proof = (Evidence("GET", channel.address, 200, "application/json", "{}", took_s=site.latency_s, adapter="own"),)
        if (fault := room.wrong_once.pop(room.asked_in_full, None) or site.outage(now_s)) is not None:
            return Told("own", fault, proof)
        if now_s >= room.gone_from:
            return Told("own", ChannelGone("no such room"), proof)
        who, start = Identity(site.name, room.id), room.start_of(now_s)
        if start is None:
            return Told("own", Offline(who, room.called(now_s)), proof)
        begun = START + timedelta(seconds=start)
        live = Live(
            who, room.called(now_s), (Stream(f"https://cdn.example/{site.name}/{room.id}.flv"),),
            title=f"part {int((now_s - start) // room.title_every_s)}", started_at=begun, broadcast=f"{room.id}@{start}",
        )  # fmt: skip
        return Told("own", live, proof)

    async def probe(self, channels: Sequence[tuple[Channel, ChannelSettings]]) -> Mapping[str, Peeked]:
        site = self.sites[channels[0][0].platform]
        now_s = anyio.current_time()
        assert 1 < len(channels) <= site.at_once
        site.requests.append(now_s)
        rooms = {channel.id: self._room(channel) for channel, _ in channels}
        await anyio.sleep(site.latency_s)
        if (fault := site.outage(now_s)) is not None:
            return dict.fromkeys(rooms, fault)
        told: dict[str, Peeked] = {}
        for channel_id, room in rooms.items():
            room.asked.append(now_s)
            start = room.start_of(now_s)
            title = "" if start is None else f"part {int((now_s - start) // room.title_every_s)}"
            told[channel_id] = None if now_s >= room.gone_from else Peek(start is not None, title, room.called(now_s))
        return told

    def at_once(self, platform: str) -> int:
        return self.sites[platform].at_once


class Box:
    """Turns secrets into something else, and back."""

    def seal(self, text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    def open(self, sealed: str) -> str:
        return base64.b64decode(sealed).decode()


@dataclass
class Recorders:
    """Stand in for recorders: each asserts that nobody else records the same room."""

    running: dict[str, str] = field(default_factory=dict[str, str])
    """By room, the broadcast."""
    most: int = 0
    taken: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How often each broadcast was taken up."""

    async def run(self, ctx: Context, channels: Channels) -> None:
        channel = channels.get(ctx.spec["channel"])
        room = str(channel.identity)
        assert room not in self.running, f"{room} is recorded twice"
        self.running[room] = ctx.spec["broadcast"]
        self.taken[ctx.spec["broadcast"]] += 1
        self.most = max(self.most, len(self.running))
        try:
            await ctx.stopping.wait()
        finally:
            del self.running[room]


@dataclass
class World:
    db: Db
    channels: Channels
    watching: Watching
    standings: StandingRepo
    supervisor: Supervisor
    sites: Mapping[str, Site]
    budgets: Budgets
    recorders: Recorders
    heard: list[Heard] = field(default_factory=list[Heard])
    first: dict[tuple[str, str, int], float] = field(default_factory=dict[tuple[str, str, int], float])
    """When each broadcast was found, by site, room, and the second in which it began."""
    troubles: list[tuple[float, Trouble]] = field(default_factory=list[tuple[float, Trouble]])

    async def add(self, site: str, name: str, *, known: bool = True, **values: Any) -> Channel:
        """A channel of this room; `known`: its identity is."""
        return (await self.add_all([(site, name, known, values)]))[0]

    async def add_all(self, wanted: Sequence[tuple[str, str, bool, Mapping[str, Any]]]) -> list[Channel]:
        repo, made = ChannelRepo(self.db), list[Channel]()
        now = self.db.clock.now()
        async with self.db.transaction() as tx:
            for site, name, known, values in wanted:
                room = self.sites[site].rooms[name]
                channel = Channel(
                    id=new_id(now), addresses=(self.sites[site].page.format(site=site, room=name),), platform=site, name=name,
                    folder=f"{site} {name}", created_at=now, updated_at=now,
                    identity=Identity(site, room.id) if known else None,
                    **values,
                )  # fmt: skip
                await repo.add_in(tx, channel)
                made.append(channel)
        await self.channels.load()
        return made

    async def begin(self) -> None:
        """Want a body for each platform."""
        ownership = SqliteOwnership(self.db)
        for platform in self.watching.platforms():
            await ownership.want(key_of(POLL, platform), {"platform": platform})
        self.supervisor.wake()


@asynccontextmanager
async def world(
    folder: Path,
    sites: Sequence[Site],
    *,
    budgets: Mapping[str, BudgetRules] | None = None,
    rules: PollRules | None = None,
    seed: int = 1,
    keep_heard: bool = True,
    asking: Callable[[Budgets], Asker] | None = None,
) -> AsyncGenerator[World]:
    """Everything between the platforms and the recorders, in virtual time. `begin` starts the watching.

    Args:
        asking: makes who asks; None: one in the process, who knows the sites.
    """
    clock = VirtualClock(START)
    by_name = {site.name: site for site in sites}
    async with open_db(folder / "ouzel.db", clock) as db:
        channels = Channels(db, Box())
        await channels.load()
        ownership = SqliteOwnership(db, terms=_SELDOM, lease_clock=clock.monotonic)
        broadcasts = Broadcasts(db, channels, ownership)
        recorders = Recorders()
        given = Budgets(lambda name: (budgets or {}).get(name, BudgetRules()))

        async def on_heard(tx: Tx, heard: Heard) -> None:
            if keep_heard:
                made.heard.append(heard)
            if isinstance(live := heard.outcome, Live) and live.started_at is not None:
                second = math.floor((live.started_at - START).total_seconds())
                made.first.setdefault((heard.channel.platform, live.identity.id, second), clock.monotonic())
            await broadcasts.heard_in(tx, heard.channel, heard.outcome, offline_in_row=heard.offline_in_row)

        async def on_trouble(_tx: Tx, trouble: Trouble) -> None:
            made.troubles.append((clock.monotonic(), trouble))

        desk = Desk(
            db, channels, asking(given) if asking else SiteAsker(by_name), given, on_heard, clock,
            rules_for=lambda _: rules or PollRules(), on_trouble=on_trouble, random=Random(seed),
        )  # fmt: skip
        watching = Watching(desk)

        async def poll(ctx: Context) -> None:
            await watching.body(cast("PollContext", ctx))

        async def record(ctx: Context) -> None:
            await recorders.run(ctx, channels)

        supervisor = Supervisor(ownership, {POLL: Body(poll, slots=64), RECORD: Body(record, slots=1000)}, clock)
        made = World(db, channels, watching, desk.standings, supervisor, by_name, given, recorders)
        end = db.listen(watching.on_event)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            try:
                yield made
            finally:
                end()
                supervisor.stop(60.0)
