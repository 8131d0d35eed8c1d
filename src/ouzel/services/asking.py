"""Asking about a channel: a platform's page through the child process, the address of a stream by looking at it.

`Asker` is the port: tests and simulations hand in another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias

from ouzel.base.errors import Gone, OuzelError
from ouzel.base.urls import redact
from ouzel.model.budget import Budgets
from ouzel.model.channel import DIRECT, Channel
from ouzel.model.channel_settings import ChannelSettings
from ouzel.model.live import Identity, Live, Offline, State, Vod, state_of
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options
from ouzel.platforms.host import ResolverHost
from ouzel.platforms.peeking import Peeked
from ouzel.platforms.registry import registry
from ouzel.services.direct import try_as_stream
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import HttpClient
from ouzel.system.http.given import read_proxy, sendable

_LOOK_S = 20.0
_ELSEWHERE = frozenset({State.GONE, State.BROKEN, State.NEEDS_LOGIN, State.REGION_LOCKED})
"""After this the channel's other addresses are asked."""


Count: TypeAlias = Callable[[str, str, float], None]
"""Platform, what its answer says, seconds."""


class Asker(Protocol):
    """Who asks for a question has taken its first request from the budget; what it takes beyond that is paid here."""

    async def ask(self, channel: Channel, settings: ChannelSettings, *, others: bool = False) -> Told:
        """What is on air. Never raises an OuzelError: it is the outcome.

        Args:
            others: ask its other addresses also where the first says that it is off air.
        """
        ...

    async def probe(self, channels: Sequence[tuple[Channel, ChannelSettings]]) -> Mapping[str, Peeked]:
        """By the ids of these channels of one platform, whose identities are known: what it tells in as few questions as it can.

        None, or nothing, of whom it does not tell. Never raises an OuzelError.
        """
        ...

    def at_once(self, platform: str) -> int:
        """Of how many channels it tells in one answer; 0: of each by itself."""
        ...


def options_of(settings: ChannelSettings) -> Options:
    """Who asks, and by which way. Raises: BadOption for a proxy that is none."""
    return Options(
        cookies=sendable(settings.cookies),
        proxy=read_proxy(settings.proxy, "the proxy"),
        user_agent=settings.user_agent,
        login=settings.login,
        password=settings.password,
        verify_tls=settings.verify_tls,
        codecs=settings.codecs,
    )


class PlatformAsker:
    """The real one."""

    def __init__(
        self,
        host: ResolverHost,
        http: HttpClient,
        ffmpeg: FfmpegFinder,
        budgets: Budgets,
        clock: Clock,
        count: Count = lambda _platform, _state, _took_s: None,
    ) -> None:
        """Args: count: told of each answer."""
        self._count = count
        self._host = host
        self._http = http
        self._ffmpeg = ffmpeg
        self._budgets = budgets
        self._clock = clock

    async def ask(self, channel: Channel, settings: ChannelSettings, *, others: bool = False) -> Told:
        began_s = self._clock.monotonic()
        told = await self._ask_at(channel.address, settings)
        self._count(channel.platform, state_of(told.outcome).value, self._clock.monotonic() - began_s)
        self._pay(channel.platform, len(told.evidence) - 1)
        if len(channel.addresses) == 1 or not (others or state_of(told.outcome) in _ELSEWHERE):
            return told
        return await self._ask_elsewhere(channel, settings, told)

    async def _ask_elsewhere(self, channel: Channel, settings: ChannelSettings, first: Told) -> Told:
        """Who is on air goes before the first; anybody does when that is gone."""
        best = first
        for address in channel.addresses[1:]:
            platform = _platform_of(address)
            if self._budgets.of(platform, self._clock.monotonic()).is_closed(self._clock.monotonic()):
                continue
            told = await self._ask_at(address, settings)
            self._pay(platform, max(1, len(told.evidence)))
            if isinstance(told.outcome, Live):
                return told
            if state_of(best.outcome) is State.GONE:
                best = told
        return best

    async def _ask_at(self, address: str, settings: ChannelSettings) -> Told:
        try:
            options = options_of(settings)
            if _platform_of(address) != DIRECT:
                return await self._host.resolve(address, options)
            told = await try_as_stream(
                self._http, self._ffmpeg, address, options, timeout_s=_LOOK_S, headers=settings.headers
            )
            return replace(told, outcome=off_air(address)) if isinstance(told.outcome, Gone | Vod) else told
        except OuzelError as exc:  # the settings are wrong
            return Told("", exc, ())

    async def probe(self, channels: Sequence[tuple[Channel, ChannelSettings]]) -> Mapping[str, Peeked]:
        groups: dict[Options, dict[str, Channel]] = {}
        told: dict[str, Peeked] = {}
        for channel, settings in channels:
            try:
                groups.setdefault(options_of(settings), {})[channel.address] = channel
            except OuzelError as exc:
                told[channel.id] = exc
        for options, pages in groups.items():
            known = {url: channel.identity.id if channel.identity else "" for url, channel in pages.items()}
            answers = await self._host.probe(known, options)
            told |= {pages[url].id: peek for url, peek in answers.items()}
        if channels:
            platform = channels[0][0].platform
            asked = sum(-(-len(pages) // max(1, self.at_once(platform))) for pages in groups.values())
            self._pay(platform, asked - 1)
        return told

    def at_once(self, platform: str) -> int:
        return 0 if platform == DIRECT else registry()[platform].at_once

    def _pay(self, platform: str, requests: int) -> None:
        if requests > 0:
            now_s = self._clock.monotonic()
            self._budgets.of(platform, now_s).pay(now_s, requests)


def off_air(address: str) -> Offline:
    """Of a stream whose address answers that there is nothing, or with a list that is over: that is how one says so."""
    return Offline(Identity(DIRECT, redact(address)))


def _platform_of(address: str) -> str:
    match = registry().known(address) if address.startswith(("http://", "https://")) else None
    return match.platform.name if match else DIRECT
