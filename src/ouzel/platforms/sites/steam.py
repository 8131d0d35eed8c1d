"""Steam: what people show of their games, on steamcommunity.com/broadcast, by the calls of its own player.

Source of shapes: https://github.com/wzgrx/pure_live/blob/master/spec/sites/steambroadcast.md (samples of September 2026), and
streamlink's plugin. A channel is a Steam account; a broadcast has a number of its own.
"""

from __future__ import annotations

from typing import Any

from ouzel.base.errors import NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="steam",
    title="Steam Broadcasts",
    title_zh="Steam 直播",
    urls=(
        "steamcommunity.com/broadcast/watch/{steamid:int}",
        "steamcommunity.com/broadcast/watch/{steamid:int}/{..}",
        "steamcommunity.com/profiles/{steamid:int}",
    ),
    example="https://steamcommunity.com/broadcast/watch/76561197960265735",
    chain=("own", "streamlink", "yt-dlp"),
    login=("streamlink",),
    headers=(("Origin", "https://steamcommunity.com"), ("Referer", "https://steamcommunity.com/")),
    off_air=(r'"success":\s*(?:"unavailable"|42\b)',),
)
_SITE = "https://steamcommunity.com"
_FIRST_ACCOUNT = 76561197960265728
_OK, _NO_MATCH = 1, 42
_NOT_ON_AIR = frozenset({"unavailable", "offline", "not_live", "no_broadcast", "waiting", "waiting_to_start"})


class SteamAdapter:
    """One account."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        steamid = match["steamid"]
        identity = match.identity(steamid)
        info = self._ask(site, steamid, "getbroadcastinfo", location=5)
        result = dig(info, "success", want=int)
        if result == _NO_MATCH or (result == _OK and peek(info, "is_online") is False):
            return Offline(identity)
        if result != _OK or peek(info, "is_online") is not True:
            raise SiteChanged(f"Steam answers {result} to a question for a broadcast")
        category = peek(info, "app_title") or ""
        title = peek(info, "title") or category
        if peek(info, "is_replay") in {1, "1"}:
            return Offline(identity, title=title)
        play = self._ask(site, steamid, "getbroadcastmpd", viewertoken=0, sessionid="")
        state = dig(play, "success", want=str)
        if state in _NOT_ON_AIR:
            return Offline(identity, title=title)
        if state == "user_restricted":
            raise NeedsLogin("only friends may watch this broadcast")
        if state != "ready":
            raise SiteChanged(f"Steam says that a broadcast is {state!r}")
        return Live(
            identity,
            self._anchor(site, int(steamid)),
            (_stream(play, match, options),),
            title,
            category,
            peek(info, "thumbnail_url") or "",
            broadcast=str(peek(play, "broadcastid") or ""),
        )

    def _ask(self, site: Site, steamid: str, what: str, **given: object) -> Any:
        return site.get(
            f"{_SITE}/broadcast/{what}/",
            params={"steamid": steamid, "broadcastid": 0, **given},
            headers={"Referer": f"{_SITE}/broadcast/watch/{steamid}"},
        ).json()

    def _anchor(self, site: Site, steamid: int) -> str:
        reply = site.get(f"{_SITE}/miniprofile/{steamid - _FIRST_ACCOUNT}/json", headers={"Referer": f"{_SITE}/"})
        return peek(reply.json(), "persona_name") or ""


def adapter() -> SteamAdapter:
    return SteamAdapter()


def _stream(play: Any, match: Match, options: Options) -> Stream:
    url, signed = dig(play, "hls_url", want=str), (peek(play, "cdn_auth_url_parameters") or "").lstrip("&?")
    if signed:
        url += ("&" if "?" in url else "?") + signed
    return match.stream(url, options, label="auto", codec="h264")
