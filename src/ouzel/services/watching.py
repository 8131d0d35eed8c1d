"""Watching: the bodies `poll:PLATFORM`, and what others may ask of them.

Each body asks for the channels of its platform in turn (`rounds`), and writes what it hears (`hearing`); `on_heard` is told of
it in the same transaction. The rules are in `model/polling.py`, `model/budget.py` and `model/hours.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import anyio

from ouzel.base.errors import OuzelError
from ouzel.model.channel import Channel
from ouzel.model.happening import StoredEvent
from ouzel.model.live import Live
from ouzel.platforms.chain import Told
from ouzel.services.hearing import Commit, Desk, Heard, Stopping
from ouzel.services.rounds import Round


class PollContext(Protocol):
    """What a body needs of `model.ownership.RunContext`."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """`{"platform": NAME}`."""
        ...

    @property
    def stopping(self) -> Stopping: ...

    @property
    def commit(self) -> Commit: ...


@dataclass(frozen=True, slots=True)
class PlatformLoad:
    """How much a platform is asked."""

    platform: str
    channels: int
    requests: int
    """Since the process began."""
    requests_per_minute: float
    """The most."""
    closed: bool
    """It blocks, and is left alone."""
    strained: bool
    """The most is too little for its channels."""
    tokens: float
    """Questions that may be asked at once; below zero: on credit."""


class Watching:
    """All platforms that are asked by this process."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rounds: dict[str, Round] = {}

    def platforms(self) -> set[str]:
        """Those with channels to be watched: for each of them a body is wanted."""
        return {channel.platform for channel in self._desk.channels.all() if channel.watch}

    async def body(self, ctx: PollContext) -> None:
        """Ask for all channels of a platform, until `ctx.stopping`."""
        platform = str(ctx.spec["platform"])
        round_ = self._rounds[platform] = Round(platform, self._desk, ctx.commit)
        try:
            await round_.run(ctx.stopping)
        finally:
            if self._rounds.get(platform) is round_:
                del self._rounds[platform]

    def nudge(self, channel_id: str) -> None:
        """Ask about it now, before its turn: something happened to it, or a user wishes it. Nothing for what is not watched."""
        for round_ in self._rounds.values():
            round_.nudge(channel_id)

    def reload(self, channel_ids: Iterable[str] | None = None) -> None:
        """They were added, edited or taken away; None: settings that may be any channel's were edited."""
        ids = None if channel_ids is None else [*channel_ids]
        for round_ in self._rounds.values():
            round_.reload(ids)

    def on_event(self, event: StoredEvent) -> None:
        """For `Db.listen`: takes over what was edited."""
        if event.code == "layer.changed":
            self.reload()
        elif event.code in {"channel.added", "channel.changed", "channel.removed", "channel.merged"}:
            own = event.data.get("by") == "ouzel" and event.data.get("action") == "changed"
            if not own:  # what platforms tell comes from here
                self.reload([event.subject])

    async def ask(self, channel: Channel) -> Told:
        """The answer of this moment, for a recording that waits for it, whether it is watched or not: before its turn, within the
        budget, and heard like any other."""
        desk = self._desk
        budget = desk.budgets.of(channel.platform, desk.clock.monotonic())
        while (wait_s := budget.wait_s(desk.clock.monotonic(), urgent=True)) > 0:  # noqa: ASYNC110 - it may grow meanwhile
            await anyio.sleep(wait_s)
        asked_s = desk.clock.monotonic()
        budget.take(asked_s)
        told = await desk.asker.ask(channel, desk.channels.effective(channel).settings)
        round_ = self._rounds.get(channel.platform)
        if round_ is None or not await round_.hear(channel, told, asked_s):
            await self._pass_on(channel, told)
        return told

    async def _pass_on(self, channel: Channel, told: Told) -> None:
        """An answer about a channel that is not watched any more, and still recorded."""
        if isinstance(told.outcome, OuzelError):
            return
        count = 0 if isinstance(told.outcome, Live) else 1
        heard = Heard(channel, told.outcome, told.adapter, told.evidence, self._desk.clock.now(), count)
        async with self._desk.db.transaction() as tx:
            await self._desk.on_heard(tx, heard)

    def latest(self, channel_id: str) -> Live | None:
        """What was told a moment ago, if that was that it is on air."""
        return next((live for each in self._rounds.values() if (live := each.latest(channel_id))), None)

    def loads(self) -> list[PlatformLoad]:
        """By platform, in the order of their names."""
        now_s = self._desk.clock.monotonic()
        return [
            PlatformLoad(
                name, len(each.list), each.budget.requests, each.budget.rules.requests_per_minute,
                each.budget.is_closed(now_s), each.strained, each.budget.tokens(now_s),
            )
            for name, each in sorted(self._rounds.items())
        ]  # fmt: skip
