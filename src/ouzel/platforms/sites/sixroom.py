"""6.cn: rooms of v.6.cn, by what their page says to its own scripts.

Source of shapes: https://github.com/liuchuancong/pure_live (its notes on sixroom), and streamget, which asks for far more. On
that page `rid` is the number of who is on air, and `roomid` that of the room.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ouzel.base.errors import ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="sixroom",
    title="6.cn",
    title_zh="六间房直播",
    urls=("v.6.cn/{room:int}", "m.6.cn/{room:int}", "v.6.cn/profile/{room:int}"),
    example="https://v.6.cn/634435",
    chain=("own", "streamget"),
    streams=("flv",),
    streamget="SixRoomLiveStream",
    headers=(("Origin", "https://v.6.cn"), ("Referer", "https://v.6.cn/")),
    off_air=(r'"flvtitle":\s*""',),
)
_CATEGORIES = {"u0": "歌区", "u1": "舞区", "u2": "脱口秀", "u8": "派对"}
_CODECS = {"AVC": "h264", "HEVC": "hevc"}


class SixRoomAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        page = site.get(f"https://v.6.cn/{room}", headers=dict(PLATFORM.headers))
        if page.find(r"\broomid:\s*'?(\d+)", "number of the room") != room:
            raise ChannelGone(f"6.cn has no room {room}: it shows another one")
        identity, anchor = match.identity(room), html.unescape(_text(page, "masterName"))
        title = re.sub(r"<[^>]*>", "", html.unescape(_text(page, "privNotic", needed=False))).strip()
        broadcast = page.find(r"\bliveid:\s*'(\d+)'", "number of what is on air")
        if broadcast == "0":
            return Offline(identity, anchor, title)
        return Live(
            identity,
            anchor,
            tuple(_streams(page, match, options)),
            title,
            _CATEGORIES.get(_text(page, "usertype", needed=False), ""),
            _text(page, "posterPic", needed=False),
            broadcast=broadcast,
        )


def adapter() -> SixRoomAdapter:
    return SixRoomAdapter()


def _text(page: Reply, name: str, *, needed: bool = True) -> str:
    found = re.search(rf"\b{name}:\s*(?:'([^'\n]*)'|\"((?:[^\"\\\n]|\\.)*)\")", page.text)
    if found is None and needed:
        raise SiteChanged(f"the page of 6.cn has no {name} any more")
    return (found[1] or found[2] or "").replace("\\/", "/") if found else ""


def _streams(page: Reply, match: Match, options: Options) -> Iterator[Stream]:
    """The name of a stream is all that its address needs."""
    name = page.find(r'"flvtitle"\s*:\s*"(v\d+-\d+[\w-]*)"', "name of a stream")
    codec = re.search(r'"videoCodec"\s*:\s*"(\w+)"', page.text)
    size = re.search(r'"resolution"\s*:\s*"(\d+)[x*](\d+)"', page.text)
    yield match.stream(
        f"https://wlive.6rooms.com/httpflv/{name}.flv",
        options,
        label="原画",
        level="original",
        height=min(int(size[1]), int(size[2])) if size else None,
        codec=_CODECS.get(codec[1], "") if codec else "",
    )
