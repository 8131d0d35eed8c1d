"""Huya: rooms of huya.com, by the call of its small program inside of other apps.

Addresses of media carry an "anti-code": a query with a template in base64 (`fm`) whose holes are filled with who watches, the
stream, a hash of a running number, and the time (`wsTime`), and which is hashed in turn. What is signed with the code that stands
there is ended by its deliverers after two minutes; so for FLV a code is asked for as Huya's program for Windows does it, in Tars,
with which a connection goes on. Sources of shapes: streamlink's plugin, https://github.com/biliup/biliup/issues/983,
https://github.com/bililive-go/bililive-go/issues/758, https://github.com/biliup/biliup/tree/master/biliup/plugins/huya_wup,
https://github.com/wzgrx/pure_live/blob/90321a3f38dbd5f83050ab46c35a3f4c94bc02e2/spec/sites/huya.md
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
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, unquote, urlencode

from ouzel.base.errors import ChannelGone, OuzelError, SiteChanged
from ouzel.formats.tars import parse_answer, render_call
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, instant, peek, rows, table, whole
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
    off_air=(r'"gameStreamInfoList":\s*\[\s*\]', r'"realLiveStatus":\s*"OFF"'),
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
_OPENS = timedelta(seconds=300)
_PROGRAM = "pc_exe&7060000&official"
_PROGRAM_AGENT = "HYSDK(Windows,30000002)_APP(pc_exe&7090000&official)_SDK(trans&2.35.0.5996)"
_PROGRAM_ID = 66
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
        status, said = whole(doc, "status"), str(peek(doc, "message") or "")
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
        return Live(
            identity,
            anchor,
            tuple(_Media(data, site, match, options).streams()),
            title,
            str(live.get("gameFullName") or ""),
            str(live.get("screenshot") or ""),
            instant(live, "startTime"),
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


class _Media:
    """The addresses of one room."""

    def __init__(self, data: Mapping[str, Any], site: Site, match: Match, options: Options) -> None:
        self._data, self._site, self._match, self._options = data, site, match, options
        self._watcher = Signer()
        self._owners: dict[int, Signer] = {}
        self._codes: dict[str, str] = {}

    def streams(self) -> Iterator[Stream]:
        """Each quality, from each host, the best first. Raises: SiteChanged when none can be signed."""
        named = [host for host in rows(self._data, "stream", "baseSteamInfoList") if peek(host, "sStreamName")]
        hosts = [host for host in named if _priority(host) >= 0] or named  # below 0: for the site's own programs
        hosts.sort(key=_priority, reverse=True)
        forms: tuple[Literal["flv", "hls"], ...] = ("flv", "hls")
        signed, refused = False, None
        for label, rate in _rates(self._data):
            for form in forms:
                for host in hosts:
                    try:
                        found = self._stream(form, host, label, rate)
                    except SiteChanged as exc:
                        refused = exc  # that of another host may be as it was
                        continue
                    if found is not None:
                        signed = True
                        yield found
        if refused is not None and not signed:
            raise refused

    def _stream(self, form: Literal["flv", "hls"], host: Any, label: str, rate: int) -> Stream | None:
        kind, name = form.capitalize(), str(host["sStreamName"])
        base, anti_code = str(peek(host, f"s{kind}Url") or ""), str(peek(host, f"s{kind}AntiCode") or "")
        if not base.startswith("http"):
            return None
        signer, lasts, agent = self._watcher, _LASTS, ""
        if form == "flv" and (code := self._code(name)):
            owner = peek(host, "lPresenterUid") or peek(self._data, "profileInfo", "uid")
            if isinstance(owner, int) and owner > 0:
                signer = self._owners.setdefault(owner, Signer(owner, self._watcher.now_s))
            anti_code, lasts, agent = code, _OPENS, _PROGRAM_AGENT
        if not anti_code:
            return None
        query = dict(parse_qsl(signer.sign(anti_code, name), keep_blank_values=True))
        query.pop("ratio", None)
        query.setdefault("codec", "264")
        if rate:
            query["ratio"] = str(rate)
        suffix = peek(host, f"s{kind}UrlSuffix") or ("flv" if form == "flv" else "m3u8")
        agents = (("User-Agent", agent),) if agent else ()
        return self._match.stream(
            f"{base.replace('http://', 'https://', 1)}/{name}.{suffix}?{urlencode(query)}",
            self._options,
            headers=(*agents, *self._match.platform.headers),
            protocol=form,
            expires_at=datetime.fromtimestamp(signer.now_s, UTC) + lasts,
            label=label,
            level=_level(label) if rate else "original",
            bitrate_bps=rate * 1000 or None,
            codec="h264",
            cdn=str(peek(host, "sCdnType") or ""),
        )

    def _code(self, name: str) -> str:
        """The anti-code that the program for Windows is given for a stream; empty when it is not to be had."""
        if name not in self._codes:
            try:
                self._codes[name] = self._ask_for_code(name)
            except OuzelError:
                self._codes[name] = ""  # then the one that stands in the room must do
        return self._codes[name]

    def _ask_for_code(self, name: str) -> str:
        who = {0: 0, 1: "", 2: "", 3: _PROGRAM, 4: "", 5: 0, 6: "", 7: ""}
        call = render_call("liveui", "getCdnTokenInfoEx", "tReq", {0: "", 1: name, 2: 0, 3: who, 4: _PROGRAM_ID})
        reply = self._site.post(
            "https://wup.huya.com/",
            data=call,
            headers={
                **dict(PLATFORM.headers),
                "User-Agent": _PROGRAM_AGENT,
                "Content-Type": "application/x-wup",
                "Cookie": "",  # it watches as nobody
            },
        )
        given = parse_answer(reply.content)
        told = given.get("tRsp")
        code = cast("dict[int, object]", told).get(0) if isinstance(told, dict) else None
        if given.get("", 0) != 0 or not isinstance(code, str) or not code:
            raise SiteChanged("Huya gives no code for a stream any more")
        Signer(now_s=self._watcher.now_s).sign(code, name)  # one that cannot be signed with is none
        return code


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
        label, rate = peek(each, "sDisplayName"), whole(each, "iBitRate")
        if label and rate is not None and rate >= 0:
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
