"""Bilibili Live: rooms of live.bilibili.com, by its own web API.

Source of shapes: https://github.com/SocialSisterYi/bilibili-API-collect (docs/live), and streamlink's plugin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta, timezone
from typing import Any

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Reply, Site, dig, instant, peek, table, whole
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
    15000: "original",
    10000: "original",
    400: "bluray",
    250: "uhd",
    150: "hd",
    80: "ld",
}
_CODECS = {"avc": "h264", "hevc": "hevc", "av1": "av1"}
_OFF_AIR, _ON_AIR, _IN_A_CIRCLE = 0, 1, 2
"""The last one shows old videos."""
_STATES = (_OFF_AIR, _ON_AIR, _IN_A_CIRCLE)
_REFUSED = {-352: "its risk control", -401: "its risk control", -412: "its risk control", -509: "too many requests"}


class BilibiliAdapter:
    """One room, and many at once."""

    name: AdapterName = "own"
    at_once = 50

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        base = self._base(site, [room]).get(room)
        if base is None:
            raise ChannelGone(f"Bilibili has no room {room}")
        identity, anchor, title = (
            match.identity(dig(base, "room_id", want=int)),
            str(base.get("uname") or ""),
            str(base.get("title") or ""),
        )
        if not _is_on(base):
            return Offline(identity, anchor, title)
        return Live(
            identity,
            anchor,
            tuple(self._streams(match, site, identity.id, options)),
            title,
            str(peek(base, "area_name") or ""),
            str(peek(base, "cover") or ""),
            instant(base, "live_time", zone=_BEIJING),
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        return {
            room: Peek(_is_on(base), str(base.get("title") or ""), str(base.get("uname") or ""))
            for room, base in self._base(site, ids).items()
            if whole(base, "live_status") in _STATES
        }

    def _base(self, site: Site, rooms: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """What is told of each room, by the number that was asked for: a short one, or the room's own."""
        reply = site.get(
            f"{_API}/xlive/web-room/v1/index/getRoomBaseInfo",
            params={"req_biz": "web_room_componet", "room_ids": list(rooms)},
            headers=dict(PLATFORM.headers),
        )
        found: dict[str, Mapping[str, Any]] = {}
        told = dig(_data(reply), "by_room_ids", want=object)
        for base in table(told).values():  # without any it is a list
            for number in {str(peek(base, "room_id")), str(peek(base, "short_id"))} & set(rooms):
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
        names = {peek(each, "qn"): str(peek(each, "desc") or "") for each in told}
        for stream in dig(play, "stream", want=list):
            for form in dig(stream, "format", want=list):
                for codec in dig(form, "codec", want=list):
                    yield from _addresses(dig(form, "format_name", want=str), codec, names, match, options)


def adapter() -> BilibiliAdapter:
    return BilibiliAdapter()


def _data(reply: Reply) -> dict[str, Any]:
    doc = reply.json()
    code = whole(doc, "code")
    if code in _REFUSED:
        raise Blocked(f"Bilibili answers {code}: {_REFUSED[code]}")
    if code in {19002000, 60004, 1}:
        raise ChannelGone(f"Bilibili has no such room: {peek(doc, 'message')}")
    if code != 0:
        raise SiteChanged(f"Bilibili answers {code}: {peek(doc, 'message')}")
    return dig(doc, "data", want=dict)


def _is_on(base: Mapping[str, Any]) -> bool:
    """Raises: SiteChanged for a state that nobody knows."""
    status = whole(base, "live_status")
    if status not in _STATES:
        raise SiteChanged(f"Bilibili tells of a room in the state {base.get('live_status')!r}")
    return status == _ON_AIR


def _addresses(form: str, codec: object, names: Mapping[int, str], match: Match, options: Options) -> Iterator[Stream]:
    base, qn = dig(codec, "base_url", want=str), dig(codec, "current_qn", want=int)
    for each in dig(codec, "url_info", want=list):
        host = dig(each, "host", want=str)
        yield match.stream(
            host + base + dig(each, "extra", want=str),
            options,
            protocol="flv" if form == "flv" else "hls",
            label=names.get(qn, str(qn)),
            level=_LEVELS.get(qn),
            codec=_CODECS.get(str(peek(codec, "codec_name")), ""),
            cdn=host.removeprefix("https://"),
        )
