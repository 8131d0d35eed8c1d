"""pixiv Sketch: who draws, on sketch.pixiv.net, by the list of all that are on air.

Source of shapes: https://github.com/streamlink/streamlink/blob/master/src/streamlink/plugins/pixiv.py, and what yt-dlp
once had (pixivsketch.py). The list is short: one question answers for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform

PLATFORM = Platform(
    name="pixiv-sketch",
    title="pixiv Sketch",
    title_zh="pixiv Sketch 直播",
    urls=("sketch.pixiv.net/@{user}", "sketch.pixiv.net/@{user}/lives/{:int}", "sketch.pixiv.net/@{user}/{..}"),
    example="https://sketch.pixiv.net/@somebody",
    any_case=True,
    chain=("own", "streamlink"),
    access="cookie",
    headers=(("Referer", "https://sketch.pixiv.net/"),),
    off_air=(r'"lives":\s*\[\s*\{',),
    note="without the cookie of an account, adult rooms may pass for offline",
)
_MOST = 500


class PixivSketchAdapter:
    """One name, or all of them: the question is the same."""

    name: AdapterName = "own"
    at_once = 10_000
    by = "user"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        live = self._all(site).get(user.lower())
        if live is None:
            return Offline(match.identity(user.lower()))
        url = dig(live, "owner", "hls_movie", "url", want=str)
        return Live(
            match.identity(user.lower()),
            dig(live, "owner", "user", "name", want=str),
            (match.stream(url, options, label="auto"),),
            peek(live, "name") or "",
            cover=peek(live, "owner", "thumbnail", "original", "url") or "",
            started_at=instant(live, "created_at"),
            broadcast=str(dig(live, "id", want=str)),
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        lives = self._all(site)
        return {user: _peek(lives.get(user.lower())) for user in ids}

    def _all(self, site: Site) -> Mapping[str, Any]:
        """By the name of its owner, in lower case. Raises: SiteChanged when the list may be cut off."""
        doc = site.get(
            "https://sketch.pixiv.net/api/lives.json",
            params={"count": _MOST, "order_by": "audience_count"},
            headers={"X-Requested-With": "https://sketch.pixiv.net/lives"},
        ).json()
        lives = dig(doc, "data", "lives", want=list)
        if len(lives) >= _MOST:
            raise SiteChanged(f"the list of pixiv Sketch has {len(lives)} entries: it may not be whole")
        return {
            dig(live, "owner", "user", "unique_name", want=str).lower(): live
            for live in lives
            if peek(live, "is_broadcasting") is not False
        }


def adapter() -> PixivSketchAdapter:
    return PixivSketchAdapter()


def _peek(live: Any) -> Peek:
    if live is None:
        return Peek(live=False)
    return Peek(live=True, title=peek(live, "name") or "", anchor=peek(live, "owner", "user", "name") or "")
