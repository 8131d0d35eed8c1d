"""Lang Live: rooms of lang.live, of Taiwan and the countries around it, by its own web API.

Source of shapes: https://github.com/liuchuancong/pure_live (its tests of langlive), and streamget.
"""

from __future__ import annotations

from collections.abc import Iterator

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Protocol_, Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="langlive",
    title="Lang Live",
    title_zh="浪Live",
    urls=(
        "lang.live/{}/room/{room:int}",
        "lang.live/room/{room:int}",
        "lang.live/main/{room:int}",
        "lang.live/{}/main/{room:int}",
        "play.lang.live/{room:int}",
    ),
    example="https://www.lang.live/en-US/room/3349463",
    chain=("own", "streamget"),
    streams=("hls", "flv"),
    streamget="LangLiveStream",
    headers=(("Origin", "https://www.lang.live"), ("Referer", "https://www.lang.live/")),
    off_air=(r'"live_status":\s*"?(?!1\b)\d',),
)
_API = "https://api.lang.live/langweb/v1/room/liveinfo"
_ADDRESSES: tuple[tuple[str, Protocol_], ...] = (("liveurl_hls", "hls"), ("liveurl", "flv"))


class LangLiveAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        doc = site.get(_API, params={"room_id": room}, headers=dict(PLATFORM.headers)).json()
        if str(peek(doc, "ret_code")) != "0":
            raise SiteChanged(f"Lang Live answers {peek(doc, 'ret_code')}: {peek(doc, 'ret_msg')}")
        told = dig(doc, "data", "live_info", want=dict)
        if str(told.get("pretty_id")) != room:
            raise SiteChanged(f"Lang Live was asked for room {room}, and tells of {told.get('pretty_id')}")
        identity, anchor = match.identity(room), dig(told, "nickname", want=str)
        status = str(told.get("live_status"))
        if status == "0":
            return Offline(identity, anchor)
        if status != "1":
            raise SiteChanged(f"Lang Live tells of a state that is not known: {status}")
        return Live(identity, anchor, tuple(_streams(told, match, options)))


def adapter() -> LangLiveAdapter:
    return LangLiveAdapter()


def _streams(told: object, match: Match, options: Options) -> Iterator[Stream]:
    for name, protocol in _ADDRESSES:
        if url := peek(told, name):
            yield match.stream(url, options, protocol=protocol, level="original")
