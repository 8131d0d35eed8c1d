"""SOOP, formerly AfreecaTV: channels of play.sooplive.com, by the API of its player.

Source of shapes: streamlink's SOOP plugin and yt-dlp's AfreecaTV extractor; of signing in https://github.com/biliup/biliup/pull/661.
It has no call that tells of many channels that are asked for.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from datetime import timedelta, timezone
from itertools import chain
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, NetworkError, OuzelError, ServerTrouble, SiteChanged, SiteError
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform
from ouzel.platforms.masters import read_master

PLATFORM = Platform(
    name="soop",
    title="SOOP",
    title_zh="SOOP (AfreecaTV)",
    urls=(
        "play.sooplive.com/{user}",
        "play.sooplive.com/{user}/{}",
        "play.sooplive.co.kr/{user}",
        "play.sooplive.co.kr/{user}/{}",
        "play.afreecatv.com/{user}",
        "play.afreecatv.com/{user}/{}",
        "sooplive.com/station/{user}",
        "ch.sooplive.co.kr/{user}",
        "bj.afreecatv.com/{user}",
    ),
    example="https://play.sooplive.com/somebody",
    any_case=True,
    chain=("own", "streamlink", "yt-dlp", "streamget"),
    access="login",
    login=("own", "streamlink", "yt-dlp", "streamget"),
    proxy_advised=True,
    streamget="SoopLiveStream",
    headers=(("Referer", "https://play.sooplive.com/"),),
    off_air=(r'"RESULT":\s*"?0\b', r"nBroadNo\s*=\s*null"),
    note="rooms for adults and for subscribers need an account",
)
_STATION = "https://chapi.sooplive.com/api/{}/station"
_PLAYER = "https://live.sooplive.com/afreeca/player_live_api.php"
_LOGIN = "https://login.sooplive.com/app/LoginAction.php"
_ASSIGNED = "/broad_stream_assign.html"
_KOREA = timezone(timedelta(hours=9))
_NOT_ON_AIR, _FINE, _WANTS_LOGIN = 0, 1, -6
_UNKNOWN_USER = 9000
_TICKET_S = 86400.0
_CDNS = {"gs_cdn": "gs_cdn_pc_web", "lg_cdn": "lg_cdn_pc_web"}
"""By what the player calls them: what the server that assigns streams does."""
_ANYWHERE = "gcp_cdn"


class SoopAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"].lower()
        station = _station(site, user)
        identity, anchor = match.identity(user), html.unescape(dig(station, "station", "user_nick", want=str))
        if station["broad"] is None:
            return Offline(identity, anchor)
        channel = ask_player(site, options, user, "live")
        if channel is None:
            return Offline(identity, anchor)
        if channel.get("BPWD") == "Y":
            raise NeedsLogin(f"{anchor} asks for a password")
        number = dig(channel, "BNO", want=str)
        return Live(
            identity,
            anchor,
            tuple(_streams(channel, number, user, match, site, options)),
            html.unescape(peek(channel, "TITLE") or ""),
            peek(channel, "CATEGORY_TAGS", 0) or "",
            f"https://liveimg.sooplive.com/m/{number}",
            instant(station, "station", "broad_start", zone=_KOREA),
            number,
        )


def adapter() -> SoopAdapter:
    return SoopAdapter()


def _station(site: Site, user: str) -> Mapping[str, Any]:
    """Whose channel it is, and under `broad` what is on air, or null."""
    reply = site.get(_STATION.format(user), headers=dict(PLATFORM.headers), accept=(515,))
    doc = dig(reply.json(), want=dict)
    if doc.get("code") == _UNKNOWN_USER:
        raise ChannelGone(f"SOOP has no channel {user}")
    if reply.status != 200:
        raise ServerTrouble(f"SOOP answers {reply.status}", status=reply.status)
    if "broad" not in doc:
        raise SiteChanged("SOOP does not tell of a broadcast any more")
    return doc


def ask_player(site: Site, options: Options, user: str, what: str, **more: str) -> Mapping[str, Any] | None:
    """What the player is told; None when it is not on air. Signs in if need be."""
    account = options.login and not options.cookies
    for ticket in chain(("",), site.tokens("ticket", _TICKET_S, lambda: _sign_in(site, options)) if account else ()):
        reply = site.post(
            _PLAYER,
            params={"bjid": user},
            form={
                "bid": user,
                "type": what,
                "player_type": "html5",
                "stream_type": "common",
                "mode": "landing",
                "from_api": "0",
                "pwd": "",
                **more,
            },
            headers=dict(PLATFORM.headers) | ({"Cookie": ticket} if ticket else {}),
        )
        channel = dig(reply.json(), "CHANNEL", want=dict)
        result = whole(channel, "RESULT")
        if result == _FINE:
            return channel
        if result == _NOT_ON_AIR:
            return None
        if result != _WANTS_LOGIN:
            raise SiteChanged(f"SOOP's player is told {result}, which nobody knows")
    raise NeedsLogin("SOOP shows this only to accounts that may see it: adults, or subscribers")


def _sign_in(site: Site, options: Options) -> str:
    """Cookies of the account. Raises: NeedsLogin when it is not let in."""
    form = {"szWork": "login", "szType": "json", "szUid": options.login, "szPassword": options.password}
    reply = site.post(_LOGIN, form={**form, "isSaveId": "false", "isSavePw": "false", "isSaveJoin": "false"})
    result = peek(reply.json(), "RESULT")
    if result != 1:
        raise NeedsLogin(f"SOOP does not let the account in ({result})")
    return "; ".join(f"{name}={value}" for name, value in reply.cookies.items())


def _streams(
    channel: Mapping[str, Any], number: str, user: str, match: Match, site: Site, options: Options
) -> Iterator[Stream]:
    """From where it is assigned to, else from where everybody may."""
    key = ask_player(site, options, user, "aid", bno=number, quality="master")
    aid = dig(key, "AID", want=str)
    manager, told = dig(channel, "RMD", want=str).rstrip("/"), str(channel.get("CDN") or "")
    assigned = next((name for part, name in _CDNS.items() if part in told), told)
    failed: OuzelError | None = None
    for cdn in dict.fromkeys((assigned or _ANYWHERE, _ANYWHERE)):
        query = {"return_type": cdn, "broad_key": f"{number}-common-master-hls"}
        try:
            place = dig(site.get(manager + _ASSIGNED, params=query).json(), "view_url", want=str)
            yield from read_master(site, place, match, options, params={"aid": aid}, cdn=cdn)
        except (SiteError, NetworkError) as exc:
            failed = failed or exc
        else:
            return
    if failed is not None:
        raise failed
