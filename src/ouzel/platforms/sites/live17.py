"""17LIVE: rooms of 17.live, of Taiwan, Japan and the countries around them, by its own web API.

Source of shapes: https://github.com/liuchuancong/pure_live (its notes on 17live), yt-dlp and streamget. A room is on air in
state 2. Of the hosts that it names, the first alone delivers; they want to see the Referer. What comes from some telephones is
HEVC in FLV, but for `url264`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="live17",
    title="17LIVE",
    title_zh="17LIVE",
    urls=(
        "17.live/en/live/{room:int}",
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
    off_air=(r'(?s)\A(?=.*"pullURLsInfo").*"status":\s*0\b', r'"message":\s*"ended"'),
)
_API = "https://api-dsa.17app.co/api/v1"
_ON_AIR, _OFF_AIR = 2, 0
_SAYS_NO = (420, 520)
"""Its status for what it will not or cannot do; the answer says why."""
_QUALITIES: tuple[tuple[str, Level, tuple[str, ...]], ...] = (
    ("source", "original", ("urlHighQuality", "urlLowQuality", "webUrlLowQuality")),
    ("enhanced", "bluray", ("urlQualityEnhancedHD",)),
    ("hd", "hd", ("urlLowBitrateHD", "webUrl", "url")),
    ("h264", "hd", ("url264",)),
)


class SeventeenAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        told = _ask(site, room)
        if str(dig(told, "liveStreamID", want=int)) != room:
            raise SiteChanged(f"17LIVE was asked for room {room}, and tells of {told['liveStreamID']}")
        who = peek(told, "userInfo", "displayName") or dig(told, "userInfo", "openID", want=str)
        identity, title, status = match.identity(room), told.get("caption") or "", whole(told, "status")
        if status == _OFF_AIR:
            return Offline(identity, who, title)
        if status != _ON_AIR:
            raise SiteChanged(f"17LIVE tells of a state that is not known: {status!r}")
        return Live(
            identity,
            who,
            tuple(_streams(told, match, options)),
            title,
            "",
            (told.get("coverPhoto") or "").replace("http://", "https://"),
            instant(told, "beginTime"),
        )


def adapter() -> SeventeenAdapter:
    return SeventeenAdapter()


def _ask(site: Site, room: str) -> dict[str, Any]:
    reply = site.get(f"{_API}/lives/{room}", headers=dict(PLATFORM.headers), accept=_SAYS_NO)
    doc = dig(reply.json(), want=dict)
    if "errorCode" in doc or reply.status in _SAYS_NO:
        said = str(doc.get("errorMessage") or doc.get("message"))
        kind = ChannelGone if "not found" in said else SiteChanged
        raise kind(f"17LIVE answers {reply.status}: {said}")
    return doc


def _streams(told: object, match: Match, options: Options) -> Iterator[Stream]:
    """Each quality, the best first, from each host, in the order in which they are named."""
    hosts: list[Any] = peek(told, "pullURLsInfo", "rtmpURLs") or peek(told, "rtmpUrls") or []
    for label, level, fields in _QUALITIES:
        for host in hosts:
            url = next((url for name in fields if (url := peek(host, name))), "")
            if url.startswith("http"):
                yield match.stream(
                    url.replace("http://", "https://"),
                    options,
                    protocol="flv",
                    label=label,
                    level=level,
                    codec="h264" if label == "h264" else "",
                )
