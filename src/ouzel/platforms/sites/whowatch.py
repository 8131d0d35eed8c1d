"""Whowatch (ふわっち): by the calls of its own pages.

Source of shapes: https://github.com/CommentViewerCollection/MultiCommentViewer (WhowatchSitePluginTests/SampleData has whole
answers) and yt-dlp's extractor. Of the states of a broadcast only PUBLISHING is known; that one is over is told in words by the
call to play it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="whowatch",
    title="Whowatch",
    title_zh="Whowatch",
    urls=("whowatch.tv/profile/{user}", "whowatch.tv/user/{user}", "whowatch.tv/viewer/{live:int}"),
    example="https://whowatch.tv/profile/w:somebody",
    chain=("own",),
    headers=(("Referer", "https://whowatch.tv/"), ("Origin", "https://whowatch.tv")),
    note="a page /viewer/ID is one broadcast; /profile/w:NAME is who makes them",
)
_API = "https://api.whowatch.tv"
_LEVELS: Mapping[str, Level] = {"veryhigh": "uhd", "high": "hd", "medium": "sd", "low": "ld"}


class WhowatchAdapter:
    """One user, or one broadcast."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        number = match.named.get("live")
        if number is None:
            profile = self._ask(site, f"users/{match['user']}/profile")
            identity = match.identity(dig(profile, "id", want=int))
            anchor = dig(profile, "name", want=str)
            if not peek(profile, "live"):
                return Offline(identity, anchor)
            number = str(dig(profile, "live", "id", want=int))
        live = dig(self._ask(site, f"lives/{number}"), "live", want=dict)
        identity = match.identity(dig(live, "user", "id", want=int))
        anchor, title = dig(live, "user", "name", want=str), live.get("title") or ""
        state = dig(live, "live_status", want=str)
        play = self._ask(site, f"lives/{number}/play")
        streams = tuple(_streams(play, match, options))
        why = peek(play, "error_message") or ""
        if not streams and state != "PUBLISHING" and why:
            return Offline(identity, anchor, title)
        if not streams or state != "PUBLISHING":
            raise SiteChanged(f"Whowatch has a broadcast in state {state}: {why or 'nothing more'}")
        return Live(
            identity,
            anchor,
            streams,
            title,
            peek(live, "category", "name") or "",
            live.get("latest_thumbnail_url") or "",
            instant(live, "started_at"),
            number,
        )

    def _ask(self, site: Site, what: str) -> Any:
        return site.get(f"{_API}/{what}", headers=dict(PLATFORM.headers)).json()


def adapter() -> WhowatchAdapter:
    return WhowatchAdapter()


def _streams(play: Any, match: Match, options: Options) -> Iterator[Stream]:
    """Each quality; the address for all of them last, where it is another one."""
    told: list[Any] = peek(play, "streams") or []
    found = [each for each in told if peek(each, "hls_url")]
    if (whole := peek(play, "hls_url")) and whole not in {each["hls_url"] for each in found}:
        found.append({"hls_url": whole})
    for each in found:
        quality = each.get("quality") or each.get("name") or ""
        yield match.stream(
            each["hls_url"],
            options,
            label=each.get("label") or quality,
            level="audio" if each.get("audio_only") else _LEVELS.get(quality),
        )
