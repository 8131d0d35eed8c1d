"""Migu Video: what it broadcasts of sports and shows on miguvideo.com, which is what a channel is there.

Source of shapes: what streamget knows of it, for who is on air; https://github.com/develop202/migu_video for the address, as the
app for Android is told it (720p). streamget is not asked: its script for the address does not fit what the site has now.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ouzel.base.errors import Blocked, NeedsLogin, RegionLocked, SiteChanged, SiteError
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform
from ouzel.platforms.masters import streams_of

PLATFORM = Platform(
    name="migu",
    title="Migu Video",
    title_zh="咪咕直播",
    urls=(
        "miguvideo.com/p/live/{event:int}",
        "miguvideo.com/mgs/website/prd/{}?mgdbId={event:int}",
    ),
    example="https://www.miguvideo.com/p/live/120000541321",
    chain=("own",),
    proxy_advised=True,
    headers=(("Referer", "https://www.miguvideo.com/"),),
    note="720p, and not what is for members only",
)
_BEIJING = timezone(timedelta(hours=8))
_WEB = {
    "appCode": "miguvideo_default_www",
    "appId": "miguvideo",
    "channel": "H5",
    "Referer": "https://www.miguvideo.com/",
}
_VERSION, _SECRET = "2600034600", "2cac4f2c6c3346a5b34e085725ef7e33migu"
_APP = {
    "appCode": "miguvideo_default_android",
    "AppVersion": _VERSION,
    "TerminalId": "android",
    "X-UP-CLIENT-CHANNEL-ID": f"{_VERSION}-99000-201600010010028",
}
_LETTERS = "cdabyzwxkl"
_MEANINGS: tuple[tuple[str, type[SiteError]], ...] = (
    ("NEED_MEMBER", NeedsLogin),
    ("NEED_LOGIN", NeedsLogin),
    ("会员", NeedsLogin),
    ("地区", RegionLocked),
    ("区域", RegionLocked),
    ("版权", RegionLocked),
)
_MOVED, _WITHHELD = (301, 302, 307), (403, 404)


class MiguAdapter:
    """One event."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        event = match["event"]
        doc = site.get(
            f"https://vms-sc.miguvideo.com/vms-match/v6/staticcache/basic/basic-data/{event}/miguvideo", headers=_WEB
        ).json()
        about = dig(doc, "body", want=dict)
        identity, anchor = match.identity(event), dig(about, "title", want=str)
        title, part = about.get("detailPageTitle") or "", about.get("pId")
        if not part:
            if begins := _to_come(about.get("startTime")):
                return Offline(identity, anchor, title, begins)
            raise SiteChanged(f"Migu names no broadcast of {event}")
        told = self._play(site, str(part))
        on_air = str(dig(told, "content", want=dict).get("currentLive"))
        if on_air == "0":
            return Offline(identity, anchor, title, _to_come(about.get("startTime")))
        if on_air != "1":
            raise SiteChanged(f"Migu tells of a state that is not known: {on_air}")
        streams = self._streams(site, str(part), match, options)
        return Live(identity, anchor, streams, title, broadcast=str(part))

    def _play(self, site: Site, part: str) -> dict[str, Any]:
        """What its web player is told: whether it is on air, and an address that only its own code can use."""
        params = {
            "contId": part,
            "rateType": "3",
            "clientId": str(uuid.uuid4()),
            "timestamp": int(time.time() * 1000),
            "flvEnable": "true",
            "xh265": "false",
            "chip": "mgwww",
            "channelId": "",
        }
        reply = site.get("https://webapi.miguvideo.com/gateway/playurl/v3/play/playurl", params=params, headers=_WEB)
        return dig(reply.json(), "body", want=dict)

    def _streams(self, site: Site, part: str, match: Match, options: Options) -> tuple[Stream, ...]:
        """What its app is told. The address leads to a playlist whose own address is good for as long as it is read."""
        now, salt = int(time.time() * 1000), f"{secrets.randbelow(1_000_000):06d}25"
        params = {
            "sign": signature(part, now, salt),
            "rateType": "3",
            "contId": part,
            "timestamp": now,
            "salt": salt,
        }
        doc = site.get("https://play.miguvideo.com/playurl/v1/play/playurl", params=params, headers=_APP).json()
        url: str = peek(doc, "body", "urlInfo", "url") or ""
        if not url:
            said = f"{peek(doc, 'rid')} {peek(doc, 'message')}"
            kind = next((kind for word, kind in _MEANINGS if word in said), SiteChanged)
            raise kind(f"Migu does not tell its app where it is: {said}")
        proof = calcu(dict(parse_qsl(urlsplit(url).query)), str(peek(doc, "body", "content", "contId") or part))
        url = f"{url}&ddCalcu={proof}&sv=10004&ct=android"
        reply = site.get(url, accept=(*_MOVED, *_WITHHELD), redirects=False, bare=True)
        if reply.status in _MOVED:
            onward = reply.headers.get("location") or reply.headers.get("Location") or url
            reply = site.get(onward, accept=_WITHHELD, bare=True)
        if reply.status in _WITHHELD:
            raise Blocked(f"the media servers of Migu answer {reply.status}")
        return streams_of(reply, match, options)


def adapter() -> MiguAdapter:
    return MiguAdapter()


def signature(part: str, now_ms: int, salt: str) -> str:
    first = _md5(f"{now_ms}{part}{_VERSION[:8]}")
    return _md5(f"{first}{_SECRET}{salt[:4]}")


def calcu(query: Mapping[str, str], part: str) -> str:
    """`puData` from both its ends by turns, with four letters between: two that are fixed, one by the year, one by the part."""
    data = query.get("puData", "")
    if not data or len(part) < 7:
        raise SiteChanged("the address that Migu tells is not of the form that can be signed")
    year = datetime.now(_BEIJING).strftime("%Y")
    between = {1: "v", 2: _LETTERS[int(year[2])], 3: _LETTERS[int(part[6])], 4: "a"}
    return "".join(data[-1 - at] + data[at] + between.get(at, "") for at in range(len(data) // 2))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - the site's choice


def _to_come(ms: object) -> datetime | None:
    """When it is announced to begin; None when that is over."""
    begins = instant(ms)
    return begins if begins and begins > datetime.now(UTC) else None
