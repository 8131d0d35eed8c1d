"""Taobao Live: the broadcasts that the app of Taobao shares, by its mtop gateway.

Source of shapes: what streamget knows of it, and what is written of mtop: the gateway wants a signature with a token, which it
hands out as a cookie when it is asked without one. streamget is not asked: for that token it throws the user's cookie away.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged, SiteError
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Protocol_, Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="taobao",
    title="Taobao Live",
    title_zh="淘宝直播",
    urls=(
        "tbzb.taobao.com/live?liveId={live:int}",
        "tbzb.taobao.com/live/{..}?liveId={live:int}",
        "huodong.m.taobao.com/{..}?id={live:int}",
        "h5.m.taobao.com/taolive/{..}?id={live:int}",
        "live.taobao.com/{..}?liveId={live:int}",
        "m.tb.cn/{code}",
        "e.tb.cn/{code}",
    ),
    example="https://tbzb.taobao.com/live?liveId=532359023188",
    chain=("own",),
    streams=("hls", "flv"),
    access="cookie",
    headers=(("Referer", "https://huodong.m.taobao.com/"),),
    note="it wants the cookie of an account before long",
)
_CALL, _VERSION, _KEY = "mtop.mediaplatform.live.livedetail", "4.0", "12574478"
_TOKEN_S = 3600.0
_ON_AIR, _NOT_ON_AIR = "1", {"0", "2", "3", "4"}
_LEVELS: Mapping[str, Level] = {"ud": "original", "hd": "uhd", "md": "hd", "ld": "sd", "lld": "ld"}
_ADDRESSES: tuple[tuple[str, Protocol_], ...] = (("hlsUrl", "hls"), ("flvUrl", "flv"))
_MEANINGS: tuple[tuple[str, type[SiteError]], ...] = (
    ("RGV587", Blocked),
    ("USER_VALIDATE", Blocked),
    ("挤爆", Blocked),
    ("TRAFFIC_LIMIT", Blocked),
    ("SESSION_EXPIRED", NeedsLogin),
    ("NEED_LOGIN", NeedsLogin),
    ("NOT_EXIST", ChannelGone),
    ("不存在", ChannelGone),
)


class TaobaoAdapter:
    """One broadcast; its author is who is watched."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        live = match.named.get("live") or _behind(site, match.url)
        told = _detail(site, live, options)
        identity = match.identity(peek(told, "broadCaster", "accountId") or live)
        anchor, title = dig(told, "broadCaster", "accountName", want=str), peek(told, "title") or ""
        status = str(peek(told, "streamStatus"))
        if status in _NOT_ON_AIR:
            return Offline(identity, anchor, title)
        if status != _ON_AIR:
            raise SiteChanged(f"Taobao tells of a state that is not known: {status}")
        listed: list[Any] = dig(told, "liveUrlList", want=list)
        return Live(
            identity,
            anchor,
            tuple(_streams(listed, match, options)),
            title,
            "",
            peek(told, "coverImg") or "",
            instant(told, "startTime"),
            live,
        )


def adapter() -> TaobaoAdapter:
    return TaobaoAdapter()


def _detail(site: Site, live: str, options: Options) -> dict[str, Any]:
    cookies = _cookies(site.kept("h5") or "") | _cookies(options.cookies)
    data = json.dumps({"liveId": live, "creatorId": None}, separators=(",", ":"))
    said = ""
    for _ in range(2):
        now = int(time.time() * 1000)
        reply = site.get(
            f"https://h5api.m.taobao.com/h5/{_CALL}/{_VERSION}/",
            params={
                "jsv": "2.7.0",
                "appKey": _KEY,
                "t": now,
                "sign": signature(cookies.get("_m_h5_tk", ""), now, data),
                "api": _CALL,
                "v": _VERSION,
                "type": "originaljson",
                "dataType": "json",
                "data": data,
            },
            headers=dict(PLATFORM.headers) | ({"Cookie": _header(cookies)} if cookies else {}),
        )
        doc = reply.json()
        said = dig(doc, "ret", 0, want=str)
        if said.startswith("SUCCESS"):
            return dig(doc, "data", want=dict)
        if "TOKEN" not in said and "ILLEGAL_ACCESS" not in said:
            break
        cookies |= reply.cookies
        site.keep("h5", _header(reply.cookies), _TOKEN_S)
    kind = next((kind for word, kind in _MEANINGS if word in said), SiteChanged)
    raise kind(f"Taobao answers {said}")


def signature(token: str, now_ms: int, data: str) -> str:
    """Of the first part of the token, the time, the key of the web page, and what is asked."""
    text = f"{token.partition('_')[0]}&{now_ms}&{_KEY}&{data}"
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - the site's choice


def _cookies(header: str) -> dict[str, str]:
    pairs = [pair.strip().partition("=") for pair in header.split(";")]
    return {name: value for name, _, value in pairs if name}


def _header(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _streams(listed: list[Any], match: Match, options: Options) -> Iterator[Stream]:
    order = list(_LEVELS)
    named = [(str(peek(each, "definition") or peek(each, "newDefinition") or ""), each) for each in listed]
    for name, each in sorted(named, key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order)):
        for field, protocol in _ADDRESSES:
            if url := peek(each, field):
                yield match.stream(
                    url,
                    options,
                    protocol=protocol,
                    label=peek(each, "name") or name,
                    level=_LEVELS.get(name),
                )


def _behind(site: Site, url: str) -> str:
    """The broadcast of a short link: its page goes on by a script."""
    target = site.get(url).find(r"var url = '([^']+)'", "address in it")
    given = dict(parse_qsl(urlsplit(target).query))
    live = given.get("liveId") or given.get("id")
    if not live:
        raise ChannelGone(f"{url} leads to no broadcast")
    return live
