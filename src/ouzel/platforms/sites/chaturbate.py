"""Chaturbate: by the call that its own rooms make.

Source of shapes: https://github.com/teacat/chaturbate-dvr (chatvideocontext) and yt-dlp's extractor (what the states mean).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ouzel.base.errors import NeedsLogin, RegionLocked, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="chaturbate",
    title="Chaturbate",
    title_zh="Chaturbate",
    urls=(
        "chaturbate.com/{user}",
        "{}.chaturbate.com/{user}",
        "chaturbate.eu/{user}",
        "chaturbate.global/{user}",
    ),
    example="https://chaturbate.com/somebody/",
    any_case=True,
    chain=("own", "yt-dlp"),
    access="cookie",
    proxy_advised=True,
    browser_tls=True,
    headers=(("Referer", "https://chaturbate.com/"), ("Origin", "https://chaturbate.com")),
    off_air=(r'"room_status":\s*"offline"',),
)
_NOT_ON_AIR = frozenset({"offline", "away"})
_NOT_FOR_ALL = frozenset({"private", "hidden", "password protected", "group"})


class ChaturbateAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"].lower()
        room: Any = site.get(
            f"https://chaturbate.com/api/chatvideocontext/{user}/",
            headers={"X-Requested-With": "XMLHttpRequest", "Referer": f"https://chaturbate.com/{user}/"},
        ).json()
        identity, anchor = match.identity(user), peek(room, "broadcaster_username") or user
        state, title = dig(room, "room_status", want=str), peek(room, "room_title") or ""
        if state in _NOT_ON_AIR:
            return Offline(identity, anchor, title)
        if state in _NOT_FOR_ALL:
            raise NeedsLogin(f"{anchor} is in a show that is {state}")
        if state != "public":
            raise SiteChanged(f"Chaturbate has a room that is {state!r}")
        if not (url := dig(room, "hls_source", want=str)):
            raise RegionLocked(f"{anchor} is on air, and not shown here")
        stream = match.stream(url, options, label="auto")
        return Live(identity, anchor, (stream,), title, cover=f"https://thumb.live.mmcdn.com/ri/{quote(user)}.jpg")


def adapter() -> ChaturbateAdapter:
    return ChaturbateAdapter()
