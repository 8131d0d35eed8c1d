"""Huya: rooms of huya.com, by the call of its small program inside of other apps.

Addresses of media carry an "anti-code": a query with a template in base64 (`fm`) whose holes are filled with who watches, the
stream, a hash of a running number, and the time (`wsTime`), and which is hashed in turn. Deliverers end a connection that was
signed so about two minutes after the signature. Sources of shapes: streamlink's plugin,
https://github.com/biliup/biliup/issues/983, https://github.com/bililive-go/bililive-go/issues/758
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlencode

from ouzel.base.errors import ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, peek, rows, table
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="huya",
    title="Huya",
    title_zh="虎牙直播",
    urls=("huya.com/{room}",),
    example="https://www.huya.com/660000",
    chain=("own", "streamlink", "streamget"),
    streams=("flv", "hls"),
    streamget="HuyaLiveStream",
    headers=(("Origin", "https://www.huya.com"), ("Referer", "https://www.huya.com/")),
)
_ROOM = "https://mp.huya.com/cache.php"
_LEVELS: tuple[tuple[str, Level], ...] = (
    ("原画", "original"),
    ("蓝光", "bluray"),
    ("超清", "uhd"),
    ("高清", "hd"),
    ("标清", "sd"),
    ("流畅", "ld"),
)
_IDLE = {"OFF", "OFFLINE", "CLOSED", "REPLAY"}  # the last: shows old videos
_LASTS = timedelta(seconds=120)
_WEB = "100"
_WAP = "103"


class HuyaAdapter:
    """One room, by its number or its owner's name for it."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"] if match["room"].isdigit() else self._number(match["room"], site)
        reply = site.get(
            _ROOM,
            params={"m": "Live", "do": "profileRoom", "roomid": room, "showSecret": 1, "_": int(time.time() * 1000)},
            headers={**dict(PLATFORM.headers), "Cache-Control": "no-cache"},
        )
        doc = reply.json()
        status, said = peek(doc, "status"), str(peek(doc, "message") or "")
        if status == 422 and "不存在" in said:
            raise ChannelGone(f"Huya has no room {room}: {said}")
        if status != 200:
            raise SiteChanged(f"Huya answers {status}: {said}")
        data = dig(doc, "data", want=dict)
        live, identity = table(data, "liveData"), match.identity(room)
        anchor = str(peek(data, "profileInfo", "nick") or live.get("nick") or "")
        title = str(live.get("introduction") or live.get("roomName") or "")
        state = dig(data, "liveStatus", want=str).strip().upper()
        if state in _IDLE or data.get("realLiveStatus") == "OFF" or (state == "ON" and title.startswith("【回放】")):
            return Offline(identity, anchor, title)
        if state != "ON":
            raise SiteChanged(f"Huya tells of a room in the state {state!r}")
        began = live.get("startTime")
        return Live(
            identity,
            anchor,
            tuple(_streams(data, match, options)),
            title,
            str(live.get("gameFullName") or ""),
            str(live.get("screenshot") or ""),
            datetime.fromtimestamp(began, UTC) if isinstance(began, int) and began > 0 else None,
            str(live.get("liveId") or ""),
        )

    def _number(self, name: str, site: Site) -> str:
        reply = site.get(f"https://www.huya.com/{name}")
        if "找不到这个主播" in reply.text:
            raise ChannelGone(f"Huya has no room {name}")
        return reply.find(r"rofileRoom\"\s*:\s*\"?(\d+)", "number of a room")


def adapter() -> HuyaAdapter:
    return HuyaAdapter()


