"""Dailymotion: by its public API, and by what its player is told.

Source of shapes: https://developers.dailymotion.com/v0/reference/video-fields (mode, onair), .../api-errors (what DM003 and the
others mean), and yt-dlp's extractor (the player's metadata). What is live there is a video object that stays the same from one
broadcast to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, RegionLocked, ResolverFailed, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform

PLATFORM = Platform(
    name="dailymotion",
    title="Dailymotion",
    title_zh="Dailymotion",
    urls=(
        "dailymotion.com/video/{video}",
        "dailymotion.com/live/{video}",
        "dailymotion.com/embed/video/{video}",
        "dailymotion.com/{user}",
    ),
    short=("dai.ly/{code}",),
    example="https://www.dailymotion.com/video/x8s1234",
    chain=("own", "yt-dlp"),
    login=("yt-dlp",),
    headers=(("Referer", "https://www.dailymotion.com/"), ("Origin", "https://www.dailymotion.com")),
    off_air=(r'"(?:onair|isOnAir)":\s*false',),
)
_API = "https://api.dailymotion.com"
_FIELDS = "id,title,mode,onair,thumbnail_url,owner.screenname,live_airing_time,start_time,channel.name"
_NOT_YET, _ELSEWHERE = "DM003", "DM007"
_GONE = frozenset({"DM001", "DM002", "DM005"})
_NOT_FOR_ALL = frozenset({"DM008", "DM010", "DM014"})


class DailymotionAdapter:
    """One video object, or what a user has on air; and many objects at once."""

    name: AdapterName = "own"
    at_once = 100

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        if "user" in match.named:
            user = match["user"]
            doc = site.get(
                f"{_API}/user/{user}/videos",
                params={"fields": _FIELDS, "flags": "live_onair", "family_filter": "false"},
            ).json()
            lives = dig(doc, "list", want=list)
            if not lives:
                return Offline(match.identity(f"user/{user.lower()}"))
            video, identity = lives[0], match.identity(f"user/{user.lower()}")
        else:
            number = match["video"].partition("_")[0]
            video = site.get(f"{_API}/video/{number}", params={"fields": _FIELDS}).json()
            identity = match.identity(dig(video, "id", want=str))
        anchor, title = peek(video, "owner.screenname") or "", peek(video, "title") or ""
        if (mode := dig(video, "mode", want=str)) != "live":
            raise ResolverFailed(f"this page of Dailymotion is not live but {mode}")
        if not dig(video, "onair", want=bool):
            return Offline(identity, anchor, title, instant(video, "start_time"))
        number = dig(video, "id", want=str)
        play = site.get(f"https://www.dailymotion.com/player/metadata/video/{number}", headers=dict(PLATFORM.headers))
        if peek(told := play.json(), "error", "code") == _NOT_YET:
            return Offline(identity, anchor, title)
        return Live(
            identity,
            anchor,
            tuple(_streams(told, match, options)),
            title,
            peek(video, "channel.name") or "",
            peek(video, "thumbnail_url") or "",
            instant(video, "live_airing_time"),
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        """By the numbers of video objects."""
        doc = site.get(
            f"{_API}/videos", params={"ids": ",".join(ids), "fields": _FIELDS, "limit": 100, "family_filter": "false"}
        ).json()
        return {
            dig(video, "id", want=str): Peek(
                dig(video, "onair", want=bool), peek(video, "title") or "", peek(video, "owner.screenname") or ""
            )
            for video in dig(doc, "list", want=list)
        }


def adapter() -> DailymotionAdapter:
    return DailymotionAdapter()


def _streams(told: Any, match: Match, options: Options) -> Iterator[Stream]:
    """Raises: what the site says of who may not see it."""
    if error := peek(told, "error"):
        code, why = peek(error, "code"), peek(error, "title") or peek(error, "raw_message") or peek(error, "message")
        if code == _ELSEWHERE:
            raise RegionLocked(f"Dailymotion: {why}")
        if code in _NOT_FOR_ALL:
            raise NeedsLogin(f"Dailymotion: {why}")
        if code in _GONE:
            raise ChannelGone(f"Dailymotion: {why}")
        raise SiteChanged(f"Dailymotion answers {code}: {why}")
    for each in dig(told, "qualities", "auto", want=list):
        if peek(each, "type") == "application/x-mpegURL":
            yield match.stream(dig(each, "url", want=str), options, label="auto")
