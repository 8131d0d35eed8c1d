"""Rutube: pages of single broadcasts and of television, by the calls of its own player.

Source of shapes: https://rutube.ru/info/embed/ (the options of the player), https://rutube.ru/api/video/ID/ (is_livestream,
is_on_air), and yt-dlp's extractor. Of videos only yt-dlp knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import RegionLocked, ResolverFailed
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="rutube",
    title="Rutube",
    title_zh="Rutube",
    urls=("rutube.ru/video/{video}", "rutube.ru/live/video/{video}", "rutube.ru/play/embed/{video}"),
    example="https://rutube.ru/video/0ed0696149c131d3a7349372d730d4e6/",
    chain=("own", "yt-dlp"),
    proxy_advised=True,
    headers=(("Referer", "https://rutube.ru/"), ("Origin", "https://rutube.ru")),
    off_air=(r'"is_on_air":\s*false',),
    note="a page is one broadcast, or a channel of television; pages of users are not known",
)


class RutubeAdapter:
    """One broadcast."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        number = match["video"]
        video = self._ask(site, f"video/{number}")
        identity, title = match.identity(dig(video, "id", want=str)), peek(video, "title") or ""
        anchor = peek(video, "author", "name") or ""
        if not dig(video, "is_livestream", want=bool):
            raise ResolverFailed("this page of Rutube is a video")
        if not dig(video, "is_on_air", want=bool):
            return Offline(identity, anchor, title)
        play = self._ask(site, f"play/options/{number}")
        if rule := peek(play, "blocking_rule"):
            raise RegionLocked(f"Rutube does not show this here: {peek(rule, 'name') or rule}")
        return Live(
            identity,
            anchor,
            tuple(_streams(play, match, options)),
            title,
            peek(video, "category", "name") or "",
            peek(video, "thumbnail_url") or "",
        )

    def _ask(self, site: Site, what: str) -> Any:
        return site.get(
            f"https://rutube.ru/api/{what}/", params={"format": "json"}, headers=dict(PLATFORM.headers)
        ).json()


def adapter() -> RutubeAdapter:
    return RutubeAdapter()


def _streams(play: Any, match: Match, options: Options) -> Iterator[Stream]:
    """With picture first."""
    found = dig(play, "live_streams", "hls", want=list)
    for each in sorted(found, key=lambda each: peek(each, "is_video") is False):
        yield match.stream(
            dig(each, "url", want=str),
            options,
            label="sound" if peek(each, "is_video") is False else "auto",
            level="audio" if peek(each, "is_video") is False else None,
        )
