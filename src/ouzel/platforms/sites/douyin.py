"""Douyin: rooms of live.douyin.com by the call with which its page enters one, and people by the call of its shared pages.

A room has a number that stays (`web_rid`); each period on air has another (`room_id`), which is what shared links name. The first
call is signed, by a function of streamget's, and answers with nothing to who has no visitor's cookie. Sources of shapes:
https://github.com/Evil0ctal/Douyin_TikTok_Download_API/issues/556, https://github.com/biliup/biliup/blob/master/biliup/plugins/douyin.py,
https://github.com/wzgrx/pure_live/blob/73c99a6e4659c22521e152eb7e8d80f3be1ee32b/spec/sites/douyin.md
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import USER_AGENT, Reply, Site, dig, instant, peek, rows, table, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform
from ouzel.platforms.expiry import expiry_of

PLATFORM = Platform(
    name="douyin",
    title="Douyin",
    title_zh="抖音直播",
    urls=(
        "live.douyin.com/{room}",
        "douyin.com/root/live/{room}",
        "douyin.com/follow/live/{room}",
        "douyin.com/user/{user}",
        "douyin.com/share/user/{user}",
        "iesdouyin.com/share/user/{user}",
        "webcast.amemv.com/douyin/webcast/reflow/{broadcast:int}?sec_user_id={user}",
        "webcast.amemv.com/webcast/reflow/{broadcast:int}?sec_user_id={user}",
        "webcast.amemv.com/douyin/webcast/reflow/{broadcast:int}",
        "webcast.amemv.com/webcast/reflow/{broadcast:int}",
        "douyin.com/{room:int}",
    ),
    short=("v.douyin.com/{code}",),
    example="https://live.douyin.com/745964462470",
    chain=("own", "streamlink", "streamget"),
    streams=("flv", "hls"),
    access="cookie",
    streamget="DouyinLiveStream",
    headers=(("Referer", "https://live.douyin.com/"),),
    off_air=(r'\\?"status\\?":\s*4,\s*\\?"(?:status_str|title)\b',),
    note="a cookie of live.douyin.com helps where its risk control refuses; the original quality may need one",
)
_ENTER = "https://live.douyin.com/webcast/room/web/enter/"
_SHARED = "https://webcast.amemv.com/webcast/room/reflow/info/"
_REGISTER = "https://ttwid.bytedance.com/ttwid/union/register/"
_BROWSER = {
    "aid": "6383",
    "app_name": "douyin_web",
    "live_id": "1",
    "device_platform": "web",
    "language": "zh-CN",
    "browser_language": "zh-CN",
    "browser_platform": "Win32",
    "browser_name": "Chrome",
    "browser_version": "142.0.0.0",
}
_KEYS: Mapping[str, tuple[str, Level]] = {  # of the streams, the best first; the site's own names go before these
    "origin": ("原画", "original"),
    "origion": ("原画", "original"),
    "uhd": ("蓝光", "bluray"),
    "full_hd1": ("蓝光", "bluray"),
    "hd": ("超清", "uhd"),
    "hd1": ("超清", "uhd"),
    "sd": ("高清", "hd"),
    "sd2": ("高清", "hd"),
    "ld": ("标清", "sd"),
    "sd1": ("标清", "sd"),
    "md": ("流畅", "ld"),
    "ao": ("音频", "audio"),
}
_LEVELS: Mapping[str, Level] = {
    "原画": "original",
    "蓝光": "bluray",
    "超清": "uhd",
    "高清": "hd",
    "标清": "sd",
    "流畅": "ld",
}
_CODECS = {"264": "h264", "h264": "h264", "265": "hevc", "h265": "hevc", "bytevc1": "hevc"}
_LIVE, _OVER = 2, 4  # `status` of a room
_ENDED = 2  # `room_status` beside it, which is there when the room is not
_VISIT_S = 7 * 86400.0
"""How long a visitor's cookie is used; it says a year of itself."""


