"""Huajiao: accounts of huajiao.com, and their broadcasts, each of which has a number of its own.

The newest entries of an account tell what is on air: those of the kind 1 are broadcasts, 2 are videos of past ones. A broadcast's
page is followed by whose it is.

Source of shapes: https://github.com/bililive-go/bililive-go (src/live/huajiao), and streamget's class.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Any

from ouzel.base.errors import ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Reply, Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="huajiao",
    title="Huajiao",
    title_zh="花椒直播",
    urls=(
        "huajiao.com/user/{user:int}",
        "huajiao.com/l/{broadcast:int}",
        "huajiao.com/{..}?author={user:int}",
        "huajiao.com/{..}?liveid={broadcast:int}",
        "{}.huajiao.com/{..}?author={user:int}",
        "{}.huajiao.com/{..}?liveid={broadcast:int}",
    ),
    example="https://www.huajiao.com/user/23475677",
    chain=("own",),
    streams=("flv", "hls"),
    streamget="HuajiaoLiveStream",
    headers=(("Referer", "https://www.huajiao.com/"),),
)
_ON_AIR = 1
_BEIJING = timezone(timedelta(hours=8))


class HuajiaoAdapter:
    """One account."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match.named.get("user")
        if user is None:
            told = _data(
                site.get(
                    "https://live.huajiao.com/feed/getFeedInfo",
                    params={"relateid": match["broadcast"]},
                    headers=dict(PLATFORM.headers),
                )
            )
            user = str(dig(told, "author", "uid", want=object))
        feeds = dig(
            _data(
                site.get(
                    "https://webh.huajiao.com/User/getUserFeeds",
                    params={"uid": user, "fmt": "json", "_": int(time.time() * 1000)},
                    headers=dict(PLATFORM.headers),
                )
            ),
            "feeds",
            want=list,
        )
        identity = match.identity(user)
        on = next((each for each in feeds if _is_on_air(each)), None)
        anchor = next((name for each in feeds if (name := peek(each, "author", "nickname"))), "")
        if on is None:
            return Offline(identity, anchor)
        return Live(
            identity,
            anchor,
            tuple(_streams(site, on, user, match, options)),
            peek(on, "feed", "title") or "",
            peek(on, "feed", "game") or "",
            peek(on, "feed", "image") or "",
            instant(peek(on, "creatime") or peek(on, "feed", "publishtime"), zone=_BEIJING),
            str(peek(on, "feed", "relateid") or ""),
        )


def adapter() -> HuajiaoAdapter:
    return HuajiaoAdapter()


def _is_on_air(entry: object) -> bool:
    """Raises: SiteChanged."""
    if dig(entry, "type", want=int) != _ON_AIR:
        return False
    replay = str(peek(entry, "feed", "replay_status") or 0)
    if replay not in {"0", "1"}:
        raise SiteChanged(f"Huajiao has a broadcast with replay_status {replay}")
    return replay == "0"


def _data(reply: Reply) -> Any:
    doc = reply.json()
    code, message = whole(doc, "errno"), peek(doc, "errmsg") or peek(doc, "msg") or ""
    if code != 0 and any(word in message for word in ("不存在", "已删除")):
        raise ChannelGone(f"Huajiao answers {code}: {message}")
    if code != 0 or "data" not in doc:
        raise SiteChanged(f"Huajiao answers {code}: {message}")
    return doc["data"]


def _streams(site: Site, on: object, user: str, match: Match, options: Options) -> Iterator[Stream]:
    data = _data(
        site.get(
            "https://live.huajiao.com/live/substream",
            params={
                "time": int(time.time() * 1000),
                "version": "1.0.0",
                "sn": dig(on, "feed", "sn", want=str),
                "liveid": dig(on, "feed", "relateid", want=object),
                "uid": user,
                "encode": "h264",
            },
            headers=dict(PLATFORM.headers),
        )
    )
    urls = [str(peek(data, key) or "") for key in ("h264_url", "main", "pull_m3u8")]
    for url in filter(None, dict.fromkeys(urls)):
        yield match.stream(url, options, label="原画", level="original", codec="h264")
