"""SHOWROOM: rooms of showroom-live.com, of Japan and Indonesia, by its own web API.

Source of shapes: what yt-dlp and streamlink know of it, and https://github.com/liuchuancong/pure_live (its notes on showroom).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Reply, Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform
from ouzel.platforms.masters import streams_of

PLATFORM = Platform(
    name="showroom",
    title="SHOWROOM",
    title_zh="SHOWROOM",
    urls=(
        "showroom-live.com/r/{key}",
        "showroom-live.com/room/profile?room_id={room:int}",
        "showroom-live.com/room/fan_club?room_id={room:int}",
        "showroom-live.com/{key}",
    ),
    example="https://www.showroom-live.com/r/48_Somebody",
    chain=("own", "streamlink", "yt-dlp", "streamget"),
    streamget="ShowRoomLiveStream",
    headers=(("Referer", "https://www.showroom-live.com/"),),
    off_air=(r'"live_status":\s*[01]\b', r'"is_live":\s*false'),
    stable=(r'"room_id":\s*"?(\d+)',),
)
_API = "https://www.showroom-live.com/api"
_ON_AIR, _OFF_AIR = 2, {0, 1}
_NOT_THERE, _NO_ROOM = 404, 1002
_LEVELS: Mapping[int, Level] = {1000: "original", 200: "sd", 100: "ld"}
_WITHHELD = (403, 404)


class ShowroomAdapter:
    """One room; and all that are on air, in one answer."""

    name: AdapterName = "own"
    at_once = 1000
    by = "key"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room, begins = match.named.get("room"), None
        if room is None:
            told = _ask(site, "room/status", room_url_key=match["key"])
            room, begins = str(dig(told, "room_id", want=int)), peek(told, "started_at")
        info = _ask(site, "live/live_info", room_id=room)
        identity, name = match.identity(room), dig(info, "room_name", want=str)
        status = dig(info, "live_status", want=int)
        if status in _OFF_AIR:
            return Offline(identity, name, "", instant(begins))  # of a room that is not on air: when it is next
        if status != _ON_AIR:
            raise SiteChanged(f"SHOWROOM tells of a state that is not known: {status}")
        profile = _ask(site, "room/profile", room_id=room)
        listed = _ask(site, "live/streaming_url", room_id=room, abr_available=1).get("streaming_url_list")
        streams = tuple(_streams(listed or [], match, site, options))
        if not streams and peek(profile, "premium_room_type"):
            raise NeedsLogin(f"room {room} is shown to those who have a ticket")
        return Live(
            identity,
            peek(profile, "main_name") or name,
            streams,
            name,
            peek(profile, "genre_name") or "",
            peek(profile, "image_square") or peek(profile, "image") or "",
            instant(profile, "current_live_started_at"),
            str(peek(profile, "live_id") or ""),
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        """By the keys or the numbers of rooms: those that are on air.

        Whoever is not listed may be so for those with a ticket only, and is left out.
        """
        wanted, found = set(ids), dict[str, Peek]()
        genres: list[Any] = dig(_ask(site, "live/onlives"), "onlives", want=list)
        for genre in genres:
            rooms: list[Any] = peek(genre, "lives") or []
            for room in rooms:  # a genre with nobody on air has a cell without a room
                for name in wanted & {str(peek(room, "room_id")), str(peek(room, "room_url_key"))}:
                    found[name] = Peek(True, peek(room, "telop") or "", peek(room, "main_name") or "")
        return found


def adapter() -> ShowroomAdapter:
    return ShowroomAdapter()


def _ask(site: Site, what: str, **params: object) -> Mapping[str, Any]:
    reply = site.get(f"{_API}/{what}", params=params, headers=dict(PLATFORM.headers), accept=(404,))
    doc: dict[str, Any] = dig(reply.json(), want=dict)
    if reply.status == _NOT_THERE and peek(doc, "errors", 0, "code") == _NO_ROOM:
        raise ChannelGone("SHOWROOM has no such room")
    if errors := doc.get("errors"):
        raise SiteChanged(f"SHOWROOM answers {peek(errors, 0, 'message') or errors}")
    return doc


def _streams(listed: Sequence[Any], match: Match, site: Site, options: Options) -> Iterator[Stream]:
    """Those that have an address each, the best first; else those in the list of all; not what a browser alone can play."""
    alone = [each for each in listed if peek(each, "type") == "hls" and peek(each, "url")]
    for each in sorted(alone, key=lambda e: -(whole(e, "quality") or 0)):
        yield match.stream(
            each["url"],
            options,
            label=peek(each, "label") or "",
            level=_LEVELS.get(whole(each, "quality") or 0),
        )
    every = next((peek(each, "url") for each in listed if peek(each, "type") == "hls_all"), None)
    if every and not alone:
        yield from streams_of(_playlist(site, every), match, options)


def _playlist(site: Site, url: str) -> Reply:
    """Its media servers say so when they do not show it to us; the room is there all the same."""
    reply = site.get(url, headers=dict(PLATFORM.headers), accept=_WITHHELD, bare=True)
    if reply.status in _WITHHELD:
        raise Blocked(
            f"the media servers of SHOWROOM answer {reply.status}: it is not shown to everybody, or is just over"
        )
    return reply
