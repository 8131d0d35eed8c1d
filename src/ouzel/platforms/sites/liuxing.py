"""Liuxing: rooms of 7u66.com, by the call behind its mobile page. (streamget has the parser of another site.)

Source of shapes: https://github.com/ihmily/DouyinLiveRecorder (src/spider.py).
"""

from __future__ import annotations

from typing import Any

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="liuxing",
    title="Liuxing",
    title_zh="流星直播",
    urls=("7u66.com/{room:int}",),
    example="https://www.7u66.com/100960",
    chain=("own",),
    streams=("flv",),
    headers=(("Referer", "https://wap.7u66.com/"),),
)
_HOST = "txpull1.5see.com"


class LiuxingAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        doc = site.get(
            "https://wap.7u66.com/api/ui/room/v1.0.0/live.ashx",
            params={"promoters": 0, "roomidx": room, "currentUrl": f"https://www.7u66.com/{room}?promoters=0"},
            headers={"Referer": f"https://wap.7u66.com/{room}?promoters=0"},
        ).json()
        told = dig(doc, "data", "roomInfo", want=dict)
        identity, anchor = match.identity(room), dig(told, "nickname", want=str)
        status = dig(told, "live_stat", want=int)
        if status == 0:
            return Offline(identity, anchor)
        if status != 1:
            raise SiteChanged(f"Liuxing gives the room {room} a status that is not known: {status}")
        return Live(identity, anchor, (_stream(told, match, options),), cover=peek(told, "headpic") or "")


def adapter() -> LiuxingAdapter:
    return LiuxingAdapter()


def _stream(told: dict[str, Any], match: Match, options: Options) -> Stream:
    number, live = dig(told, "idx", want=object), dig(told, "liveId1", want=object)
    return match.stream(f"https://{_HOST}/live/{number}/{live}.flv", options, label="原画", level="original")
