"""Bilibili Live: rooms of live.bilibili.com, by its own web API.

Source of shapes: https://github.com/SocialSisterYi/bilibili-API-collect (docs/live), and streamlink's plugin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Reply, Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform

PLATFORM = Platform(
    name="bilibili",
    title="Bilibili",
    title_zh="哔哩哔哩直播",
    urls=("live.bilibili.com/{room:int}", "live.bilibili.com/h5/{room:int}", "live.bilibili.com/blanc/{room:int}"),
    short=("b23.tv/{code}",),
    example="https://live.bilibili.com/21495945",
    chain=("own", "streamlink", "yt-dlp", "streamget"),
    streams=("flv", "hls"),
    access="cookie",
    streamget="BilibiliLiveStream",
    headers=(("Referer", "https://live.bilibili.com/"),),
    off_air=(r'"live_status":\s*[02]\b',),
    note="the best quality needs the cookie of an account",
)
_API = "https://api.live.bilibili.com"
_BEIJING = timezone(timedelta(hours=8))
_LEVELS: Mapping[int, Level] = {
    30000: "original",
    20000: "original",
    10000: "original",
    400: "bluray",
    250: "uhd",
    150: "hd",
    80: "ld",
}
_CODECS = {"avc": "h264", "hevc": "hevc", "av1": "av1"}
_REFUSED = {-352: "its risk control", -401: "its risk control", -412: "its risk control", -509: "too many requests"}


class BilibiliAdapter:
    """One room, and many at once."""

    name: AdapterName = "own"
    at_once = 50
    by = "room"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        base = self._base(site, [room]).get(room)
        if base is None:
            raise ChannelGone(f"Bilibili has no room {room}")
        identity, anchor, title = (
            match.identity(dig(base, "room_id", want=int)),
            base.get("uname", ""),
            base.get("title", ""),
        )
        if base.get("live_status") != 1:  # 2: shows old videos in a circle
            return Offline(identity, anchor, title)
        began = peek(base, "live_time") or ""
        return Live(
            identity,
            anchor,
            tuple(self._streams(match, site, identity.id, options)),
            title,
            base.get("area_name", ""),
            base.get("cover", ""),
            datetime.strptime(began, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_BEIJING).astimezone(UTC)
            if began[:1] == "2"
            else None,
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        return {
            room: Peek(base.get("live_status") == 1, base.get("title", ""), base.get("uname", ""))
            for room, base in self._base(site, ids).items()
        }

    def _base(self, site: Site, rooms: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """What is told of each room, by the number that was asked for: a short one, or the room's own."""
        reply = site.get(
            f"{_API}/xlive/web-room/v1/index/getRoomBaseInfo",
            params={"req_biz": "web_room_componet", "room_ids": list(rooms)},
            headers=dict(PLATFORM.headers),
        )
        found: dict[str, Mapping[str, Any]] = {}
        told: dict[str, dict[str, Any]] = _data(reply).get("by_room_ids") or {}
        for base in told.values():
            for number in {str(base.get("room_id")), str(base.get("short_id"))} & set(rooms):
                found[number] = base
        return found

    def _streams(self, match: Match, site: Site, room: str, options: Options) -> Iterator[Stream]:
        """The best quality that this cookie may see; of each format and codec, from each host."""
        reply = site.get(
            f"{_API}/xlive/web-room/v2/index/getRoomPlayInfo",
            params={
                "room_id": room,
                "protocol": "0,1",
                "format": "0,1,2",
                "codec": "0,1,2",
                "qn": 30000,
                "platform": "web",
                "ptype": 8,
            },
            headers=dict(PLATFORM.headers),
        )
        data = _data(reply)
        if peek(data, "encrypted") and not peek(data, "pwd_verified"):
            raise NeedsLogin(f"room {room} wants a password")
        play = dig(data, "playurl_info", "playurl", want=dict)
        told: list[dict[str, Any]] = play.get("g_qn_desc") or []
        names = {each["qn"]: each["desc"] for each in told}
        for stream in dig(play, "stream", want=list):
            for form in stream["format"]:
                for codec in form["codec"]:
                    yield from _addresses(form["format_name"], codec, names, match, options)


def adapter() -> BilibiliAdapter:
    return BilibiliAdapter()


def _data(reply: Reply) -> dict[str, Any]:
    doc = reply.json()
    code = peek(doc, "code")
    if code in _REFUSED:
        raise Blocked(f"Bilibili answers {code}: {_REFUSED[code]}")
    if code in {19002000, 60004, 1}:
        raise ChannelGone(f"Bilibili has no such room: {peek(doc, 'message')}")
    if code != 0:
        raise SiteChanged(f"Bilibili answers {code}: {peek(doc, 'message')}")
    return dig(doc, "data", want=dict)


def _addresses(
    form: str, codec: Mapping[str, Any], names: Mapping[int, str], match: Match, options: Options
) -> Iterator[Stream]:
    for host in codec["url_info"]:
        qn, expires = codec["current_qn"], parse_qs(host["extra"]).get("expires", [""])[0]
        yield Stream(
            host["host"] + codec["base_url"] + host["extra"],
            headers=match.platform.headers,
            proxy=options.proxy or None,
            protocol="flv" if form == "flv" else "hls",
            expires_at=datetime.fromtimestamp(int(expires), UTC) if expires.isdigit() else None,
            label=names.get(qn, str(qn)),
            level=_LEVELS.get(qn),
            codec=_CODECS.get(codec["codec_name"], ""),
            cdn=host["host"].removeprefix("https://"),
        )
