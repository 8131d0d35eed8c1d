"""Mirrativ: games from Japanese phones, by the calls of its own pages.

Source of shapes: https://github.com/OneComme/OneSDK (src/types/Mirrativ.ts has a whole answer) and yt-dlp's extractor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import Blocked, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="mirrativ",
    title="Mirrativ",
    title_zh="Mirrativ",
    urls=("mirrativ.com/user/{user:int}", "mirrativ.com/live/{live}"),
    example="https://www.mirrativ.com/user/112349748",
    chain=("own", "yt-dlp"),
    headers=(("Referer", "https://www.mirrativ.com/"),),
    off_air=(r'"is_live":\s*false', r'"onlive":\s*null'),
    stable=(r'"user_id":\s*"?(\d+)',),
    note="a page /live/ID is one broadcast; /user/ID is who makes them",
)
_API = "https://www.mirrativ.com/api"


class MirrativAdapter:
    """One user, or one broadcast."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        number = match.named.get("live")
        if number is None:
            user = match["user"]
            profile = self._ask(site, "user/profile", user_id=user)
            anchor = dig(profile, "name", want=str)
            if "onlive" not in profile:
                raise SiteChanged("a profile does not tell whether its owner is on air")
            if not profile["onlive"]:
                return Offline(match.identity(user), anchor)
            number = dig(profile, "onlive", "live_id", want=str)
        live = self._ask(site, "live/live", live_id=number)
        identity = match.identity(dig(live, "owner", "user_id", want=str))
        anchor, title = dig(live, "owner", "name", want=str), peek(live, "title") or ""
        if not dig(live, "is_live", want=int):
            return Offline(identity, anchor, title)
        streams = tuple(_streams(live, match, options))
        if not streams and peek(live, "is_private"):
            raise NeedsLogin(f"{anchor} shows this to friends only")
        return Live(
            identity,
            anchor,
            streams,
            title,
            peek(live, "app_title") or "",
            peek(live, "image_url") or "",
            instant(live, "started_at"),
            number,
        )

    def _ask(self, site: Site, what: str, **given: object) -> dict[str, Any]:
        doc = site.get(f"{_API}/{what}", params=given, headers=dict(PLATFORM.headers)).json()
        if peek(doc, "status", "captcha_url"):
            raise Blocked("Mirrativ asks whether we are human", captcha=True)
        if dig(doc, "status", "ok", want=int) != 1:
            why = peek(doc, "status", "error") or peek(doc, "status", "message") or "nothing more"
            raise SiteChanged(f"Mirrativ answers {peek(doc, 'status', 'error_code')}: {why}")
        return doc


def adapter() -> MirrativAdapter:
    return MirrativAdapter()


def _streams(live: Any, match: Match, options: Options) -> Iterator[Stream]:
    for name, cdn in (("streaming_url_hls", "hls"), ("streaming_url_edge", "rtmp")):
        if url := peek(live, name):
            yield match.stream(url, options, level="original", cdn=cdn)
