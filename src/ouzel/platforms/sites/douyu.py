"""Douyu: rooms of douyu.com, by the calls of its web player.

`betard` tells of a room. `getEncryption` gives a key that belongs to a device's number, with which the question for addresses is
signed; each such question gets one address, which opens once, and soon. Sources of shapes: streamlink's plugin and streamget's
class for it, https://github.com/biliup/biliup/blob/master/biliup/plugins/douyu.py,
https://github.com/wzgrx/pure_live/blob/3caeb33c0138202e1944066cbcae556d361bc569/spec/sites/douyu.md
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, OuzelError, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, instant, peek, rows, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="douyu",
    title="Douyu",
    title_zh="斗鱼直播",
    urls=(
        "douyu.com/{room}",
        "douyu.com/beta/{room:int}",
        "douyu.com/topic/{}?rid={room:int}",
        "douyutv.com/{room}",
    ),
    example="https://www.douyu.com/9999",
    chain=("own", "streamlink", "streamget"),
    streams=("flv",),
    access="cookie",
    streamget="DouyuLiveStream",
    headers=(("Referer", "https://www.douyu.com/"),),
    off_air=(r'"show_status":\s*2\b', r'"videoLoop":\s*1\b'),
    note="the original quality may need the cookie of an account",
)
_WEB = "https://www.douyu.com"
_LEVELS: tuple[tuple[str, Level], ...] = (
    ("原画", "original"),
    ("蓝光", "bluray"),
    ("超清", "uhd"),
    ("高清", "hd"),
    ("流畅", "ld"),
)
_MOST_ROUNDS = 16
_MOST_HOSTS = 3
_NOT_LIVE = -5
_KEPT_BACK = frozenset({"", "dy_did", "acf_did", "LTP0"})  # of its cookies; the last is for its passport alone


class DouyuAdapter:
    """One room, by its number or its owner's name for it."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        asked = match["room"] if match["room"].isdigit() else self._number(match["room"], site)
        reply = site.get(f"{_WEB}/betard/{asked}", headers={"Referer": f"{_WEB}/{asked}"})
        if "该房间目前没有开放" in reply.text:
            raise ChannelGone(f"Douyu has no room {asked}, or it is closed")
        room = dig(reply.json(), "room", want=dict)
        number = whole(room.get("room_id"))
        if number is None:
            raise SiteChanged("Douyu does not say which room it tells of")
        identity = match.identity(number)
        anchor = str(room.get("nickname") or room.get("owner_name") or "")
        title = unescape(str(room.get("room_name") or "")).replace("\xa0", " ").strip()
        status = whole(room.get("show_status"))
        if status == 2 or (status == 1 and (whole(room.get("videoLoop")) == 1 or title.startswith("【回放】"))):
            return Offline(identity, anchor, title)  # a loop shows old videos
        if status != 1:
            raise SiteChanged(f"Douyu tells of a room in the state {status}")
        streams = tuple(_Player(str(number), site, match, options).streams())
        if not streams:
            return Offline(identity, anchor, title)
        began = whole(room.get("show_time"))
        return Live(
            identity,
            anchor,
            streams,
            title,
            str(room.get("second_lvl_name") or room.get("cate_name") or ""),
            str(room.get("room_pic") or room.get("room_thumb") or ""),
            instant(began),
            str(began or ""),
        )

    def _number(self, name: str, site: Site) -> str:
        """Its page leads to the one with its number."""
        reply = site.get(f"{_WEB}/{name}", redirects=False)
        there = reply.headers.get("location") or reply.headers.get("Location") or ""
        found = re.search(r"/(?:beta/)?(\d+)", urlsplit(urljoin(_WEB, there)).path)
        found = found or re.search(r"\$ROOM\.room_id\s*=\s*(\d+)|\"rid\":(\d+)", reply.text)
        if found is None:
            if "没有开放" in reply.text or "不存在" in reply.text:
                raise ChannelGone(f"Douyu has no room {name}")
            raise SiteChanged(f"Douyu does not say which room {name} is")
        return next(filter(None, found.groups()))


def adapter() -> DouyuAdapter:
    return DouyuAdapter()


def signature(key: Mapping[str, Any], room: str, now_s: int) -> str:
    """Of a question for addresses. Raises: SiteChanged."""
    secret, word, rounds = (dig(key, "rand_str", want=str), dig(key, "key", want=str), dig(key, "enc_time", want=int))
    if not 1 <= rounds <= _MOST_ROUNDS:
        raise SiteChanged(f"Douyu wants to be signed to in {rounds} rounds")
    for _ in range(rounds):
        secret = _md5(secret + word)
    return _md5(secret + word + ("" if whole(key.get("is_special")) == 1 else f"{room}{now_s}"))