@dataclass(slots=True)
class Signer:
    """Signs addresses as one watcher. No two have the same number: a second connection with it lives shorter."""

    uid: int = field(default_factory=lambda: 1_400_000_000_000 + random.randrange(10**11))
    now_s: float = field(default_factory=time.time)
    _signed: int = 0

    def sign(self, anti_code: str, stream: str) -> str:
        """The query to put behind an address. Raises: SiteChanged when the template is of another kind, or over."""
        given = dict(parse_qsl(unescape(anti_code), keep_blank_values=True))
        template = given.pop("fm", "")
        if not template:  # signed already
            return urlencode(given)
        kind, ctype = given.get("t", _WEB), given.get("ctype", "huya_webh5")
        try:
            text = base64.b64decode(unquote(template)).decode()
            ends = int(given["wsTime"], 16)
        except (ValueError, KeyError):
            raise SiteChanged("Huya signs its addresses in another way") from None
        if any(hole not in text for hole in ("$0", "$1", "$2", "$3")) or ends + 300 < self.now_s:
            raise SiteChanged("Huya signs its addresses in another way, or this clock is wrong")
        self._signed += 1
        number = self.uid + int(self.now_s * 1000) + self._signed
        who = self.uid if kind == _WAP else _turned(self.uid)
        mark = _md5(f"{number}|{ctype}|{kind}")
        for hole, value in (("$0", str(who)), ("$1", stream), ("$2", mark), ("$3", given["wsTime"])):
            text = text.replace(hole, value, 1)
        given |= {"wsSecret": _md5(text), "seqid": str(number), "ctype": ctype, "ver": "1", "t": kind}
        given |= {"uid": str(who), "uuid": str(number % 0xFFFFFFFF)} if kind == _WAP else {"u": str(who)}
        return urlencode({"fs": "bgct", **given})


def _streams(data: Mapping[str, Any], match: Match, options: Options) -> Iterator[Stream]:
    """Each quality, from each host, the best first."""
    signer = Signer()
    named = [host for host in rows(data, "stream", "baseSteamInfoList") if peek(host, "sStreamName")]
    hosts = [host for host in named if _priority(host) >= 0] or named  # below 0: for the site's own programs
    hosts.sort(key=_priority, reverse=True)
    for label, rate in _rates(data):
        for form in ("flv", "hls"):
            for host in hosts:
                yield from _stream(form, host, label, rate, signer, match, options)


def _stream(
    form: Literal["flv", "hls"], host: Any, label: str, rate: int, signer: Signer, match: Match, options: Options
) -> Iterator[Stream]:
    kind, name = form.capitalize(), str(host["sStreamName"])
    base, anti_code = str(peek(host, f"s{kind}Url") or ""), str(peek(host, f"s{kind}AntiCode") or "")
    if not base.startswith("http") or not anti_code:
        return
    suffix = peek(host, f"s{kind}UrlSuffix") or ("flv" if form == "flv" else "m3u8")
    query = dict(parse_qsl(signer.sign(anti_code, name), keep_blank_values=True))
    query.pop("ratio", None)
    query.setdefault("codec", "264")
    if rate:
        query["ratio"] = str(rate)
    yield Stream(
        f"{base.replace('http://', 'https://', 1)}/{name}.{suffix}?{urlencode(query)}",
        headers=match.platform.headers,
        proxy=options.proxy or None,
        protocol=form,
        expires_at=datetime.fromtimestamp(signer.now_s, UTC) + _LASTS,
        label=label,
        level=_level(label) if rate else "original",
        bitrate_bps=rate * 1000 or None,
        codec="h264",
        cdn=str(peek(host, "sCdnType") or ""),
    )


def _rates(data: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The qualities: label, and kbit/s; 0 is what the anchor sends."""
    told = peek(data, "liveData", "bitRateInfo")
    if isinstance(told, str):
        try:
            told = json.loads(told) if told else None
        except ValueError:
            told = None
    found: dict[int, str] = {}
    for each in rows(told) or rows(data, "stream", "flv", "rateArray") or rows(data, "stream", "bitRateInfo"):
        label, rate = peek(each, "sDisplayName"), peek(each, "iBitRate")
        if label and isinstance(rate, int) and rate >= 0:
            found.setdefault(rate, str(label))
    found = found or {0: "原画"}
    return [(label, rate) for rate, label in sorted(found.items(), key=lambda pair: (pair[0] > 0, -pair[0]))]


def _priority(host: Any) -> int:
    found = peek(host, "iWebPriorityRate")
    return found if isinstance(found, int) else 0


def _level(label: str) -> Level | None:
    return next((level for word, level in _LEVELS if label.startswith(word)), None)


def _turned(number: int) -> int:
    """Its lower 32 bits turned left by eight places."""
    low = number & 0xFFFFFFFF
    return number & ~0xFFFFFFFF | (low << 8 | low >> 24) & 0xFFFFFFFF


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
