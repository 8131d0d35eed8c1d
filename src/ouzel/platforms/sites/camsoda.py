"""CamSoda: by the call that its own rooms make.

Source of shapes: https://github.com/lossless1024/StreaMonitor (streamonitor/sites/camsoda.py) and yt-dlp's extractor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="camsoda",
    title="CamSoda",
    title_zh="CamSoda",
    urls=("camsoda.com/{user}",),
    example="https://www.camsoda.com/somebody",
    any_case=True,
    chain=("own", "yt-dlp"),
    proxy_advised=True,
    browser_tls=True,
    headers=(("Referer", "https://www.camsoda.com/"), ("Origin", "https://www.camsoda.com")),
    off_air=(r'"edge_servers":\s*\[\s*\]',),
)


class CamSodaAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"].lower()
        room = site.get(
            f"https://www.camsoda.com/api/v1/chat/react/{user}", headers=dict(PLATFORM.headers), accept={404}
        ).json()
        if why := peek(room, "error"):
            if "no username" in str(why).lower():
                raise ChannelGone(f"CamSoda does not know {user}: {why}")
            raise SiteChanged(f"CamSoda answers: {why}")
        told = dig(room, "stream", want=dict)
        identity = match.identity(user)
        if dig(told, "edge_servers", want=list):
            return Live(identity, user, tuple(_streams(told, match, options)))
        if told.get("private_servers"):
            raise NeedsLogin(f"{user} is in a private show")
        dig(told, "token", want=str)
        return Offline(identity, user)


def adapter() -> CamSodaAdapter:
    return CamSodaAdapter()


def _streams(told: dict[str, Any], match: Match, options: Options) -> Iterator[Stream]:
    """Of each server the playlist that its player takes, and the one that it took before."""
    name, token = dig(told, "stream_name", want=str), dig(told, "token", want=str)
    for server in dig(told, "edge_servers", want=list):
        for place in (
            f"index.ll.m3u8?filter=tracks:v4v3v2v1a1a2&multitrack=true&token={token}",
            f"index.m3u8?token={token}",
        ):
            yield match.stream(f"https://{server}/{name}_v1/{place}", options, label="auto", cdn=server)
