"""TwitCasting: users of twitcasting.tv, by what its player is told, and by the head of the page.

Source of shapes: streamlink's and yt-dlp's TwitCasting extractors. The player prefers a WebSocket; HLS is what we record.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="twitcasting",
    title="TwitCasting",
    title_zh="TwitCasting",
    urls=(
        "twitcasting.tv/{user}",
        "{}.twitcasting.tv/{user}",
        "twitcasting.tv/{user}/show",
        "twitcasting.tv/{user}/broadcaster",
    ),
    example="https://twitcasting.tv/somebody",
    chain=("own", "streamlink", "yt-dlp", "streamget"),
    access="login",
    streamget="TwitCastingLiveStream",
    headers=(("Origin", "https://twitcasting.tv"), ("Referer", "https://twitcasting.tv/")),
    off_air=(r'"live":\s*false', r'"is_live":\s*false', r'data-is-onlive="false"'),
    note="rooms with a password, and those for members, need the cookie of an account that may see them",
)
_PLAYER = "https://twitcasting.tv/streamserver.php"
_LEVELS: Mapping[str, Level] = {"high": "original", "medium": "hd", "low": "sd"}


class TwitCastingAdapter:
    """One user."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        told = dig(site.get(_PLAYER, params={"target": user, "mode": "client", "player": "pc_web"}).json(), want=dict)
        if not told:  # so it says that there is nobody of that name
            raise ChannelGone(f"TwitCasting has no user {user}")
        identity, movie = match.identity(user), dig(told, "movie", want=dict)
        if not dig(movie, "live", want=bool):
            return Offline(identity)
        streams = tuple(_streams(told, match, options))
        if not streams:
            raise NeedsLogin("TwitCasting shows this to those who know the password, or to members")
        page = site.get(f"https://twitcasting.tv/{user}", headers=dict(PLATFORM.headers)).text
        return Live(
            identity,
            _found(r"<title>\s*(.+?) \(@", page),
            streams,
            _found(r'<meta name="twitter:title" content="([^"]*)"', page),
            cover=_found(r'<meta property="og:image" content="([^"]*)"', page),
            broadcast=str(dig(movie, "id", want=int)),
        )


def adapter() -> TwitCastingAdapter:
    return TwitCastingAdapter()


def _streams(told: Mapping[str, Any], match: Match, options: Options) -> Iterator[Stream]:
    found: Mapping[str, str] = peek(told, "tc-hls", "streams") or {}
    found = {name: url for name, url in found.items() if url}
    for quality in sorted(found, key=lambda name: [*_LEVELS, name].index(name)):
        yield match.stream(found[quality], options, label=quality, level=_LEVELS.get(quality))


def _found(pattern: str, page: str) -> str:
    """What the head of the page says, as far as it says it."""
    found = re.search(pattern, page)
    return html.unescape(found[1]).strip() if found else ""
