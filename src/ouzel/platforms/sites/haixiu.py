"""Haixiu: rooms of haixiutv.com, by its own API. LeHai is built on the same one, and asks by what is here.

Source of shapes: what streamget knows of it, and https://github.com/wbt5/real-url (lehai.py). streamget is not asked: it needs
Node for a signature that is an MD5 sum of the parameters.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from ouzel.base.errors import ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="haixiu",
    title="Haixiu",
    title_zh="嗨秀直播",
    urls=("haixiutv.com/{room:int}",),
    example="https://www.haixiutv.com/6095106",
    chain=("own",),
    streams=("flv",),
    headers=(("Origin", "https://www.haixiutv.com"), ("Referer", "https://www.haixiutv.com/")),
)
_VISITOR = "pLXSC%252FXJ0asc1I21tVL5FYZhNJn2Zg6d7m94umCnpgL%252BuVm31GQvyw%253D%253D"
_SALT = "1eha12h5"


@dataclass(frozen=True, slots=True)
class ShowselfAdapter:
    """One room of one of the sites on this API."""

    host: str
    visitor: str
    """The token of whoever has no account, as it goes into the signature."""
    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        signed = {"accessToken": self.visitor, "tku": "3000006", "c": "10138100100000", "_st1": int(time.time() * 1000)}
        sent = signed | {
            "accessToken": unquote(unquote(self.visitor)),
            "_ajaxData1": signature(signed),
            "_": signed["_st1"],
        }
        reply = site.get(
            f"https://service.{self.host}/v2/room/{room}/media/advanceInfoRoom",
            params=sent,
            headers=dict(match.platform.headers),
        )
        doc = reply.json()
        status = peek(doc, "status")
        if str(peek(status, "statuscode") or "0") != "0":
            kind = ChannelGone if "不存在" in str(status) else SiteChanged
            raise kind(f"it does not tell of room {room}: {status}")
        room_data = dig(doc, "data", want=dict)
        identity, anchor = match.identity(room), dig(room_data, "nickname", want=str)
        state = str(room_data.get("live_status"))
        if state == "0":
            return Offline(identity, anchor)
        if state != "1":
            raise SiteChanged(f"it tells of a state that is not known: {state}")
        url = dig(room_data, "media_url_web", want=str)
        stream = match.stream(url, options, level="original")
        return Live(identity, anchor, (stream,))


def adapter() -> ShowselfAdapter:
    return ShowselfAdapter("haixiutv.com", _VISITOR)


def signature(params: Mapping[str, object]) -> str:
    """Of the parameters in the order of their names, with a word of the site's behind them."""
    text = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if value != "")
    return hashlib.md5((text + _SALT).encode()).hexdigest()  # noqa: S324 - the site's choice
