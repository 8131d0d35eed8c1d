"""Vimeo: its events, by the player that is put into other sites' pages.

Source of shapes: https://github.com/yt-dlp/yt-dlp/blob/master/yt_dlp/extractor/vimeo.py (what the player is told) and
streamlink's plugin (where it stands).
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import ResolverFailed, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="vimeo",
    title="Vimeo events",
    title_zh="Vimeo 直播活动",
    urls=("vimeo.com/event/{event:int}", "vimeo.com/event/{event:int}/{..}"),
    example="https://vimeo.com/event/4242",
    chain=("own", "yt-dlp"),
    login=("yt-dlp",),
    browser_tls=True,
    headers=(("Referer", "https://vimeo.com/"), ("Origin", "https://vimeo.com")),
    off_air=(r'"status":\s*"(?:pending|unavailable|done|ended)"',),
)
_NOT_ON_AIR = frozenset({"pending", "active", "ended"})


class VimeoAdapter:
    """One event."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        event = match["event"]
        page = site.get(f"https://vimeo.com/event/{event}/embed", headers=dict(PLATFORM.headers))
        config: Any = site.get(
            html.unescape(page.find(r'data-config-url="([^"]+)"', "player")), headers=dict(PLATFORM.headers)
        ).json()
        identity = match.identity(f"event/{event}")
        video = dig(config, "video", want=dict)
        anchor, title = peek(video, "owner", "name") or "", peek(video, "title") or ""
        state = peek(video, "live_event", "status")
        if state in _NOT_ON_AIR:
            return Offline(identity, anchor, title)
        if state is None:
            raise ResolverFailed("this event of Vimeo shows a video")
        if state != "started":
            raise SiteChanged(f"Vimeo has an event in state {state!r}")
        streams = tuple(_streams(config, match, options))
        return Live(identity, anchor, streams, title, broadcast=str(peek(video, "id") or ""))


def adapter() -> VimeoAdapter:
    return VimeoAdapter()


def _streams(config: Any, match: Match, options: Options) -> Iterator[Stream]:
    """From each of who delivers it, the preferred one first."""
    told = dig(config, "request", "files", "hls", "cdns", want=dict)
    first = peek(config, "request", "files", "hls", "default_cdn")
    for cdn in sorted(told, key=lambda name: name != first):
        if url := peek(told, cdn, "url"):
            yield match.stream(url, options, label="auto", cdn=cdn)
