"""Rumble: pages of single broadcasts, by what their player is told.

Source of shapes: https://github.com/yt-dlp/yt-dlp/blob/master/yt_dlp/extractor/rumble.py. Of videos only yt-dlp knows.
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
    name="rumble",
    title="Rumble",
    title_zh="Rumble",
    urls=("rumble.com/embed/{embed}", "rumble.com/v{page}.html"),
    example="https://rumble.com/v7abcd-birds.html",
    chain=("own", "yt-dlp"),
    browser_tls=True,
    headers=(("Referer", "https://rumble.com/"), ("Origin", "https://rumble.com")),
    off_air=(r'"live":\s*1\b',),
    stable=(r"rumble\.com/embed/(v\w+)",),
    note="a page is one broadcast; pages of channels are not known",
)
_OVER, _COMING_OR_OVER, _ON_AIR = 0, 1, 2


class RumbleAdapter:
    """One broadcast."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        embed = match.named.get("embed", "").rpartition(".")[2]
        if not embed:
            page = site.get(match.url, headers=dict(PLATFORM.headers))
            embed = page.find(r"rumble\.com/embed/(?:[0-9a-z]+\.)?([0-9a-z]+)", "player")
        video: Any = site.get(
            "https://rumble.com/embedJS/u3/",
            params={"request": "video", "ver": 2, "v": embed},
            headers=dict(PLATFORM.headers),
        ).json()
        identity = match.identity(embed)
        state, title = dig(video, "live", want=int), html.unescape(peek(video, "title") or "")
        anchor = peek(video, "author", "name") or ""
        if state == _ON_AIR:
            streams = tuple(_streams(video, match, options))
            return Live(identity, anchor, streams, title, cover=peek(video, "i") or "")
        if state == _COMING_OR_OVER and peek(video, "livestream_has_dvr"):
            return Offline(identity, anchor, title)
        if state in {_OVER, _COMING_OR_OVER}:
            raise ResolverFailed("this page of Rumble is a video")
        raise SiteChanged(f"Rumble has a broadcast in state {state}")


def adapter() -> RumbleAdapter:
    return RumbleAdapter()


def _streams(video: Any, match: Match, options: Options) -> Iterator[Stream]:
    """The playlist for all qualities, under whatever name it stands."""
    for name, each in dig(video, "ua", "hls", want=dict).items():
        if url := peek(each, "url"):
            yield match.stream(url, options, label=name)