class _Player:
    """Asks for one room's addresses, as one device."""

    def __init__(self, room: str, site: Site, match: Match, options: Options) -> None:
        self._room, self._site, self._match, self._options = room, site, match, options
        device = re.search(r"(?:^|;\s*)dy_did=([^;\s]+)", options.cookies)
        self._device = device[1] if device else secrets.token_hex(16)
        pairs = [pair.strip() for pair in options.cookies.split(";")]
        others = [pair for pair in pairs if pair.partition("=")[0] not in _KEPT_BACK]
        self._headers = {
            "Referer": f"{_WEB}/{room}",
            "Origin": _WEB,
            "Cookie": "; ".join([f"dy_did={self._device}", f"acf_did={self._device}", *others]),
        }
        self._key: dict[str, Any] = {}

    def streams(self) -> Iterator[Stream]:
        """The best quality from each host, then the others from the site's own choice. None where it says: not on air."""
        first = self._ask(rate=0)
        if first is None:
            return
        yield self._stream(first)
        had = {(whole(first.get("rate")), str(first.get("rtmp_cdn") or ""))}
        hosts = [str(peek(each, "cdn") or "") for each in rows(first, "cdnsWithName")]
        hosts = [host for host in hosts if host and host != first.get("rtmp_cdn")]
        rates = [rate for each in rows(first, "multirates") if (rate := whole(peek(each, "rate"))) is not None]
        others = [(0, host) for host in hosts[: _MOST_HOSTS - 1]] + [(rate, "") for rate in rates if rate]
        for rate, host in others:
            if not host and rate in {known for known, _ in had}:
                continue
            try:
                found = self._ask(rate, host)
            except OuzelError:
                return  # one that plays is enough
            got = (whole(found.get("rate")), str(found.get("rtmp_cdn") or "")) if found else None
            if found is not None and got is not None and got not in had:
                had.add(got)
                yield self._stream(found)

    def _ask(self, rate: int, host: str = "") -> dict[str, Any] | None:
        now_s = int(time.time())
        self._key = self._key or self._encryption()
        reply = self._site.post(
            f"{_WEB}/lapi/live/getH5PlayV1/{self._room}",
            form={
                "enc_data": dig(self._key, "enc_data", want=str),
                "tt": now_s,
                "did": self._device,
                "auth": signature(self._key, self._room, now_s),
                "cdn": host,
                "rate": rate,
                "hevc": int("hevc" in self._options.codecs),
                "fa": 0,
                "ive": 0,
                "ver": "Douyu_new",
                "iar": 0,
            },
            headers=self._headers,
        )
        doc = reply.json()
        error, said = whole(peek(doc, "error")), str(peek(doc, "msg") or "")
        if error == _NOT_LIVE and "未开播" in said:
            return None
        if error != 0 and "密码" in said:
            raise NeedsLogin(f"this room of Douyu wants a password: {said}")
        if error != 0:
            raise SiteChanged(f"Douyu answers {error}: {said}")
        return dig(doc, "data", want=dict)

    def _encryption(self) -> dict[str, Any]:
        doc = self._site.get(
            f"{_WEB}/wgapi/livenc/liveweb/websec/getEncryption", params={"did": self._device}, headers=self._headers
        ).json()
        error = whole(peek(doc, "error"))
        if error not in {0, None}:
            raise Blocked(f"Douyu gives no key to this device: {error} {peek(doc, 'msg') or ''}")
        return dig(doc, "data", want=dict)

    def _stream(self, data: Mapping[str, Any]) -> Stream:
        base, name = unescape(dig(data, "rtmp_url", want=str)), unescape(dig(data, "rtmp_live", want=str))
        url = name if "://" in name else f"{base.rstrip('/')}/{name.lstrip('/')}"
        rate = whole(data.get("rate"))
        named = next((each for each in rows(data, "multirates") if whole(peek(each, "rate")) == rate), None)
        label, bits = str(peek(named, "name") or ""), whole(peek(named, "bit"))
        lasts = whole(parse_qs(urlsplit(url).query).get("expire", [""])[0])
        return self._match.stream(
            url,
            self._options,
            expires_at=datetime.now(UTC) + timedelta(seconds=lasts) if lasts else None,
            label=label,
            level=next((level for word, level in _LEVELS if label.startswith(word)), None),
            bitrate_bps=bits * 1000 if bits else None,
            codec="" if "hevc" in self._options.codecs else "h264",
            cdn=str(data.get("rtmp_cdn") or ""),
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
