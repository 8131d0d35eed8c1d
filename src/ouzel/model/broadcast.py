"""A period on air of a channel, and when two answers of a platform speak of the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ouzel.model.live import Live

_SAME_START = timedelta(seconds=90)
"""Platforms round, and some tell the start of the connection of a moment ago."""


class BroadcastState(StrEnum):
    LIVE = "live"
    PARKED = "parked"  # it dropped, or the platform says that it is over for the first time
    ENDED = "ended"


_S = BroadcastState
BROADCAST_MOVES: dict[BroadcastState, frozenset[BroadcastState]] = {
    _S.LIVE: frozenset({_S.PARKED, _S.ENDED}),
    _S.PARKED: frozenset({_S.LIVE, _S.ENDED}),
    _S.ENDED: frozenset({_S.LIVE}),  # the platform names the same one again, or has gone on meanwhile
}


def move_broadcast(now: BroadcastState, then: BroadcastState) -> BroadcastState:
    """`then`, if it may follow `now`. Raises: ValueError: a bug in the caller."""
    if then is not now and then not in BROADCAST_MOVES[now]:
        raise ValueError(f"a broadcast cannot go from {now} to {then}")
    return then


@dataclass(frozen=True, slots=True)
class Broadcast:
    id: str
    channel_id: str
    state: BroadcastState
    started_at: datetime
    """As the platform tells it (`told_start`), else when it was seen first. Aware UTC, like all here."""
    told_start: bool
    seen_at: datetime
    """When it was known to be on air last."""
    own_name: str | None = None
    """What the platform calls it."""
    ended_at: datetime | None = None
    title: str = ""
    category: str = ""
    anchor: str = ""
    cover: str = ""
    skipped: bool = False
    """The user wants none, or no more, of it."""
    forced: bool = False
    """The user wants it, whatever filters, hours and mode say."""
    why_not: str | None = None
    """Code of the reason why it is not recorded."""

    def is_meant_by(self, live: Live, now: datetime, park_s: float) -> bool:
        """Whether this answer speaks of this broadcast, the channel's last one.

        What the platform names decides; then when it says that it began; where it tells neither, whether it was away for no
        longer than `park_s`.
        """
        if live.broadcast and self.own_name:
            return live.broadcast == self.own_name
        if live.started_at is not None and self.told_start:
            return abs(live.started_at - self.started_at) <= _SAME_START
        if self.state is not _S.ENDED:
            return True
        return now - self.seen_at <= timedelta(seconds=park_s)
