"""17LIVE: rooms of 17.live, of Taiwan, Japan and the countries around them, by its own web API.

Source of shapes: yt-dlp's and streamget's code for it. A room is on air in state 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="live17",
    title="17LIVE",
    title_zh="17LIVE",
    urls=(
        "17.live/{}/live/{room:int}",
        "17.live/live/{room:int}",
        "17.live/{}/profile/r/{room:int}",
        "17.live/profile/r/{room:int}",
    ),
    example="https://17.live/en/live/6302408",
    chain=("own", "streamlink", "yt-dlp", "streamget"),
    streams=("flv", "hls"),
    streamget="YiqiLiveStream",
    headers=(("Referer", "https://17.live/"),),
    off_air=(r'"status":\s*(?!2\b)\d', r'"message":\s*"ended"'),
)
_API = "https://wap-api.17app.co/api/v1"
_ON_AIR = 2
_ENDED = 420
"""Its status for what it will not do just now; `message` says why."""
_QUALITIES: Mapping[str, Level] = {"urlHighQuality": "original", "url": "hd", "urlLowQuality": "sd"}


class SeventeenAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        identity = match.identity(room)
        user = _ask(site, f"user/room/{room}")
        anchor = dig(user, "displayName", want=str)
        live = _ask(site, f"lives/{room}/info")
        if peek(live, "message") == "ended":
            return Offline(identity, anchor)
        if dig(live, "status", want=int) != _ON_AIR:
            return Offline(identity, anchor, peek(live, "caption") or "")
        began = peek(live, "beginTime")
        return Live(
            identity,
            anchor,
            tuple(_streams(live, match, options)),
            peek(live, "caption") or "",
            "",
            peek(live, "coverPhoto") or "",
            datetime.fromtimestamp(began, UTC) if isinstance(began, int) and began > 0 else None,
            str(peek(live, "liveStreamID") or ""),
        )


def adapter() -> SeventeenAdapter:
    return SeventeenAdapter()


def _ask(site: Site, what: str) -> dict[str, Any]:
    doc = dig(site.get(f"{_API}/{what}", headers=dict(PLATFORM.headers), accept=(_ENDED,)).json(), want=dict)
    if peek(doc, "errorCode"):
        raise SiteChanged(f"17LIVE answers {peek(doc, 'errorCode')}: {peek(doc, 'errorMessage')}")
    return doc


def _streams(live: object, match: Match, options: Options) -> Iterator[Stream]:
    """Each quality, the best first, from each provider."""
    providers: list[Any] = peek(live, "pullURLsInfo", "rtmpURLs") or peek(live, "rtmpUrls") or []
    for name, level in _QUALITIES.items():
        for provider in providers:
            url = peek(provider, name)
            if isinstance(url, str) and url.startswith("http"):
                yield Stream(
                    url,
                    headers=match.platform.headers,
                    proxy=options.proxy or None,
                    protocol="flv",
                    label=name,
                    level=level,
                    cdn=str(peek(provider, "provider") or ""),
                )
