"""OPENREC, since 2026 mellow-fan: by its public API.

Source of shapes: https://github.com/streamlink/streamlink/blob/master/src/streamlink/plugins/openrectv.py (one broadcast), and
https://github.com/yt-dlp/yt-dlp/blob/master/yt_dlp/extractor/openrec.py (where it has moved to). The list of a channel's
broadcasts is the same call with `channel_ids` and `onair_status`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline, Vod
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="openrec",
    title="mellow-fan (OPENREC)",
    title_zh="mellow-fan（原 OPENREC）",
    urls=(
        "mellow-fan.com/user/{user}",
        "mellow-fan.com/live/{movie}",
        "mellow-fan.com/m/live/{movie}",
        "openrec.tv/user/{user}",
        "openrec.tv/live/{movie}",
        "openrec.tv/m/live/{movie}",
        "openrec.tv/movie/{movie}",
    ),
    example="https://www.mellow-fan.com/user/somebody",
    chain=("own", "yt-dlp"),
    access="cookie",
    login=("yt-dlp",),
    headers=(("Referer", "https://www.mellow-fan.com/"), ("Origin", "https://www.mellow-fan.com")),
    off_air=(r'"onAirStatus":\s*"COMING_UP"',),
    note="a page /live/ID is one broadcast; /user/NAME is who makes them. Those for members need the cookie of one",
)
_API = "https://public.mellow-fan.com/external/api/v5/movies"
_COMING, _ON_AIR, _OVER = 0, 1, 2


class OpenrecAdapter:
    """One channel, or one broadcast."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        headers = dict(PLATFORM.headers)
        if "user" in match.named:
            user = match["user"]
            found: Any = site.get(_API, params={"channel_ids": user, "onair_status": _ON_AIR}, headers=headers).json()
            if dig(found, want=list) == []:
                return Offline(match.identity(user))
            movie: Any = found[0]
        else:
            movie = site.get(f"{_API}/{match['movie']}", headers=headers).json()
        identity = match.identity(dig(movie, "channel", "id", want=str))
        anchor = peek(movie, "channel", "nickname") or peek(movie, "channel", "name") or identity.id
        title, state = peek(movie, "title") or "", dig(movie, "onair_status", want=int)
        if state == _COMING:
            return Offline(identity, anchor, title, instant(movie, "will_start_at"))
        if state not in {_ON_AIR, _OVER}:
            raise SiteChanged(f"mellow-fan has a broadcast in state {state}")
        streams = tuple(_streams(movie, match, options, over=state == _OVER))
        if not streams and peek(movie, "public_type") not in {None, "public"}:
            raise NeedsLogin(f"{anchor} shows this to who may see {peek(movie, 'public_type')}")
        cover = peek(movie, "l_thumbnail_url") or peek(movie, "thumbnail_url") or ""
        if state == _OVER:
            return Vod(identity, anchor, streams, title, cover) if streams else Offline(identity, anchor, title)
        return Live(
            identity,
            anchor,
            streams,
            title,
            peek(movie, "game", "title") or "",
            cover,
            instant(movie, "started_at"),
            dig(movie, "id", want=str),
        )


def adapter() -> OpenrecAdapter:
    return OpenrecAdapter()


def _streams(movie: Any, match: Match, options: Options, *, over: bool) -> Iterator[Stream]:
    """What everybody may see; with a short delay last, since it has fewer seconds to spare."""
    for media in ("media", "subs_trial_media"):
        for name, label in (("url_public", "archive"),) if over else (("url", "auto"), ("url_ull", "low latency")):
            if url := peek(movie, media, name):
                yield match.stream(
                    url.replace("/public.m3u8", "/playlist.m3u8") if over else url,
                    options,
                    label=label,
                )
