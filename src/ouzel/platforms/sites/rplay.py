"""RPLAY: by the calls of its own pages.

Source of shapes: https://github.com/yt-dlp/yt-dlp/pull/10693 (not in yt-dlp yet). What is shown to accounts only needs a signed
token, which is not made here.
"""

from __future__ import annotations

from typing import Any

from ouzel.base.errors import NeedsLogin, ResolverFailed, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="rplay",
    title="RPLAY",
    title_zh="RPLAY",
    urls=("rplay.live/live/{creator}", "rplay.live/c/{user}/live", "rplay.live/c/{user}"),
    example="https://rplay.live/c/somebody/live",
    chain=("own",),
    access="login",
    headers=(("Referer", "https://rplay.live/"), ("Origin", "https://rplay.live")),
    note="only what everybody may watch; the other rooms are told of as such",
)
_API = "https://api.rplay.live"


class RplayAdapter:
    """One creator."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        asked = {"customUrl": match["user"]} if "user" in match.named else {"userOid": match["creator"]}
        creator = self._ask(site, "account/getuser", **asked)
        number, anchor = dig(creator, "_id", want=str), dig(creator, "nickname", want=str)
        identity = match.identity(number)
        live = self._ask(site, "live/play", creatorOid=number)
        state, title = dig(live, "streamState", want=str), peek(live, "title") or ""
        if state == "offline":
            return Offline(identity, anchor, title)
        if state in {"youtube", "twitch"}:
            where = peek(live, "liveStreamId") or peek(live, "twitchLogin") or "without saying where"
            raise ResolverFailed(f"{anchor} is on air on {state}: {where}")
        if state != "live":
            raise SiteChanged(f"RPLAY has a room in state {state!r}")
        if not peek(live, "allowAnonymous"):
            raise NeedsLogin(f"{anchor} shows this to accounts only")
        stream = match.stream(
            f"{_API}/live/stream/playlist.m3u8?creatorOid={number}&key2=",
            options,
            label="auto",
        )
        return Live(
            identity,
            anchor,
            (stream,),
            title,
            cover=f"https://pb.rplay.live/liveChannelThumbnails/{number}",
            started_at=instant(live, "streamStartTime"),
        )

    def _ask(self, site: Site, what: str, **given: object) -> Any:
        return site.get(f"{_API}/{what}", params=given, headers=dict(PLATFORM.headers)).json()


def adapter() -> RplayAdapter:
    return RplayAdapter()
