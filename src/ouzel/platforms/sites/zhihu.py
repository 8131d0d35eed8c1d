"""Zhihu Live: theatres of zhihu.com, and the people who have one open.

Source of shapes: streamget's class, and https://github.com/ihmily/DouyinLiveRecorder (src/spider.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="zhihu",
    title="Zhihu Live",
    title_zh="知乎直播",
    urls=("zhihu.com/theater/{theater}", "zhihu.com/people/{user}", "zhihu.com/people/{user}/{..}"),
    example="https://www.zhihu.com/theater/114453",
    chain=("own",),
    streams=("hls", "flv"),
    access="cookie",
    streamget="ZhihuLiveStream",
    headers=(("Referer", "https://www.zhihu.com/"),),
)
_LIVE = 1
_NO_SUCH_PERSON = "NotFoundException"
_IS_THIS_A_HUMAN = 40352


class ZhihuAdapter:
    """One theatre, or whatever a person has open."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match.named.get("user")
        if user is None:
            return _theater(match, site, match["theater"], options)
        doc = site.get(
            f"https://api.zhihu.com/people/{user}/profile",
            params={"profile_new_version": ""},
            headers=dict(PLATFORM.headers),
            accept=(400, 403, 404),
            saying=r'"error":\s*\{',
        ).json()
        if peek(doc, "error"):
            error = dig(doc, "error", want=dict)
            name, message = peek(error, "name") or "", peek(error, "message") or ""
            if "unhuman" in (peek(error, "redirect") or "") or peek(error, "code") == _IS_THIS_A_HUMAN:
                raise Blocked(f"Zhihu asks whether we are human: {message}", captcha=True)
            kind = ChannelGone if name == _NO_SUCH_PERSON else NeedsLogin if peek(error, "need_login") else SiteChanged
            raise kind(f"Zhihu: {name} {message}")
        identity, anchor = match.identity(dig(doc, "id", want=str)), dig(doc, "name", want=str)
        if "drama" not in doc:
            raise SiteChanged(f"Zhihu does not tell any more what {user} has on air")
        link: str = peek(doc, "drama", "living_theater", "theater_url") or ""
        if not link:
            return Offline(identity, anchor)
        return _theater(match, site, urlsplit(link).path.rstrip("/").rpartition("/")[2], options, identity)


def adapter() -> ZhihuAdapter:
    return ZhihuAdapter()


def _theater(match: Match, site: Site, theater: str, options: Options, identity: Any = None) -> Answer:
    page = site.get(f"https://www.zhihu.com/theater/{theater}", headers=dict(PLATFORM.headers))
    state = json.loads(page.find(r'<script id="js-initialData" type="text/json">(.*?)</script>', "state"))
    told = dig(state, "initialState", "theater", "theaters", theater, want=dict)
    identity = identity or match.identity(theater)
    anchor, title = dig(told, "actor", "name", want=str), peek(told, "theme") or ""
    status = dig(told, "drama", "status", want=int)
    if status != _LIVE:  # announced, or over
        return Offline(identity, anchor, title)
    return Live(
        identity,
        anchor,
        tuple(_streams(dig(told, "drama", "playInfo", want=dict), match, options)),
        title,
        cover=peek(told, "drama", "coverImage") or "",
        broadcast=str(peek(told, "drama", "id") or ""),
    )


def _streams(play: object, match: Match, options: Options) -> Iterator[Stream]:
    for key in ("hlsUrl", "playUrl"):
        url: str = peek(play, key) or ""
        if url:
            yield match.stream(url, options, label="原画", level="original")
