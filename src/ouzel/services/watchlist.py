"""The channels of one platform that are watched, and when each is asked next."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ouzel.base.errors import NotFound, OuzelError
from ouzel.model.channel import DIRECT, Channel
from ouzel.model.channel_settings import ChannelSettings
from ouzel.model.hours import KEPT, Hours, Pace
from ouzel.model.live import Answer, State
from ouzel.model.polling import Turns, patience_s
from ouzel.model.schedule import is_open, next_change
from ouzel.model.standing import Standing
from ouzel.services.hearing import Desk
from ouzel.system.zones import zone_of

_FULL_ON_AIR_S, _FULL_S = 300.0, 3600.0
"""After so long a question about many does not do."""
_LONG_OFF = timedelta(days=1)
_OTHERS_S = 600.0
_SOON_S = 2.0


@dataclass(eq=False, slots=True)
class Watched:
    """A channel, and what counts for when it is asked next. Monotonic seconds."""

    channel: Channel
    settings: ChannelSettings
    standing: Standing
    """Without its evidence."""
    hours: Hours | None = None
    on_air: bool = False
    """A broadcast of it is held to go on."""
    offline_in_row: int = 0
    full_s: float = -math.inf
    """When it was asked about by itself."""
    others_s: float = -math.inf
    """When its other addresses were asked."""
    probes: bool = True
    """Its platform tells of it when it is asked about many."""
    asking: bool = False
    again: bool = False
    """Somebody wants it to be asked while it is."""

    def is_for_many(self, now_s: float) -> bool:
        """Whether a question about many may answer its own."""
        fresh_s = _FULL_ON_AIR_S if self.on_air else _FULL_S
        ended = self.on_air and self.offline_in_row > 0
        known = self.channel.identity is not None and self.standing.code is None
        return self.probes and known and not ended and now_s - self.full_s < fresh_s

    def wants_others(self, now: datetime, now_s: float) -> bool:
        """Whether its other addresses are asked too where the first is off air. Those of a stream always, since each is a mere
        look; of pages once in a while, when it has been off air for long, and may have moved.
        """
        if len(self.channel.addresses) == 1:
            return False
        if self.channel.platform == DIRECT:
            return True
        off = self.standing.state == State.OFFLINE and now - self.standing.since > _LONG_OFF
        if not off or now_s - self.others_s < _OTHERS_S:
            return False
        self.others_s = now_s
        return True


class WatchList:
    """Of one platform."""

    def __init__(self, platform: str, desk: Desk) -> None:
        self.turns = Turns()
        self._platform = platform
        self._desk = desk
        self._rules = desk.rules_for(platform)
        self._watched: dict[str, Watched] = {}

    def __len__(self) -> int:
        return len(self._watched)

    def get(self, channel_id: str) -> Watched | None:
        return self._watched.get(channel_id)

    def ids(self) -> set[str]:
        """Of all that are watched, and those that should be."""
        return {*self._watched, *(channel.id for channel in self._own())}

    def _own(self) -> list[Channel]:
        return [c for c in self._desk.channels.all() if c.platform == self._platform and c.watch]

    async def load(self) -> None:
        """Who was due goes on from there; who is overdue comes at any time within an interval, so that not all come at once; but
        what was on air is asked about first of all."""
        desk = self._desk
        now, now_s = desk.clock.now(), desk.clock.monotonic()
        known = await desk.standings.of_platform(self._platform)
        on_air = {broadcast.channel_id for broadcast in await desk.broadcasts.open()}
        for channel in self._own():
            standing = known.get(channel.id)
            watched = self._add(channel, standing, on_air=channel.id in on_air)
            if standing is not None and standing.state == State.OFFLINE:
                watched.full_s = now_s - desk.random.random() * _FULL_S
            if standing is None:  # it was never asked about, and somebody waits for a first answer
                left_s = 0.0
            elif watched.on_air:
                left_s = desk.random.random() * _SOON_S
            elif standing.due_at is None or standing.due_at <= now:
                left_s = desk.random.random() * self.interval_s(watched)
            else:
                left_s = min((standing.due_at - now).total_seconds(), self._rules.gone_s)
            self.put(watched, now, left_s)
        await self.learn()

    def _add(self, channel: Channel, standing: Standing | None = None, *, on_air: bool = False) -> Watched:
        known = standing or Standing(channel.id, self._desk.clock.now())
        watched = Watched(channel, self._desk.channels.effective(channel).settings, known, on_air=on_air)
        self._watched[channel.id] = watched
        return watched

    async def learn(self) -> None:
        """At which hours they go live. Whom a question about many did not know is tried again, too."""
        now = self._desk.clock.now()
        starts = await self._desk.broadcasts.starts(now - KEPT)
        for watched in self._watched.values():
            watched.probes = True
            watched.hours = Hours.learn(starts.get(watched.channel.id, ()), now, zone_of(watched.settings.time_zone))

    def drop(self, channel_id: str) -> None:
        self._watched.pop(channel_id, None)
        self.turns.drop(channel_id)

    def refresh(self, channel_ids: Iterable[str]) -> list[str]:
        """Take over what was edited. Returns: who has another address now, and is to be asked at once."""
        now, moved = self._desk.clock.now(), list[str]()
        for channel_id in channel_ids:
            channel = self._present(channel_id)
            watched = self._watched.get(channel_id)
            if channel is None:
                self.drop(channel_id)
            elif watched is None:
                self.put(self._add(channel), now, 0.0)
            else:
                settings, address = watched.settings, watched.channel.address
                watched.channel, watched.settings = channel, self._desk.channels.effective(channel).settings
                if channel.address != address:
                    moved.append(channel_id)
                elif watched.settings != settings and not watched.asking:
                    self.put(watched, now, self._desk.random.random() * self.interval_s(watched))
        return moved

    def _present(self, channel_id: str) -> Channel | None:
        try:
            channel = self._desk.channels.get(channel_id)
        except NotFound:
            return None
        return channel if channel.watch and channel.platform == self._platform else None

    def interval_s(self, watched: Watched) -> float:
        return watched.settings.interval_s or self._rules.interval_s

    def put(self, watched: Watched, now: datetime, wait_s: float) -> datetime | None:
        """Its next turn: after so long, or when its hours have come. Returns: when; None: never."""
        due = self.open_at(watched, now + timedelta(seconds=wait_s))
        if due is None:
            self.turns.drop(watched.channel.id)
            return None
        due_s = self._desk.clock.monotonic() + (due - now).total_seconds()
        self.turns.put(watched.channel.id, due_s, max(wait_s, 1.0))
        return due

    def open_at(self, watched: Watched, at: datetime) -> datetime | None:
        """The first instant from `at` on that lies in its hours."""
        windows, zone = watched.settings.schedule, zone_of(watched.settings.time_zone)
        return at if is_open(windows, at, zone) else next_change(windows, at, zone)

    def patience_s(
        self, watched: Watched, outcome: Answer | OuzelError, *, errors: int, offline_in_row: int, on_air: bool
    ) -> float:
        now = self._desk.clock.now()
        return patience_s(
            self._rules,
            self._desk.random,
            outcome,
            now=now,
            errors=errors,
            interval_s=watched.settings.interval_s,
            pace=watched.hours.pace(now) if watched.hours else Pace.PLAIN,
            on_air=on_air,
            offline_in_row=offline_in_row,
        )
