"""TTingLive, formerly FlexTV: channels of ttinglive.com, by the call of its player, which answers 400 while nothing is on air.

Source of shapes: yt-dlp's extractor, https://github.com/biliup/biliup (ttinglive), and streamget's class for accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import NeedsLogin
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Protocol_, Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="ttinglive",
    title="TTingLive (FlexTV)",
    title_zh="FlexTV",
    urls=(
        "ttinglive.com/channels/{channel:int}/live",
        "ttinglive.com/channels/{channel:int}",
        "flextv.co.kr/channels/{channel:int}/live",
        "flextv.co.kr/channels/{channel:int}",
    ),
    example="https://www.ttinglive.com/channels/593127/live",
    chain=("own", "yt-dlp"),
    streams=("hls", "flv"),
    access="cookie",
    login=("own",),
    proxy_advised=True,
    streamget="FlexTVLiveStream",
    headers=(("Referer", "https://www.ttinglive.com/"), ("Origin", "https://www.ttinglive.com")),
    off_air=(r"방송\s?중이 아",),
    note="channels for adults need an account",
)
_PROTOCOLS: tuple[Protocol_, ...] = ("hls", "flv")
_API = "https://api.ttinglive.com"
_TICKET_S = 86400.0
_ACCOUNTS_ONLY = ("로그인", "성인", "19세", "인증")
_NO_STREAM = "|".join((*_ACCOUNTS_ONLY, *PLATFORM.off_air))
"""What it says with status 400: for accounts only, or off air."""


class TTingLiveAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        channel = match["channel"]
        doc = _ask(site, channel, options)
        if doc is None:
            return Offline(match.identity(channel))
        return Live(
            match.identity(channel),
            peek(doc, "owner", "nickname") or peek(doc, "owner", "name") or "",
            tuple(_streams(dig(doc, "sources", want=list), match, options)),
            peek(doc, "stream", "title") or peek(doc, "title") or "",
            cover=peek(doc, "thumbUrl") or "",
            started_at=instant(doc, "stream", "createdAt"),
            broadcast=str(peek(doc, "stream", "id") or ""),
        )


def adapter() -> TTingLiveAdapter:
    return TTingLiveAdapter()


def _ask(site: Site, channel: str, options: Options) -> Any:
    """What the player is told: as an account, if there is one; None: nothing is on air. Raises: NeedsLogin."""
    refused = NeedsLogin("TTingLive gives the account no ticket")
    account = options.login and not options.cookies
    for ticket in site.tokens("ticket", _TICKET_S, lambda: _sign_in(site, options)) if account else ("",):
        try:
            return _ask_with(site, channel, ticket)
        except NeedsLogin as exc:
            refused = exc
    raise refused


def _ask_with(site: Site, channel: str, ticket: str) -> Any:
    reply = site.get(
        f"{_API}/api/channels/{channel}/stream",
        params={"option": "all"},
        headers={**dict(PLATFORM.headers), "x-site-code": "ttinglive", **({"Cookie": ticket} if ticket else {})},
        accept=(400,),
        saying=_NO_STREAM,
    )
    doc = reply.json()
    message = peek(doc, "message")
    if message and any(word in message for word in _ACCOUNTS_ONLY):
        raise NeedsLogin(f"TTingLive: {message}")
    return None if reply.status == 400 else doc


def _sign_in(site: Site, options: Options) -> str:
    reply = site.post(
        f"{_API}/v2/api/auth/signin",
        body={
            "loginId": options.login,
            "password": options.password,
            "loginKeep": True,
            "saveId": True,
            "device": "PCWEB",
        },
        headers={**dict(PLATFORM.headers), "x-site-code": "ttinglive"},
        accept=(400, 401),
    )
    if "flx_oauth_access" not in reply.cookies:
        raise NeedsLogin(f"TTingLive does not take the account: {peek(reply.json(), 'message')}")
    return "; ".join(f"{name}={value}" for name, value in reply.cookies.items())


def _streams(sources: list[object], match: Match, options: Options) -> Iterator[Stream]:
    """A playlist with all heights, or each height by itself."""
    for source in sources:
        if (url := peek(source, "url")) and peek(source, "format") in ("ivs", None):
            yield match.stream(url, options)
        for protocol in _PROTOCOLS:
            for each in peek(source, "urlDetail", protocol, "resolution") or ():
                if url := peek(each, "url"):
                    height = str(peek(each, "resolution") or "")
                    yield match.stream(
                        url,
                        options,
                        protocol=protocol,
                        label=peek(each, "suffixName") or height,
                        height=int(height) if height.isdigit() else None,
                    )
