"""WinkTV: channels of winktv.co.kr, by the calls that it had in common with PandaTV.

It was closed in June 2025. Its calls answer 405 since, with a page that leads to PandaTV; room lists still have addresses of
it. `?pwd=` opened a channel with a password.

Source of shapes: streamlink's plugin for PandaTV, and streamget's class.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="winktv",
    title="WinkTV",
    title_zh="WinkTV",
    urls=("winktv.co.kr/live/play/{user}", "winktv.co.kr/play/{user}"),
    example="https://www.winktv.co.kr/live/play/anjer1004",
    chain=("own", "streamget"),
    access="cookie",
    proxy_advised=True,
    streamget="WinkTVLiveStream",
    headers=(("Referer", "https://www.winktv.co.kr/"), ("Origin", "https://www.winktv.co.kr")),
    off_air=(r'(?s)\A(?!.*"media":).*"bjInfo":\s*\{',),
    note="closed in June 2025; its channels are on PandaTV",
)
_API = "https://api.winktv.co.kr/v1"
_SEOUL = timezone(timedelta(hours=9))
_MOVED = ("pandalive.co.kr", "판다티비", "판다라이브")
_NO_SUCH_USER = ("존재하지", "없는 회원", "탈퇴")


class WinkTvAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        doc = _ask(site, "member/bj", {"userId": user, "info": "media"})
        identity = match.identity(dig(doc, "bjInfo", "id", want=str))
        anchor = dig(doc, "bjInfo", "nick", want=str)
        media = peek(doc, "media")
        if not media:
            return Offline(identity, anchor, peek(doc, "bjInfo", "channelTitle") or "")
        password = parse_qs(urlsplit(match.url).query).get("pwd", [""])[0]
        watch = {"action": "watch", "userId": user, "password": password, "shareLinkType": ""}
        play = _ask(site, "live/play", watch)
        media = peek(play, "media") or media
        return Live(
            identity,
            anchor,
            tuple(_streams(play, match, options)),
            peek(media, "title") or "",
            peek(media, "category") or "",
            peek(media, "thumbUrl") or "",
            instant(media, "startTime", zone=_SEOUL),
            str(peek(media, "code") or ""),
        )


def adapter() -> WinkTvAdapter:
    return WinkTvAdapter()


def _ask(site: Site, call: str, form: dict[str, str]) -> dict[str, Any]:
    reply = site.post(f"{_API}/{call}", form=form, headers=dict(PLATFORM.headers), accept=(400, 405))
    if reply.status == 405 or any(word in reply.text for word in _MOVED):
        raise ChannelGone("WinkTV was closed on 2 June 2025, and says that its channels are on PandaTV now")
    doc = reply.json()
    code, message = peek(doc, "errorData", "code") or "", peek(doc, "message") or ""
    if code.startswith("need"):
        raise NeedsLogin(f"WinkTV answers {code}: {message}")
    if code or peek(doc, "result") is False:
        kind = ChannelGone if any(words in message for words in _NO_SUCH_USER) else SiteChanged
        raise kind(f"WinkTV answers {code}: {message}")
    return dig(doc, want=dict)


def _streams(play: object, match: Match, options: Options) -> Iterator[Stream]:
    """Playlists with all heights in them; the newest way of delivery first."""
    for key in ("hls3", "hls2", "hls"):
        for each in peek(play, "PlayList", key) or ():
            url: str = peek(each, "url") or ""
            if url:
                yield match.stream(url, options, label=str(peek(each, "name") or ""), level="original")
