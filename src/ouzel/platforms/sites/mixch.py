"""Mixch (ミクチャ): by the call of its own pages.

Source of shapes: https://github.com/yt-dlp/yt-dlp/blob/master/yt_dlp/extractor/mixch.py. yt-dlp itself
takes every answer that it does not know for "not live": see `off_air`.
"""

from __future__ import annotations

from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, instant, member, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="mixch",
    title="Mixch",
    title_zh="Mixch",
    urls=("mixch.tv/u/{user:int}", "mixch.tv/u/{user:int}/live"),
    example="https://mixch.tv/u/16943797",
    chain=("own", "yt-dlp"),
    off_air=(r'"liveInfo": ?null',),
    headers=(("Referer", "https://mixch.tv/"),),
)


class MixchAdapter:
    """One user."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        doc = site.get(f"https://mixch.tv/api-web/users/{user}/live", headers=dict(PLATFORM.headers)).json()
        live, anchor = member(doc, "liveInfo"), peek(doc, "broadcasterInfo", "name") or ""
        if not live:
            return Offline(match.identity(user), anchor)
        url = dig(live, "hls", want=str)
        return Live(
            match.identity(user),
            anchor,
            (match.stream(url, options, label="auto"),),
            peek(live, "title") or "",
            started_at=instant(live, "created"),
        )


def adapter() -> MixchAdapter:
    return MixchAdapter()
