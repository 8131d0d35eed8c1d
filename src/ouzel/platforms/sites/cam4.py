"""CAM4: by the calls that its own rooms make.

Source of shapes: https://github.com/lossless1024/StreaMonitor (streamonitor/sites/cam4.py) and yt-dlp's extractor.
"""

from __future__ import annotations

from urllib.parse import quote

from ouzel.base.errors import NeedsLogin
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Reply, Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="cam4",
    title="CAM4",
    title_zh="CAM4",
    urls=("cam4.com/{user}", "{}.cam4.com/{user}"),
    example="https://www.cam4.com/somebody",
    any_case=True,
    chain=("own", "yt-dlp"),
    access="cookie",
    proxy_advised=True,
    browser_tls=True,
    headers=(("Referer", "https://www.cam4.com/"), ("Origin", "https://www.cam4.com")),
    off_air=(r'"online":\s*false',),
)
_API = "https://www.cam4.com/rest/v1.0/profile"
_NO_CONTENT = 204


class Cam4Adapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = quote(match["user"].lower())
        identity = match.identity(match["user"].lower())
        info = self._ask(site, f"{_API}/{user}/info").json()
        anchor = peek(info, "username") or match["user"]
        if not dig(info, "online", want=bool):
            return Offline(identity, anchor)
        if peek(self._ask(site, f"https://webchat.cam4.com/requestAccess?roomname={user}").json(), "privateStream"):
            raise NeedsLogin(f"{anchor} is in a private show")
        reply = self._ask(site, f"{_API}/{user}/streamInfo")
        if reply.status == _NO_CONTENT:
            return Offline(identity, anchor)
        url = dig(reply.json(), "cdnURL", want=str)
        stream = match.stream(url, options, label="auto")
        return Live(identity, anchor, (stream,), cover=f"https://snapshots.xcdnpro.com/thumbnails/{user}")

    def _ask(self, site: Site, url: str) -> Reply:
        return site.get(url, headers=dict(PLATFORM.headers))


def adapter() -> Cam4Adapter:
    return Cam4Adapter()
