"""Weibo Live: broadcasts of weibo.com, and what an account has on air.

A broadcast has an address of its own, which is over when it is. An account's page is followed by its newest posts, since a
broadcast is a post; they are told to who has a cookie.

Source of shapes: https://github.com/wzgrx/pure_live (docs, E02 Weibo), and streamget's class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="weibo",
    title="Weibo Live",
    title_zh="微博直播",
    urls=(
        "weibo.com/l/wblive/p/show/{live}",
        "weibo.com/l/wblive/m/show/{live}",
        "live.media.weibo.com/live/show?id={live}",
        "live.media.weibo.com/show?id={live}",
        "weibo.com/u/{user:int}",
        "weibo.com/{user:int}",
        "weibo.cn/u/{user:int}",
    ),
    example="https://weibo.com/l/wblive/p/show/1022:2321325347923495092258",
    chain=("own", "streamget"),
    streams=("flv", "hls"),
    access="cookie",
    streamget="WeiboLiveStream",
    headers=(("Referer", "https://weibo.com/l/wblive/"),),
    off_air=(r'"item":\s*\{[^{}]*"status":\s*3\b',),
    note="a broadcast has an address of its own; the pages of accounts need a cookie",
)
_LIVE = 1
_OVER = frozenset({3, 5})
"""With a video of it, and without."""


class WeiboAdapter:
    """One broadcast, or what an account has on air."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match.named.get("user")
        if user is None:
            return _broadcast(match, site, match["live"], options)
        live, anchor = _newest(site, user)
        told = _broadcast(match, site, live, options, match.identity(user)) if live else None
        return told or Offline(match.identity(user), anchor)


def adapter() -> WeiboAdapter:
    return WeiboAdapter()


def _broadcast(match: Match, site: Site, live: str, options: Options, identity: Any = None) -> Answer:
    reply = site.get(
        "https://weibo.com/l/!/2/wblive/room/show_pc_live.json",
        params={"live_id": live},
        headers=dict(PLATFORM.headers),
    )
    doc = reply.json()
    if whole(doc, "error_code") == 27401:
        raise ChannelGone(f"Weibo has no broadcast {live}")
    if whole(doc, "code") != 100000 or whole(doc, "error_code") not in (0, None):
        raise SiteChanged(f"Weibo answers {peek(doc, 'code')}/{peek(doc, 'error_code')}: {peek(doc, 'msg')}")
    data = dig(doc, "data", want=dict)
    identity = identity or match.identity(live)
    anchor, title = peek(data, "user", "screenName") or "", peek(data, "title") or ""
    status = dig(data, "status", want=int)
    if status in _OVER:
        return Offline(identity, anchor, title)
    if status != _LIVE:
        raise SiteChanged(f"Weibo gives the broadcast {live} a status that is not known: {status}")
    if whole(data, "watch_limit"):
        raise NeedsLogin(peek(data, "pay_dialog_info", "buy_tip") or f"the broadcast {live} is not for everybody")
    return Live(
        identity,
        anchor,
        tuple(_streams(data, match, options)),
        title,
        cover=peek(data, "cover") or "",
        started_at=instant(data, "startTime"),
        broadcast=live,
    )


def _streams(data: object, match: Match, options: Options) -> Iterator[Stream]:
    """What is called HLS there is often the FLV again."""
    urls = [str(peek(data, key) or "") for key in ("live_origin_flv_url", "live_origin_hls_url")]
    for url in filter(None, dict.fromkeys(urls)):
        yield match.stream(
            url,
            options,
            label="原画",
            level="original",
            height=whole(data, "height") or None,
            codec="h264",
        )


def _newest(site: Site, user: str) -> tuple[str, str]:
    """The newest broadcast among an account's posts, and the account's name."""
    reply = site.get(
        "https://weibo.com/ajax/statuses/mymblog",
        params={"uid": user, "page": 1, "feature": 0},
        headers={"Referer": f"https://weibo.com/u/{user}"},
    )
    doc = reply.json()
    if peek(doc, "ok") == -100:
        raise NeedsLogin("Weibo tells the posts of an account to who has a cookie")
    posts = dig(doc, "data", "list", want=list)
    if not posts:
        raise SiteChanged(f"Weibo shows no posts of the account {user}")
    live = next((p["page_info"] for p in posts if peek(p, "page_info", "object_type") == "live"), None)
    return peek(live, "object_id") or "", dig(posts, 0, "user", "screen_name", want=str)