class DouyinAdapter:
    """A room, or whoever is named by a shared link."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        if "room" in match.named:
            number = match["room"].lstrip("+")
            data = _data(self._enter(number, site, options))
            return self._of_room(data, _room(data), number, match, options)
        data = _data(self._shared(match, site))
        room = peek(data, "room")
        number = str(peek(room, "owner", "web_rid") or "")
        if whole(room, "status") == _LIVE and number:
            return self._of_room(data, room, number, match, options)
        if not number:
            raise SiteChanged("Douyin does not say which room this link leads to")
        data = _data(self._enter(number, site, options))  # that period is over, and another may have begun
        return self._of_room(data, _room(data), number, match, options)

    def _of_room(self, data: Mapping[str, Any], room: Any, number: str, match: Match, options: Options) -> Answer:
        anchor = peek(data, "user", "nickname") or peek(room, "owner", "nickname") or ""
        if anchor == "账号已注销":
            raise ChannelGone("this account of Douyin was closed")
        identity = match.identity(peek(room, "owner", "web_rid") or number)
        title, status = peek(room, "title") or "", whole(room, "status")
        if _says_over(data, status):
            return Offline(identity, anchor, title)
        if status != _LIVE:
            raise SiteChanged(f"Douyin tells of a room in the state {status!r}")
        roads = data.get("partition_road_map")
        return Live(
            identity,
            anchor,
            tuple(_streams(dig(room, "stream_url", want=dict), match, options)),
            title,
            peek(roads, "sub_partition", "partition", "title") or peek(roads, "partition", "title") or "",
            peek(room, "cover", "url_list", 0) or "",
            instant(room, "create_time"),
            peek(room, "id_str") or "",
        )

    def _enter(self, number: str, site: Site, options: Options) -> Reply:
        """Asked as a visitor where the user has no cookie, and as another one when the first gets no answer."""
        if "ttwid=" in options.cookies:
            return self._ask(number, options.cookies, site, options)
        reply = None
        for visitor in (self._registered, self._welcomed):
            for ttwid in site.tokens("ttwid", _VISIT_S, partial(visitor, site)):
                cookies = "; ".join(filter(None, (options.cookies, f"ttwid={ttwid}")))
                reply = self._ask(number, cookies, site, options)
                if reply.text.strip():
                    return reply
        if reply is None:
            raise SiteChanged("Douyin gives no visitor's cookie (ttwid) any more")
        return reply

    def _ask(self, number: str, cookies: str, site: Site, options: Options) -> Reply:
        agent = options.user_agent or USER_AGENT
        query = urlencode({**_BROWSER, "web_rid": number, "is_need_double_stream": "false", "msToken": ""})
        return site.get(
            f"{_ENTER}?{query}&{urlencode({'a_bogus': _signed(query, agent)})}",
            headers={"User-Agent": agent, "Referer": f"https://live.douyin.com/{number}", "Cookie": cookies},
        )

    def _shared(self, match: Match, site: Site) -> Reply:
        """Of a person, or of a period on air: whose room, and what is on there."""
        return site.get(
            _SHARED,
            params={
                "type_id": 0,
                "live_id": 1,
                "version_code": "99.99.99",
                "app_id": 1128,
                "room_id": match.named.get("broadcast", 2),  # 2: whichever it is
                "sec_user_id": match.named.get("user", ""),
            },
            headers=dict(PLATFORM.headers),
        )

    def _registered(self, site: Site) -> str:
        reply = site.post(
            _REGISTER,
            body={
                "region": "cn",
                "aid": 1768,
                "needFid": False,
                "service": "www.ixigua.com",
                "migrate_info": {"ticket": "", "source": "node"},
                "cbUrlProtocol": "https",
                "union": True,
            },
            headers={"Cookie": ""},  # another host: the user's are none of its business
        )
        return reply.cookies.get("ttwid", "")

    def _welcomed(self, site: Site) -> str:
        return site.get("https://live.douyin.com/", params={"from_nav": 1}).cookies.get("ttwid", "")


def adapter() -> DouyinAdapter:
    return DouyinAdapter()


def _signed(query: str, agent: str) -> str:
    from streamget.platforms.douyin.ab_sign import ab_sign

    return ab_sign(query, agent)


def _data(reply: Reply) -> dict[str, Any]:
    if not reply.text.strip():
        raise Blocked("Douyin's risk control answers with nothing; a cookie of live.douyin.com may help")
    doc = reply.json()
    code, said = whole(doc, "status_code"), str(peek(doc, "data", "prompts") or peek(doc, "data", "message") or "")
    if code in {0, 30003} or "直播已结束" in said:
        return dig(doc, "data", want=dict)
    if code == 20003 or "可见范围" in said or "登录" in said:
        raise NeedsLogin(f"Douyin shows this room to some only: {said}")
    if code == 4001038:
        raise ChannelGone(f"Douyin has no such room: {said}")
    raise SiteChanged(f"Douyin answers {code}: {said}")


def _room(data: Mapping[str, Any]) -> Any:
    return peek(data, "data", 0) or peek(data, "room")


def _says_over(data: Mapping[str, Any], status: Any) -> bool:
    if status is not None:
        return status == _OVER
    return "直播已结束" in str(data.get("prompts")) or (whole(data, "room_status") == _ENDED and bool(data.get("user")))


def _streams(told: Mapping[str, Any], match: Match, options: Options) -> Iterator[Stream]:
    """All of one room. The old lists are read where the new one is not there."""
    pull = table(told, "live_core_sdk_data", "pull_data")
    names = {str(peek(each, "sdk_key")): each for each in rows(pull, "options", "qualities")}
    found = {key: table(each, "main") for key, each in table(_json(pull.get("stream_data")), "data").items()}
    if not found:
        for form, old in (("flv", "flv_pull_url"), ("hls", "hls_pull_url_map")):
            for key, url in table(told, old).items():
                found.setdefault(key.lower(), {})[form] = url
    ranks = list(_KEYS)
    for key in sorted(found, key=lambda key: ranks.index(key) if key in ranks else len(ranks)):
        details = _json(found[key].get("sdk_params"))
        for form in ("flv", "hls"):
            if str(found[key].get(form) or "").startswith("http"):
                yield _stream(form, key, found[key][form], details, names.get(key), match, options)


def _stream(form: str, key: str, url: str, details: Any, named: Any, match: Match, options: Options) -> Stream:
    level: Level | None
    usual, level = _KEYS.get(key, (key, None))
    label = str(peek(named, "name") or usual)
    rate = whole(details, "vbitrate") or whole(named, "v_bit_rate")
    height = str(peek(details, "resolution") or peek(named, "resolution") or "").partition("x")[2]
    codec = str(peek(details, "VCodec") or peek(named, "v_codec") or "").lower()
    url = url.replace("http://", "https://", 1)
    if "only_audio=1" in url:
        level = "audio"
    elif level != "original":
        level = _LEVELS.get(label[:2]) or level
    return match.stream(
        url,
        options,
        protocol="flv" if form == "flv" else "hls",
        expires_at=expiry_of(url, "t"),
        label=label,
        level=level,
        height=int(height) if height.isdigit() else None,
        fps=float(peek(named, "fps") or 0) or None,
        bitrate_bps=rate or None,
        codec=_CODECS.get(codec, ""),
    )


def _json(text: object) -> Any:
    """What stands in a JSON text inside of a document, or is there already."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise SiteChanged("Douyin writes its streams in another way") from None
