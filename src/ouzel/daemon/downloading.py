"""What the daemon downloads with: its rules, as the settings say, and the engine, made with the first download."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio.to_thread

from ouzel.base.errors import NotOnAir
from ouzel.base.urls import redact
from ouzel.config.settings import Settings
from ouzel.engine.workshop import Page, Workshop
from ouzel.model.choice import Taste
from ouzel.model.downloads import Downloading, DownloadOutcome, DownloadWish, OnDownload
from ouzel.model.stream import Stream
from ouzel.platforms.host import ResolverHost
from ouzel.platforms.registry import registry
from ouzel.platforms.resolver import Channels as Claims
from ouzel.platforms.resolver import PageResolver
from ouzel.services.asking import options_of
from ouzel.services.channels import Channels
from ouzel.services.download_forms import DownloadRules
from ouzel.services.paces import pace_of
from ouzel.services.storage import RootGate
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client
from ouzel.system.http.given import sendable


def download_rules(settings: Settings) -> DownloadRules:
    own = settings.download
    return DownloadRules(
        own.folder, own.folders, pace_of(own, own), own.profile,
        {name: pace_of(each, own) for name, each in settings.profiles.items()}, own.most_connections,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doors:
    """Through which downloads get to media, and to the pages that name them."""

    http: Http1Client
    host: ResolverHost
    ffmpeg: FfmpegFinder


@dataclass(frozen=True, slots=True)
class RootedDownloading:
    """Downloads whose folder is in a storage root wait while that is not mounted."""

    inner: Downloading
    gates: Collection[RootGate]

    async def run(self, wish: DownloadWish, *, on_progress: OnDownload) -> DownloadOutcome:
        """Raises: RootMissing, and as `inner`."""
        for gate in self.gates:
            if wish.folder.is_relative_to(gate.folder):
                await anyio.to_thread.run_sync(gate.require)
        return await self.inner.run(wish, on_progress=on_progress)


def make_downloading(settings: Settings, doors: Doors, shop: Workshop, channels: Channels, clock: Clock) -> Downloading:
    """Asked for with the first download, so that who downloads nothing loads nothing of it."""
    from ouzel.engine.download.asking import Address
    from ouzel.engine.download.downloader import Downloader  # and with it all that reads media
    from ouzel.engine.download.live import recording_with

    async def find(wish: DownloadWish) -> Address:
        match = registry().known(wish.url)
        if match is None:
            return Address(Stream(wish.url))
        usual = channels.usual(match.platform.name).settings
        taste = Taste(wish.quality, usual.codecs or Taste().codecs, usual.refuse_codecs, usual.cdn)
        resolver = PageResolver(doors.host, wish.url, options_of(usual), taste, clock, Claims(), apart=True)
        stream = await resolver.resolve()
        if stream is None and not wish.on_air:  # the recorder asks more than once before it believes that it is over
            raise NotOnAir(f"{redact(wish.url)} is offline: there is nothing to download")
        cookies = sendable(usual.cookies)
        page = Page(resolver, lambda: resolver.fields)
        home = urlsplit(wish.url).hostname

        def cookie(url: str) -> str | None:
            return cookies or None if urlsplit(url).hostname == home else None

        return Address(stream or Stream(wish.url), cookie, resolver.fields.get("title", ""), page=page)

    return Downloader(
        doors.http, clock, doors.ffmpeg, find, recording_with(shop), min_free_bytes=int(settings.storage.min_free)
    )
