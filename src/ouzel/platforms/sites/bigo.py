"""Bigo Live: channels of bigo.tv, by its own web API.

Source of shapes: https://github.com/liuchuancong/pure_live (its notes on bigo); streamlink's plugin, and its threads 7088, 7106
and 7109: who has no token of the site's own is told less, and perhaps that he needs an account.
"""

from __future__ import annotations

import json
import secrets
import time
from base64 import b64encode
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Reply, Site, dig, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="bigo",
    title="Bigo Live",
    title_zh="Bigo直播",
    urls=(
        "bigo.tv/{..}?h={site}",
        "bigo.tv/{site}",
        "bigo.tv/{}/{site}",
        "live.bigo.tv/{site}",
        "slink.bigovideo.tv/{link}",
    ),
    example="https://www.bigo.tv/716418802",
    chain=("own", "streamlink", "yt-dlp", "streamget"),
    streamget="BigoLiveStream",
    headers=(("Origin", "https://www.bigo.tv"), ("Referer", "https://www.bigo.tv/")),
    off_air=(r'(?s)\A(?!.*"needLogin":\s*true).*"alive":\s*0\b',),
    stable=(r'"uid":\s*"?(\d+)', r'"clientBigoId":\s*"(\w+)"'),
)
_INFO = "https://ta.bigo.tv/official_website/studio/getInternalStudioInfo"
_GUARD = "https://sec.bigo.sg/v1/webjs"
_GUARD_KEY = b"undefinedval0x01"


class BigoAdapter:
    """One channel. A token is asked for only when it is on air and the address is withheld."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        number = match.named.get("site") or _behind(site, match.url)
        told = _info(site, number)
        withheld = peek(told, "needLogin") is True or (peek(told, "alive") in {1, "1"} and not peek(told, "hls_src"))
        if withheld:
            told = _info(site, number, token=_token(site))
        if peek(told, "needLogin") is True:
            raise NeedsLogin(f"Bigo does not tell of {number} without an account")
        known = peek(told, "clientBigoId") or peek(told, "nick_name")
        if not peek(told, "roomId") and not known:
            raise ChannelGone(f"Bigo has no channel {number}")
        identity = match.identity(peek(told, "uid") or peek(told, "clientBigoId") or number)
        anchor = peek(told, "nick_name") or number
        alive = told.get("alive")
        if alive in {0, "0"}:
            return Offline(identity, anchor)
        if alive not in {1, "1"}:
            raise SiteChanged(f"Bigo tells of a state that is not known: {alive!r}")
        if peek(told, "passRoom") is True or peek(told, "isPaidShow") in {1, "1"}:
            raise NeedsLogin(f"Bigo shows {number} to those who have a password, or have paid")
        url = peek(told, "hls_src")
        if not url:
            raise SiteChanged(f"Bigo says that {number} is on air, and withholds the address")
        stream = match.stream(url, options, level="original", codec="h264")
        return Live(
            identity,
            anchor,
            (stream,),
            peek(told, "roomTopic") or "",
            peek(told, "gameTitle") or "",
            peek(told, "snapshot") or "",
            broadcast=str(peek(told, "roomId") or ""),
        )


def adapter() -> BigoAdapter:
    return BigoAdapter()


def _info(site: Site, number: str, **token: str) -> dict[str, Any]:
    params = {"siteId": number, "verify": "", **token}
    doc = site.post(_INFO, params=params, headers=dict(PLATFORM.headers)).json()
    if (code := whole(doc, "code")) != 0:
        raise SiteChanged(f"Bigo answers {code}: {peek(doc, 'msg')}")
    return dig(doc, "data", want=dict)


def _token(site: Site) -> str:
    """Good for one question. What the site wants in it about the browser may be random."""
    from streamlink.utils.crypto import encrypt_openssl

    now = dig(_unwrapped(_guard(site, "t")), "time", want=str)
    about = {
        "dr": secrets.token_hex(16),
        "business": "bigolive-video",
        "scene": "",
        "at_time": now,
        "ver": "2.0",
    }
    packed = b64encode(encrypt_openssl(json.dumps(about, separators=(",", ":")).encode(), _GUARD_KEY)).decode()
    return dig(_unwrapped(_guard(site, "status", data=packed)), "token", want=str)


def _guard(site: Site, what: str, **params: str) -> Reply:
    callback = f"jsonpcallback_{int(time.time() * 1000)}_{secrets.randbelow(1_000_000)}"
    return site.get(f"{_GUARD}/{what}", params={"callback": callback, **params}, headers=dict(PLATFORM.headers))


def _unwrapped(reply: Reply) -> object:
    try:
        return json.loads(reply.find(r"jsonp\w+\((\{.*\})\)", "answer that can be read"))
    except ValueError:
        raise SiteChanged("the guard of Bigo answers with no JSON") from None


def _behind(site: Site, url: str) -> str:
    """The channel of a link that its app shares: the page that it leads to names it."""
    page = site.get(url)
    return page.find(r'al:web:url"[^>]*content="[^"]*[?&](?:amp;)?h=([^"&]+)', "channel in it")
