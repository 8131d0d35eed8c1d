"""GoodGame: by its public API.

Source of shapes: https://github.com/streamlink/streamlink/blob/master/src/streamlink/plugins/goodgame.py for one channel,
https://github.com/GoodGame/API/blob/master/Streams/stream_api.md (getggchannelstatus) for many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ouzel.base.errors import ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform

PLATFORM = Platform(
    name="goodgame",
    title="GoodGame",
    title_zh="GoodGame",
    urls=("goodgame.ru/{user}", "goodgame.ru/channel/{user}"),
    example="https://goodgame.ru/somebody",
    chain=("own", "streamlink", "yt-dlp"),
    headers=(("Referer", "https://goodgame.ru/"), ("Origin", "https://goodgame.ru")),
    off_air=(r'"online":\s*false',),
    stable=(r'\A\s*\{[^{}]*?"id":\s*(\d+)',),
)
_API = "https://goodgame.ru/api"


class GoodGameAdapter:
    """One channel, and many at once."""

    name: AdapterName = "own"
    at_once = 50
    by = "user"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        reply = site.get(f"{_API}/4/users/{match['user']}/stream", headers=dict(PLATFORM.headers), accept={404})
        doc = reply.json()
        if why := peek(doc, "error"):
            if reply.status == 404:
                raise ChannelGone(f"GoodGame has no channel {match['user']}: {why}")
            raise SiteChanged(f"GoodGame answers: {why}")
        identity = match.identity(dig(doc, "id", want=int))
        anchor, title = dig(doc, "streamer", "username", want=str), peek(doc, "title") or ""
        if not dig(doc, "online", want=bool):
            return Offline(identity, anchor, title)
        return Live(
            identity,
            anchor,
            (_stream(dig(doc, "sources", "master", want=str), match, options),),
            title,
            peek(doc, "gameObj", "title") or "",
            _whole(peek(doc, "preview") or peek(doc, "poster") or ""),
            instant(doc, "broadcast", "start"),
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        """By the names of channels, as addresses have them, or by their numbers."""
        doc = site.get(f"{_API}/getggchannelstatus", params={"id": ",".join(ids), "fmt": "json"}).json()
        if doc == []:  # what it says when it knows none of them
            return {}
        found: dict[str, Peek] = {}
        for number, each in dig(doc, want=dict).items():
            status, name = dig(each, "status", want=str), str(peek(each, "key") or "")
            if status not in {"Live", "Dead"}:
                raise SiteChanged(f"GoodGame tells of a channel in the state {status!r}")
            told = Peek(status == "Live", peek(each, "title") or "", name)
            found |= {one: told for one in ids if one.lower() in {number, name.lower()}}
        return found


def adapter() -> GoodGameAdapter:
    return GoodGameAdapter()


def _stream(url: str, match: Match, options: Options) -> Stream:
    return match.stream(url, options, label="auto", codec="h264")


def _whole(url: str) -> str:
    return "https:" + url if url.startswith("//") else url
