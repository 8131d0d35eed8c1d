"""The stream of a channel, as its recorder asks for it: at the start, after each drop, and before an address expires."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from ouzel.base.errors import OuzelError, UnknownQuality
from ouzel.base.headers import away_from_home, replaced
from ouzel.model.channel_settings import ChannelSettings
from ouzel.model.choice import Taste, choose
from ouzel.model.live import Live
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.resolver import Failures
from ouzel.system.clock import Clock

Ask: TypeAlias = Callable[[], Awaitable[Told]]
_FRESH_S = 20.0
"""What was told a moment ago is not asked for again."""


class ChannelResolver:
    """Of one recording. A page is asked; the watchers hear what it says as well.

    Args:
        ask: the platform, in its turn.
        heard: told what was answered.
    """

    def __init__(
        self, ask: Ask, settings: ChannelSettings, clock: Clock, heard: Callable[[Told], Awaitable[None]] | None = None
    ) -> None:
        self._ask = ask
        self._settings = settings
        self._clock = clock
        self._heard = heard
        self._failures = Failures(clock)
        self._given: Stream | None = None
        self._known: tuple[float, Live] | None = None
        self.live: Live | None = None
        """The last answer that had streams."""

    def knows(self, live: Live) -> None:
        """This was told just now."""
        self._known = (self._clock.monotonic(), live)

    async def resolve(self, *, failed: bool = False) -> Stream | None:
        """The chosen stream; None when the channel is offline. Raises: OuzelError that says why it is not known."""
        if failed and self._given is not None:
            self._failures.note(self._given)
        self._given = None
        self.live = live = await self._live()
        if live is None:
            return None
        chosen = self._given = pick(live, self._settings, self._failures)
        settings = self._settings
        headers = replaced(chosen.headers, away_from_home(settings.headers))
        named = chosen.label or chosen.level or chosen.height
        return replace(chosen, headers=headers, title=live.title, quality="best" if named else settings.quality[0])

    async def _live(self) -> Live | None:
        known, self._known = self._known, None
        if known is not None and self._clock.monotonic() - known[0] < _FRESH_S:
            return known[1]
        told = await self._ask()
        if self._heard is not None:
            await self._heard(told)
        if isinstance(told.outcome, OuzelError):
            raise told.outcome
        return told.outcome if isinstance(told.outcome, Live) else None


class InTurn:
    """Addresses of one and the same stream: the next one where one brings no media."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = streams
        self._at = 0

    async def resolve(self, *, failed: bool = False) -> Stream | None:
        self._at = (self._at + failed) % len(self._streams)
        return self._streams[self._at]


def pick(live: Live, settings: ChannelSettings, failures: Failures) -> Stream:
    """The first of the wished qualities that there is; where none of these words means anything, the nearest to the last.

    Raises: UnknownQuality when every codec is refused.
    """
    taste = Taste(
        codecs=tuple(codec for codec in settings.codecs or Taste().codecs if codec not in settings.refuse_codecs),
        refused_codecs=settings.refuse_codecs,
        cdn=settings.cdn,
    )
    failed = failures.among(live.streams)
    for word in settings.quality:
        try:
            return choose(live.streams, replace(taste, quality=word), failed=failed)
        except UnknownQuality:
            continue
    return choose(live.streams, replace(taste, quality="best"), failed=failed)
