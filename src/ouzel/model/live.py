"""What a platform says of a channel: on air, not on air, a video that is over; and what it means that it does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from ouzel.base.errors import (
    Blocked,
    ChannelGone,
    Forbidden,
    Gone,
    NeedsLogin,
    NetworkError,
    OuzelError,
    Refused,
    RegionLocked,
    ResolverFailed,
    SiteChanged,
)
from ouzel.model.stream import Stream


class State(StrEnum):
    """What is known of a channel. The spelling is a promise: API, exit codes and metrics key on it."""

    LIVE = "live"
    OFFLINE = "offline"
    BLOCKED = "blocked"
    """We did not get through: a captcha, too many requests, or the way there does not work."""
    NEEDS_LOGIN = "needs_login"
    REGION_LOCKED = "region_locked"
    BROKEN = "broken"
    """It answered, and nobody understands what."""
    VOD = "vod"
    GONE = "gone"
    """There is no such channel. Watching it makes no sense."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same, whatever a channel calls itself: two addresses with one identity are one channel."""

    platform: str
    id: str
    """Stable: a number rather than a name, where the platform has one."""

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"


@dataclass(frozen=True, slots=True)
class Live:
    """On air."""

    identity: Identity
    anchor: str
    """Who is shown, as the platform writes it."""
    streams: tuple[Stream, ...]
    """At least one; in the platform's order, the best first where it has one."""
    title: str = ""
    category: str = ""
    cover: str = ""
    """Address of a picture."""
    started_at: datetime | None = None
    """Aware UTC."""
    broadcast: str = ""
    """The platform's own name for this period on air, if it has one."""


@dataclass(frozen=True, slots=True)
class Offline:
    """The platform says that it is not on air."""

    identity: Identity
    anchor: str = ""
    title: str = ""
    available_at: datetime | None = None
    """When it is announced to begin. Aware UTC."""


@dataclass(frozen=True, slots=True)
class Vod:
    """A video that is over: it can be downloaded, but there is nothing to watch for."""

    identity: Identity
    anchor: str
    streams: tuple[Stream, ...]
    title: str = ""
    cover: str = ""
    duration_s: float | None = None


Answer: TypeAlias = Live | Offline | Vod

_STATES: Mapping[type[OuzelError], State] = MappingProxyType(
    {
        Blocked: State.BLOCKED,
        Gone: State.GONE,
        NetworkError: State.BLOCKED,
        Refused: State.BLOCKED,
        NeedsLogin: State.NEEDS_LOGIN,
        RegionLocked: State.REGION_LOCKED,
        ChannelGone: State.GONE,
        SiteChanged: State.BROKEN,
        ResolverFailed: State.BROKEN,
    }
)


def state_of(outcome: Answer | OuzelError) -> State:
    """What is known, now that this was answered. An error is never `offline`."""
    match outcome:
        case Live():
            return State.LIVE
        case Offline():
            return State.OFFLINE
        case Vod():
            return State.VOD
        case Forbidden(status=401):
            return State.NEEDS_LOGIN
        case _:
            return next((state for kind, state in _STATES.items() if isinstance(outcome, kind)), State.BROKEN)
