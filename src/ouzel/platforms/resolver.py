"""The stream of a platform's page, as a recorder asks for it: at the start, after each drop, and before its address expires."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import anyio

from ouzel.base.errors import OuzelError, SameChannel
from ouzel.base.headers import Fields, replaced
from ouzel.base.urls import redact
from ouzel.model.choice import Taste, choose
from ouzel.model.live import Answer, Identity, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.contract import Options
from ouzel.platforms.host import ResolverHost
from ouzel.platforms.polling import Poll
from ouzel.platforms.registry import registry
from ouzel.system.clock import Clock

_LEFT_S = 60.0
"""An address that brought no media is left alone for so long, and twice as long each further time."""
_LEFT_AT_MOST_S = 3600.0


class Channels:
    """Which channels a process records: two addresses may name one."""

    def __init__(self) -> None:
        self._pages: dict[Identity, str] = {}

    def claim(self, identity: Identity, url: str) -> None:
        """Raises: SameChannel when another address has it."""
        first = self._pages.setdefault(identity, url)
        if first != url:
            raise SameChannel(f"this is the same channel as {redact(first)}, and recorded there")


class Failures:
    """The addresses that brought no media, and until when they are left alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[tuple[str, str], tuple[float, float]] = {}
        """How long, and until which monotonic time."""

    def note(self, stream: Stream) -> None:
        for_s = min(2 * self._left.get(_delivery(stream), (_LEFT_S / 2, 0.0))[0], _LEFT_AT_MOST_S)
        self._left[_delivery(stream)] = (for_s, self._clock.monotonic() + for_s)

    def among(self, streams: Collection[Stream]) -> set[Stream]:
        """Those of them that are left alone now; none where that would be all."""
        now = self._clock.monotonic()
        left = {s for s in streams if self._left.get(_delivery(s), (0.0, now))[1] > now}
        if len(left) < len(streams):
            return left
        self._left.clear()
        return set()


class PageResolver:
    """One page.

    Args:
        poll: where it is waited for until it is on air.
        headers: sent with its media, in place of what the platform wants there.
        apart: streams whose sound is kept apart can be used: they are joined.
    """

    def __init__(
        self,
        host: ResolverHost,
        url: str,
        options: Options,
        taste: Taste,
        clock: Clock,
        channels: Channels,
        poll: Poll | None = None,
        headers: Fields = (),
        *,
        apart: bool = False,
    ) -> None:
        self._apart = apart
        self._host = host
        self._url = url
        self._options = options
        self._taste = taste
        self._channels = channels
        self._poll = poll
        self._headers = headers
        self._answer: Answer | None = None
        self._given: Stream | None = None
        self._failures = Failures(clock)
        match = registry().known(url)
        self._platform = match.platform.name if match else ""
        self._name = next(iter(match.named.values()), self._platform) if match else urlsplit(url).netloc

    @property
    def fields(self) -> Mapping[str, str]:
        """What names of files are made of, as the platform told it last; before that, what the address calls the channel."""
        name, title = self._name, ""
        if self._answer is not None:
            name, title = self._answer.anchor or self._answer.identity.id, self._answer.title
        return {"platform": self._platform, "name": name, "title": title or name}

    async def resolve(self, *, failed: bool = False) -> Stream | None:
        """The chosen stream; None when the channel is offline.

        Raises: SiteError, NetworkError, UnknownQuality; SameChannel when another page of the process is the same channel.
        """
        if failed and self._given is not None:
            self._failures.note(self._given)
        self._given = None
        if self._poll is not None and await self._poll.seems_off():
            return None
        outcome = (await self._host.resolve(self._url, self._options)).outcome
        if self._poll is not None:
            self._poll.heard(outcome)
        if isinstance(outcome, OuzelError):
            raise outcome
        if self._answer is None:
            self._channels.claim(outcome.identity, self._url)
        self._answer = outcome
        if isinstance(outcome, Offline):
            return None
        usable = [each for each in outcome.streams if self._apart or each.sound is None] or outcome.streams
        chosen = choose(usable, self._taste, failed=self._failures.among(usable))
        self._given = chosen
        headers = replaced(chosen.headers, self._headers)
        return replace(chosen, headers=headers, title=outcome.title, quality=self._quality_within(chosen))

    def patience_s(self, delay_s: float) -> float:
        """Seconds until the page is asked about again; `delay_s` where it is on air, and only its stream did not come."""
        return delay_s if self._poll is None or self._given is not None else self._poll.patience_s()

    async def rest(self, seconds: float) -> None:
        await (anyio.sleep(seconds) if self._poll is None or self._given is not None else self._poll.rest(seconds))

    def _quality_within(self, chosen: Stream) -> str:
        """What is left to choose in a master playlist: where the platform named no qualities, what was asked for."""
        return "best" if chosen.label or chosen.level or chosen.height else self._taste.quality


def _delivery(stream: Stream) -> tuple[str, str]:
    """What stays the same when an address is signed anew."""
    return stream.url.partition("?")[0], stream.label
