"""VK Video Live (once VK Play Live): by the API of its own pages.

Source of shapes: https://github.com/streamlink/streamlink/blob/master/src/streamlink/plugins/vkvideolive.py and
https://github.com/yt-dlp/yt-dlp/blob/master/yt_dlp/extractor/vk.py (VKPlayLive).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="vkvideo",
    title="VK Video Live",
    title_zh="VK Video Live",
    urls=("live.vkvideo.ru/{user}", "live.vkplay.ru/{user}", "vkplay.live/{user}"),
    example="https://live.vkvideo.ru/somebody",
    chain=("own", "streamlink"),
    headers=(("Referer", "https://live.vkvideo.ru/"), ("Origin", "https://live.vkvideo.ru")),
    off_air=(r'"isOnline":\s*false',),
    stable=(r'"user":\s*\{[^{}]*"id":\s*(\d+)',),
)


class VkVideoAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        doc = site.get(
            f"https://api.live.vkvideo.ru/v1/blog/{match['user']}/public_video_stream",
            headers=dict(PLATFORM.headers),
        ).json()
        if why := peek(doc, "error"):
            raise SiteChanged(f"VK Video answers {why}: {peek(doc, 'error_description')}")
        identity = match.identity(dig(doc, "user", "id", want=int))
        anchor = peek(doc, "user", "displayName") or dig(doc, "user", "nick", want=str)
        title = peek(doc, "title") or ""
        if not dig(doc, "isOnline", want=bool):
            return Offline(identity, anchor, title)
        return Live(
            identity,
            anchor,
            tuple(_streams(doc, match, options)),
            title,
            peek(doc, "category", "title") or "",
            peek(doc, "previewUrl") or "",
            instant(doc, "startTime"),
            peek(doc, "id") or "",
        )


def adapter() -> VkVideoAdapter:
    return VkVideoAdapter()


def _streams(doc: Any, match: Match, options: Options) -> Iterator[Stream]:
    """Its HLS; what else it has is the same in other wrappings, or begins in the past."""
    addresses: list[Any] = peek(doc, "data", 0, "playerUrls") or []
    for each in addresses:
        if peek(each, "type") == "live_hls" and peek(each, "url"):
            yield match.stream(dig(each, "url", want=str), options, label="auto")
