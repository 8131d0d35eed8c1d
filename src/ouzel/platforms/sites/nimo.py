"""Nimo TV, of Huya: by the page that it shows to telephones.

Source of shapes: https://github.com/streamlink/streamlink/blob/master/src/streamlink/plugins/nimotv.py. To streamlink
itself a page without what it looks for is "offline": see `off_air`.
"""

from __future__ import annotations

import json
import re
import time
from base64 import b64decode
from collections.abc import Iterator
from hashlib import md5
from typing import Any
from urllib.parse import unquote, urlencode

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="nimo",
    title="Nimo TV",
    title_zh="Nimo TV",
    urls=("nimo.tv/{user}", "nimo.tv/live/{room:int}"),
    example="https://www.nimo.tv/somebody",
    chain=("own", "streamlink"),
    off_air=(r'"liveStreamStatus": ?0\b',),
    headers=(("Referer", "https://m.nimo.tv/"),),
)
_TELEPHONE = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)
_RATES = {6000: 1080, 2000: 720, 1000: 480, 500: 360, 250: 240}
"""Heights by what is asked for, kbit/s; instead of one that is not there the next lower one comes."""
_PACKED = {
    "appid": re.compile(rb"appid=(\d+)"),
    "domain": re.compile(rb"(https?://[A-Za-z]{2,3}\.hls[A-Za-z./]+)(?:V|&)"),
    "id": re.compile(rb"id=([^|\\]+)"),
    "tp": re.compile(rb"tp=(\d+)"),
    "fm": re.compile(rb"fm=([^&]+)"),
    "ctype": re.compile(rb"ctype=([^A-Z]+)"),
    "wsTime": re.compile(rb"wsTime=(\w+)"),
}


class NimoAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match.named.get("user") or match["room"]
        path = user if "user" in match.named else f"live/{user}"
        page = site.get(f"https://m.nimo.tv/{path}", headers={**dict(PLATFORM.headers), "User-Agent": _TELEPHONE})
        try:
            room: Any = json.loads(page.find(r"<script>var G_roomBaseInfo = (\{.*?\});</script>", "room"))
        except ValueError:
            raise SiteChanged("the page of Nimo tells of its room in another way") from None
        identity = match.identity(user.lower())
        anchor, title = dig(room, "nickname", want=str), peek(room, "title") or ""
        if dig(room, "liveStreamStatus", want=int) == 0:
            return Offline(identity, anchor, title)
        packed = bytes.fromhex(dig(room, "mStreamPkg", want=str))
        return Live(identity, anchor, tuple(_streams(packed, match, options)), title, peek(room, "game") or "")


def adapter() -> NimoAdapter:
    return NimoAdapter()


def _streams(packed: bytes, match: Match, options: Options) -> Iterator[Stream]:
    """Signed by the key that the page itself brings."""
    told: dict[str, str] = {}
    for name, pattern in _PACKED.items():
        if (found := pattern.search(packed)) is None:
            raise SiteChanged(f"Nimo tells of its stream without {name!r}")
        told[name] = found[1].decode()
    domain, key, stream = told.pop("domain"), b64decode(unquote(told.pop("fm"))).decode().split("_")[0], told["id"]
    asked = int(time.time() * 1000)
    secret = md5(f"{key}_0_{stream}_{asked}_{told['wsTime']}".encode(), usedforsecurity=False).hexdigest()
    for rate, height in _RATES.items():
        query = {**told, "t": "110", "sv": "2411271811", "wsSecret": secret, "seqid": asked, "u": 0, "ratio": rate}
        yield match.stream(
            f"{domain.replace('http://', 'https://')}{stream}.m3u8?{urlencode(query)}",
            options,
            label=f"{height}p",
            height=height,
            codec="h264",
        )
