"""Inke: channels of inke.cn. The web call says who is on air, the app's call gives the streams.

One that is off air and one that does not exist get the same answer there, "this user has no broadcast".

Source of shapes: https://github.com/wzgrx/pure_live (docs, E02.5 Inke).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="inke",
    title="Inke",
    title_zh="映客直播",
    urls=(
        "inke.cn/liveroom/index.html?uid={user:int}",
        "inke.com/liveroom/index.html?uid={user:int}",
        "inke.cn/live.html?uid={user:int}",
        "{}.inke.cn/app/{..}?uid={user:int}",
    ),
    example="https://www.inke.cn/liveroom/index.html?uid=771067357&id=1790521153165881",
    chain=("own",),
    streams=("flv",),
    streamget="InkeLiveStream",
    headers=(("Referer", "https://www.inke.cn/"), ("Origin", "https://www.inke.cn")),
)
_NOT_ON_AIR = 1099999920
_NO_TITLE = "正在直播中"


class InkeAdapter:
    """One account."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        identity, headers = match.identity(user), dict(PLATFORM.headers)
        shared = site.get("https://webapi.busi.inke.cn/web/live_share_pc", params={"uid": user}, headers=headers).json()
        if whole(shared, "error_code") == _NOT_ON_AIR:
            return Offline(identity)
        if whole(shared, "error_code") != 0:
            raise SiteChanged(f"Inke answers {peek(shared, 'error_code')}: {peek(shared, 'message')}")
        anchor = dig(shared, "data", "media_info", "nick", want=str)
        doc = site.get("https://service.inke.cn/api/live/now_publish", params={"id": user}, headers=headers).json()
        if whole(doc, "dm_error") != 0 or "live" not in doc:
            raise SiteChanged(f"Inke's app answers {peek(doc, 'dm_error')}: {peek(doc, 'error_msg')}")
        if doc["live"] is None:
            return Offline(identity, anchor)
        live = dig(doc, "live", want=dict)
        if str(peek(live, "creator")) != user:
            raise SiteChanged(f"Inke's app was asked for {user}, and tells of {peek(live, 'creator')}")
        if dig(live, "status", want=int) != 1:
            return Offline(identity, anchor)
        title = peek(live, "name") or peek(shared, "data", "live_name") or ""
        return Live(
            identity,
            anchor,
            tuple(_streams(live, match, options)),
            "" if title == _NO_TITLE else title,
            cover=peek(live, "cover") or "",
            started_at=instant(live, "start_time"),
            broadcast=str(peek(live, "id") or ""),
        )


def adapter() -> InkeAdapter:
    return InkeAdapter()


def _streams(live: dict[str, Any], match: Match, options: Options) -> Iterator[Stream]:
    """What came in, which is HEVC in FLV as Chinese sites write it, and the copy in H.264."""
    for key, label in (("stream_multi_addr", "原画"), ("stream_addr", "FLV")):
        url: str = peek(live, key) or ""
        if not url:
            continue
        hevc = parse_qs(urlsplit(url).query).get("codecInfo") == ["8192"]
        yield match.stream(
            url,
            options,
            label=label,
            level="original" if label == "原画" else "hd",
            codec="hevc" if hevc else "h264",
        )
