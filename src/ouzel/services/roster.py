"""The list of channels as it is asked for: one filter for its pages and for how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ouzel.base.urls import redact
from ouzel.model.channel import Channel
from ouzel.model.channel_settings import Mode
from ouzel.model.standing import UNKNOWN, Standing
from ouzel.services.channels import Channels
from ouzel.store.db import Db
from ouzel.store.standings import StandingRepo


@dataclass(frozen=True, slots=True)
class ChannelFilter:
    """Which channels. Empty: all that are not in the trash."""

    grants: tuple[frozenset[str], ...] = ()
    """Of each set of labels one is needed."""
    platform: str | None = None
    label: str | None = None
    state: str | None = None
    watch: bool | None = None
    mode: Mode | None = None
    text: str = ""
    """In its name, its former names, or its addresses as they are shown."""
    deleted: bool = False
    """Those in the trash instead."""
    word: str = ""
    """As `text`, or the beginning of its id."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A channel, and what is known of it, without its evidence."""

    channel: Channel
    standing: Standing | None


class Roster:
    """Channels are at hand in memory, which is where they are filtered; standings come from the database."""

    def __init__(self, db: Db, channels: Channels) -> None:
        self._channels = channels
        self._standings = StandingRepo(db)

    async def page(self, which: ChannelFilter, *, after: str | None = None, limit: int = 50) -> list[Listed]:
        """In the order in which they were added. `after`: the id after which to go on."""
        found = [channel for channel in await self._matching(which) if after is None or channel.id > after]
        return await self.listed(found[:limit])

    async def count(self, which: ChannelFilter) -> int:
        return len(await self._matching(which))

    async def listed(self, channels: list[Channel]) -> list[Listed]:
        """These, with what is known of them."""
        known = await self._standings.of([channel.id for channel in channels])
        return [Listed(channel, known.get(channel.id)) for channel in channels]

    async def standing(self, channel: Channel) -> Standing:
        """With its evidence; of one that was never asked about: unknown, since it is there."""
        return await self._standings.get(channel.id) or _unknown(channel.id, channel.created_at)

    async def _matching(self, which: ChannelFilter) -> list[Channel]:
        """Sorted by id: so they were added."""
        everything = await self._channels.removed() if which.deleted else self._channels.all()
        found = sorted((each for each in everything if self._fits(each, which)), key=lambda channel: channel.id)
        if which.state is None:
            return found
        states = {channel_id: standing.state for channel_id, standing in (await self._standings.all()).items()}
        return [channel for channel in found if states.get(channel.id, UNKNOWN) == which.state]

    def _fits(self, channel: Channel, which: ChannelFilter) -> bool:
        return (
            all(not grant.isdisjoint(channel.labels) for grant in which.grants)
            and which.platform in (None, channel.platform)
            and (which.label is None or which.label in channel.labels)
            and which.watch in (None, channel.watch)
            and (which.mode is None or self._channels.effective(channel).settings.mode == which.mode)
            and _has(channel, which.text.casefold())
            and (channel.id.startswith(which.word.casefold()) or _has(channel, which.word.casefold()))
        )


def _has(channel: Channel, text: str) -> bool:
    """Of addresses only what is shown: who may only look could guess the rest letter by letter."""
    words = (channel.name, *channel.aliases, *map(redact, channel.addresses)) if text else ()
    return not text or any(text in each.casefold() for each in words)


def _unknown(channel_id: str, since: datetime) -> Standing:
    return Standing(channel_id, since)
