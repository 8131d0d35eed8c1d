"""TikTok: who is live at tiktok.com/@USER/live, by the API of that page, and by the page itself.

Source of shapes: https://github.com/yt-dlp/yt-dlp/pull/16783 and streamlink's TikTok plugin; of users that the API does not find
though they are live, https://github.com/zerodytrash/TikTok-Live-Connector/issues/323.
It has no call that tells of many users: the one that takes many rooms is of no use, since a room is made for each broadcast.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, RegionLocked, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="tiktok",
    title="TikTok",
    title_zh="TikTok",
    urls=("tiktok.com/@{user}/live", "tiktok.com/@{user}"),
    short=("vm.tiktok.com/{code}", "vt.tiktok.com/{code}", "tiktok.com/t/{code}"),
    example="https://www.tiktok.com/@somebody/live",
    any_case=True,
    chain=("own", "streamlink", "yt-dlp", "streamget"),
    streams=("flv", "hls"),
    access="cookie",
    proxy_advised=True,
    browser_tls=True,
    streamget="TikTokLiveStream",
    headers=(("Referer", "https://www.tiktok.com/"),),
    off_air=(r'"status":\s*4\b',),
    stable=(r'"user":\s*\{\s*"id":\s*"(\d+)"',),
    note="answers by region; rooms for adults need the cookie of an account",
)
_PAGE = "https://www.tiktok.com/@{}/live"
_API = "https://www.tiktok.com/api-live/user/room"
_NOT_FOUND = 19881007
_ON_AIR, _OFF_AIR = 2, 4
_STATE = re.compile(r'<script id="SIGI_STATE"[^>]*>(.*?)</script>', re.DOTALL)
_LEVELS: Mapping[str, Level] = {
    "origin": "original", "uhd": "uhd", "uhd_60": "uhd", "hd": "hd", "hd_60": "hd", "sd": "sd", "ld": "ld", "ao": "audio",
}  # fmt: skip
_CODECS = {"h264": "h264", "avc": "h264", "h265": "hevc", "hevc": "hevc", "bytevc1": "hevc"}


class TikTokAdapter:
    """One user."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        told = self._asked(match["user"].lower(), site)
        user = dig(told, "user", want=dict)
        room: Mapping[str, Any] = peek(told, "liveRoom") or {}
        identity, anchor = match.identity(dig(user, "id", want=str)), dig(user, "nickname", want=str)
        status, title = whole(room, "status") or whole(user, "status"), peek(room, "title") or ""
        if status == _OFF_AIR:
            return Offline(identity, anchor, title)
        if status != _ON_AIR:
            raise SiteChanged(f"TikTok says {status!r} of the room, which is neither on nor off air")
        streams = (*_streams(room, "streamData", match, options), *_streams(room, "hevcStreamData", match, options))
        if not streams:
            raise _withheld(room)
        return Live(
            identity,
            anchor,
            streams,
            title,
            cover=peek(room, "coverUrl") or "",
            started_at=instant(room, "startTime"),
            broadcast=str(peek(user, "roomId") or ""),
        )

    def _asked(self, user: str, site: Site) -> Mapping[str, Any]:
        """What is told of a user and of the room. The API sometimes does not find users who are live: the page is asked then."""
        doc = site.get(
            _API,
            params={"aid": 1988, "sourceType": 54, "staleTime": 600000, "uniqueId": user},
            headers={"Referer": _PAGE.format(user), "Accept": "application/json"},
        ).json()
        code = whole(doc, "statusCode")
        if code == _NOT_FOUND:
            return self._on_page(user, site)
        if code != 0:
            raise SiteChanged(f"TikTok answers {code}: {peek(doc, 'message')}")
        return dig(doc, "data", want=dict)

    def _on_page(self, user: str, site: Site) -> Mapping[str, Any]:
        page = site.get(_PAGE.format(user), headers=dict(PLATFORM.headers))
        if "we have discontinued operating TikTok" in page.text:
            raise RegionLocked("TikTok does not work where this address is")
        found = _STATE.search(page.text)
        if found is None and "Please wait..." in page.text:
            raise Blocked("TikTok asks whether we are a browser")
        if found is None:
            raise SiteChanged("TikTok's page does not tell its state any more")
        told = peek(json.loads(found[1]), "LiveRoom", "liveRoomUserInfo")
        if not peek(told, "user", "id"):
            raise ChannelGone(f"TikTok has no user {user}")
        return told


def adapter() -> TikTokAdapter:
    return TikTokAdapter()


def _withheld(room: Mapping[str, Any]) -> NeedsLogin | SiteChanged:
    if peek(room, "liveSubOnly") or peek(room, "paidEvent", "paid_type"):
        return NeedsLogin("this is for those who have paid for it")
    if "streamData" not in room:
        return NeedsLogin("TikTok wants an account that confirms its age")
    return SiteChanged("TikTok says that the room is on air, and names no stream")


def _streams(room: Mapping[str, Any], kind: str, match: Match, options: Options) -> Iterator[Stream]:
    """Each quality as FLV, then as HLS."""
    pull = peek(room, kind, "pull_data")
    told = peek(pull, "stream_data")
    data: dict[str, Any] = (peek(json.loads(told), "data") or {}) if told else {}
    names = {peek(each, "sdk_key"): peek(each, "name") for each in peek(pull, "options", "qualities") or ()}
    for quality, found in data.items():
        main = dig(found, "main", want=dict)
        about = json.loads(peek(main, "sdk_params") or "{}")
        codec = str(peek(about, "VCodec") or peek(about, "v_codec") or "").lower()
        size = re.fullmatch(r"(\d+)x(\d+)", str(peek(about, "resolution") or ""))
        for protocol in ("flv", "hls"):
            url: str = peek(main, protocol) or ""
            if not url:
                continue
            yield match.stream(
                url,
                options,
                protocol="flv" if protocol == "flv" else "hls",
                label=names.get(quality) or quality,
                level=_LEVELS.get(quality),
                height=min(int(size[1]), int(size[2])) or None if size else None,
                fps=60.0 if quality.endswith("_60") else None,
                bitrate_bps=whole(about, "vbitrate") or None,
                codec=_CODECS.get(codec, ""),
            )
