"""CHZZK: channels of chzzk.naver.com, by the API of its own page.

Source of shapes: https://github.com/yt-dlp/yt-dlp/pull/8887 and https://github.com/munsy0227/Chzzk-Rekoda/issues/53; of rooms for
adults https://github.com/streamlink/streamlink/pull/5731.
It has no open call that tells of many channels: the one of its public API wants a registered application.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, RegionLocked, ServerTrouble, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Reply, Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform
from ouzel.platforms.masters import read_master

PLATFORM = Platform(
    name="chzzk",
    title="CHZZK",
    title_zh="CHZZK",
    urls=("chzzk.naver.com/live/{channel}", "chzzk.naver.com/{channel}"),
    example="https://chzzk.naver.com/live/c68b8ef525fb3d2fa146344d84991753",
    chain=("own", "streamlink", "yt-dlp", "streamget"),
    access="cookie",
    proxy_advised=True,
    streamget="ChzzkLiveStream",
    off_air=(r'"status":\s*"CLOSE"', r'(?s)\A(?=.*"code":\s*200\b).*"content":\s*null'),
    note="rooms for adults need the cookies NID_AUT and NID_SES of a verified account; some rooms are for Korea only",
)
_API = "https://api.chzzk.naver.com/service"
_KOREA = timezone(timedelta(hours=9))
_ABROAD = 9004


class ChzzkAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        channel = match["channel"]
        content = _content(site.get(f"{_API}/v3.1/channels/{channel}/live-detail", accept=(400, 404, 500)))
        if content is None:
            return self._never_live(match, site)
        identity = match.identity(dig(content, "channel", "channelId", want=str))
        anchor, title = dig(content, "channel", "channelName", want=str), peek(content, "liveTitle") or ""
        status = dig(content, "status", want=str)
        if status.startswith("CLOSE"):
            return Offline(identity, anchor, title)
        if status != "OPEN":
            raise SiteChanged(f"CHZZK says {status!r} of the channel, which is neither on nor off air")
        return Live(
            identity,
            anchor,
            read_master(site, _master(content), match, options),
            title,
            peek(content, "liveCategoryValue") or "",
            (peek(content, "liveImageUrl") or peek(content, "defaultThumbnailImageUrl") or "").replace("{type}", "720"),
            instant(content, "openDate", zone=_KOREA),
            str(peek(content, "liveId") or ""),
        )

    def _never_live(self, match: Match, site: Site) -> Offline:
        """Of a channel that has not been live, and of one that does not exist, it tells the same."""
        found = _content(site.get(f"{_API}/v1/channels/{match['channel']}", accept=(400, 404, 500)))
        if found is None or ("channelId" in found and found["channelId"] is None):
            raise ChannelGone(f"CHZZK has no channel {match['channel']}")
        return Offline(match.identity(dig(found, "channelId", want=str)), peek(found, "channelName") or "")


def adapter() -> ChzzkAdapter:
    return ChzzkAdapter()


def _content(reply: Reply) -> Mapping[str, Any] | None:
    """What it tells; None when it has nothing to tell."""
    doc = reply.json()
    code, message = whole(doc, "code"), peek(doc, "message")
    if code == _ABROAD:
        raise RegionLocked(f"CHZZK shows this in Korea only: {message}")
    if code == 404:
        raise ChannelGone(f"CHZZK has no such channel: {message}")
    if reply.status >= 500:
        raise ServerTrouble(f"CHZZK answers {reply.status}, {code}: {message}", status=reply.status)
    if code != 200:
        raise SiteChanged(f"CHZZK answers {code}: {message}")
    if "content" not in doc:
        raise SiteChanged("CHZZK's answer has no content")
    return dig(doc, "content", want=dict) if doc["content"] is not None else None


def _master(content: Mapping[str, Any]) -> str:
    """The address of its playlist. Raises: NeedsLogin, RegionLocked, SiteChanged when it is kept back."""
    told = peek(content, "livePlaybackJson")
    media: list[Any] = dig(json.loads(told), "media", want=list) if told else []
    for each in media:
        if peek(each, "mediaId") == "HLS":
            return dig(each, "path", want=str)
    if peek(content, "krOnlyViewing") or peek(content, "blindType") == "ABROAD":
        raise RegionLocked("CHZZK shows this in Korea only")
    if peek(content, "adult") and peek(content, "userAdultStatus") != "ADULT":
        raise NeedsLogin("this is for adults; CHZZK wants the cookies of a verified account")
    if peek(content, "paidProduct"):
        raise NeedsLogin("this is for those who have paid for it")
    raise SiteChanged("CHZZK says that it is on air, and names no playlist")
