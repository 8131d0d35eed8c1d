"""Yinbo: rooms of live.ybw1666.com, by the call behind its mobile page; where its streams are stands in the room's page.

Source of shapes: streamget's class.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="yinbo",
    title="Yinbo",
    title_zh="音播直播",
    urls=("live.ybw1666.com/{room:int}", "ybw1666.com/{room:int}"),
    example="https://live.ybw1666.com/800002949",
    chain=("own",),
    streams=("flv", "hls"),
    streamget="YinboLiveStream",
    headers=(("Referer", "https://live.ybw1666.com/"),),
    note="reported as closed",
)


class YinboAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        doc = site.get(
            "https://wap.ybw1666.com/api/ui/room/v1.0.0/live.ashx",
            params={"roomidx": room, "currentUrl": f"https://wap.ybw1666.com/{room}"},
            headers={"Referer": f"https://live.ybw1666.com/{room}?promoters=0"},
        ).json()
        told = dig(doc, "data", "roomInfo", want=dict)
        identity, anchor = match.identity(room), dig(told, "nickname", want=str)
        status = dig(told, "live_stat", want=int)
        if status == 0:
            return Offline(identity, anchor)
        if status != 1:
            raise SiteChanged(f"Yinbo gives the room {room} a status that is not known: {status}")
        live = str(dig(told, "liveID", want=object))
        return Live(
            identity, anchor, tuple(_streams(site, room, live, match, options)), cover=peek(told, "headpic") or ""
        )


def adapter() -> YinboAdapter:
    return YinboAdapter()


def _streams(site: Site, room: str, live: str, match: Match, options: Options) -> Iterator[Stream]:
    page = site.get(f"https://live.ybw1666.com/{room}", headers=dict(PLATFORM.headers))
    config = json.loads(page.find(r"var config\s*=\s*(\{.*?\})\s*;\s*config\.webskins", "place of the streams"))
    for key, suffix in (("domainpullstream_flv", "flv"), ("domainpullstream_hls", "m3u8")):
        place = dig(config, key, want=str).rstrip("/")
        yield match.stream(f"{place}/{live}.{suffix}", options, label="原画", level="original")
