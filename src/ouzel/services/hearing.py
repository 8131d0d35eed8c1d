"""What an answer about a channel changes: what is known of it, which channel it is, what it is called; in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any, Protocol, TypeAlias, TypeVar

from ouzel.base.errors import OuzelError
from ouzel.model.broadcast import BroadcastState
from ouzel.model.budget import Budgets
from ouzel.model.channel import DIRECT, Channel
from ouzel.model.channel_settings import Effective
from ouzel.model.evidence import Evidence
from ouzel.model.live import Answer, Identity, Vod
from ouzel.model.polling import PollRules
from ouzel.model.standing import Standing
from ouzel.platforms.chain import Told
from ouzel.services.asking import Asker
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.db import Db, Tx
from ouzel.store.standings import StandingRepo
from ouzel.system.clock import Clock

T = TypeVar("T")


class Commit(Protocol):
    """Run it in a transaction that is committed as long as the platform is ours to ask."""

    async def __call__(self, write: Callable[[Tx], Awaitable[T]], /) -> T: ...


class Stopping(Protocol):
    """An event of anyio."""

    async def wait(self) -> Any: ...


class ChannelList(Protocol):
    """What is asked of `services.channels.Channels`."""

    def all(self) -> list[Channel]: ...

    def get(self, channel_id: str) -> Channel:
        """Raises: NotFound."""
        ...

    def effective(self, channel: Channel) -> Effective: ...

    async def identify_in(self, tx: Tx, channel: Channel, identity: Identity) -> Channel: ...

    async def rename_in(self, tx: Tx, channel: Channel, told: str) -> Channel: ...

    def committed(self, *changed: Channel) -> None: ...


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer about a channel. Errors are none."""

    channel: Channel
    outcome: Answer
    adapter: str
    evidence: tuple[Evidence, ...]
    at: datetime
    offline_in_row: int
    """How many times in a row it was not on air, with this one."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something is wrong with a whole platform, or is not any more."""

    platform: str
    code: str
    """`blocked`: it is left alone for a while; `strained`: its channels are asked less often than they should be."""
    over: bool = False
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """JSON values: `for_s` and `evidence`, or `requests_per_minute` and `channels`."""


OnHeard: TypeAlias = Callable[[Tx, Heard], Awaitable[None]]
OnTrouble: TypeAlias = Callable[[Tx, Trouble], Awaitable[None]]


async def nobody_is_told(_tx: Tx, _trouble: Trouble) -> None:
    """Where troubles of platforms are nobody's business."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What all that watch have in common."""

    db: Db
    channels: ChannelList
    asker: Asker
    budgets: Budgets
    on_heard: OnHeard
    clock: Clock
    rules_for: Callable[[str], PollRules] = field(default=lambda _: PollRules())
    """By platform."""
    on_trouble: OnTrouble = nobody_is_told
    random: Random = field(default_factory=Random)
    standings: StandingRepo = field(init=False)
    broadcasts: BroadcastRepo = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "standings", StandingRepo(self.db))
        object.__setattr__(self, "broadcasts", BroadcastRepo(self.db))


@dataclass(frozen=True, slots=True)
class Written:
    """After the transaction."""

    channel: Channel
    """Another one than was asked about, where both were one."""
    on_air: bool
    standing: Standing


def is_news(channel: Channel, outcome: Answer | OuzelError) -> bool:
    """Whether it tells for the first time which channel it is, or another name."""
    if isinstance(outcome, OuzelError) or not _is_own(channel, outcome):
        return False
    return channel.identity is None or bool(_renaming(channel, outcome))


async def write_in(
    tx: Tx,
    desk: Desk,
    channel: Channel,
    told: Told,
    before: Standing,
    after: Standing,
    offline_in_row: int,
    due_at: Callable[[bool], datetime | None],
    *,
    on_air: bool,
) -> Written:
    """Args: on_air: whether a broadcast of it was held to go on. due_at: when it is asked next, by whether one is now."""
    outcome = told.outcome
    if not isinstance(outcome, OuzelError):
        known = await _introduced_in(tx, desk, channel, outcome)
        if known.id != channel.id:
            return Written(known, on_air, before)
        channel = known
        heard = Heard(channel, outcome, told.adapter, told.evidence, after.asked_at or after.since, offline_in_row)
        await desk.on_heard(tx, heard)
        last = await desk.broadcasts.last_in(tx, channel.id)
        on_air = last is not None and last.state is not BroadcastState.ENDED
    standing = replace(after, due_at=due_at(on_air))
    if standing.is_other(before):
        await desk.standings.change_in(tx, standing, before.state)
    else:
        await desk.standings.put_in(tx, standing)
    return Written(channel, on_air, standing)


async def _introduced_in(tx: Tx, desk: Desk, channel: Channel, outcome: Answer) -> Channel:
    if not _is_own(channel, outcome):
        return channel
    if channel.identity is None:
        channel = await desk.channels.identify_in(tx, channel, outcome.identity)
    name = _renaming(channel, outcome)
    return await desk.channels.rename_in(tx, channel, name) if name else channel


def _is_own(channel: Channel, outcome: Answer) -> bool:
    """What another address told, on another platform, is not what this channel is. Addresses of streams have no identity."""
    return channel.platform != DIRECT and outcome.identity.platform == channel.platform


def _renaming(channel: Channel, outcome: Answer) -> str:
    """The name, where it is another; empty where it is not, or is told of somebody else."""
    if isinstance(outcome, Vod) or (channel.identity is not None and channel.identity != outcome.identity):
        return ""
    return outcome.anchor if channel.renamed(outcome.anchor) else ""
