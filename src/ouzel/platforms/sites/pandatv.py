"""PandaTV: channels of pandalive.co.kr, of South Korea, by its own web API.

Source of shapes: https://github.com/liuchuancong/pure_live (its notes on pandalive), yt-dlp and streamlink. The master playlist
may be read once; the addresses in it are good for more than half an hour, and want to see the Origin. streamget is not asked: it
takes the `media: null` of who is not on air for a broadcast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged, SiteError
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, member, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform
from ouzel.platforms.masters import streams_of

PLATFORM = Platform(
    name="pandatv",
    title="PandaTV",
    title_zh="PandaTV",
    urls=(
        "pandalive.co.kr/play/{user}",
        "pandalive.co.kr/live/play/{user}",
        "pandalive.co.kr/channel/{user}/{..}",
    ),
    example="https://www.pandalive.co.kr/play/somebody",
    chain=("own", "streamlink", "yt-dlp"),
    access="cookie",
    proxy_advised=True,
    headers=(("Origin", "https://www.pandalive.co.kr"), ("Referer", "https://www.pandalive.co.kr/")),
    off_air=(r'"code":\s*"castEnd"',),
    note="rooms for adults need the cookie of an account",
)
_API = "https://api.pandalive.co.kr/v1"
_SEOUL = timezone(timedelta(hours=9))
_CLOSED = {
    "needAdult": "it is for adults, with an account that proves it",
    "needLogin": "it wants an account",
    "needPw": "it wants a password",
    "needPassword": "it wants a password",
    "password": "it wants a password",
    "wrongPw": "the password is another one",
    "needCoinPurchase": "it wants to be paid",
    "needUnlimitItem": "it wants a ticket",
}
_UNKNOWN = ("없", "탈퇴")
"""There is no such member; who was one has left."""
_LISTS = ("hls3", "hls2", "hls")
_WITHHELD = (403, 404)
_PAGE = 30
_GOOD_FOR = timedelta(minutes=30)


class PandaAdapter:
    """One channel; and all that everybody may see, in a few answers."""

    name: AdapterName = "own"
    at_once = 1000

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        told = _ask(site, "member/bj", userId=user, info="media")
        if peek(told, "result") is False and not peek(told, "bjInfo"):
            raise _refusal(user, told)
        who = dig(told, "bjInfo", "id", want=str)
        identity, anchor = match.identity(who), peek(told, "bjInfo", "nick") or who
        if not member(told, "media") or not dig(told, "media", "isLive", want=bool):
            return Offline(identity, anchor, peek(told, "bjInfo", "channelTitle") or "")
        password = parse_qs(urlsplit(match.url).query).get("pwd", [""])[0]
        play = _ask(site, "live/play", action="watch", userId=user, password=password, shareLinkType="")
        if code := peek(play, "errorData", "code"):
            if code == "castEnd":
                return Offline(identity, anchor)
            raise _refusal(user, play)
        media = dig(play, "media", want=dict)
        return Live(
            identity,
            anchor,
            _streams(dig(play, "PlayList", want=dict), match, site, options),
            media.get("title") or "",
            media.get("category") or "",
            media.get("ivsThumbnail") or media.get("thumbUrl") or "",
            instant(media, "startTime", zone=_SEOUL),
            str(media.get("code") or ""),
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        """Those in the public list; whoever is not there may be on air for adults, and is left out."""
        wanted, found = {one.lower(): one for one in ids}, dict[str, Peek]()
        seen, total = 0, 1
        while seen < total and len(found) < len(wanted):
            told = _ask(site, "live/index", offset=seen, limit=_PAGE, orderBy="hot")
            listed: list[Any] = dig(told, "list", want=list)
            if dig(told, "page", "offset", want=int) != seen:
                raise SiteChanged("PandaTV answers with another page of its list than was asked for")
            for media in listed:
                one = wanted.get(str(peek(media, "userId")).lower())
                if one is not None and peek(media, "isLive") is True:
                    found[one] = Peek(True, peek(media, "title") or "", peek(media, "userNick") or "")
            seen, total = seen + len(listed), dig(told, "page", "total", want=int)
            if not listed:
                break
        return found


def adapter() -> PandaAdapter:
    return PandaAdapter()


def _ask(site: Site, what: str, **form: object) -> dict[str, Any]:
    """It answers 400 to what it will not do, and says why."""
    return dig(site.post(f"{_API}/{what}", form=form, headers=dict(PLATFORM.headers), accept=(400,)).json(), want=dict)


def _refusal(user: str, told: object) -> SiteError:
    code, text = peek(told, "errorData", "code"), str(peek(told, "message"))
    if code in _CLOSED:
        return NeedsLogin(f"PandaTV does not show {user} to us: {_CLOSED[code]}")
    if any(word in text for word in _UNKNOWN):
        return ChannelGone(f"PandaTV has no {user}: {text}")
    return SiteChanged(f"PandaTV answers {code}: {text}")


def _streams(lists: Mapping[str, Any], match: Match, site: Site, options: Options) -> tuple[Stream, ...]:
    """All lists are the same one, which may be read once."""
    url = next((url for name in _LISTS if (url := peek(lists, name, 0, "url"))), None)
    if url is None:
        raise SiteChanged("PandaTV names no list of addresses")
    until = datetime.now(UTC) + _GOOD_FOR
    reply = site.get(url, headers=dict(PLATFORM.headers), accept=_WITHHELD, bare=True)
    if reply.status in _WITHHELD:
        raise Blocked(f"the media servers of PandaTV answer {reply.status}: it is not shown to us, or is just over")
    return streams_of(reply, match, options, expires_at=until)
