"""NetEase CC: channels of cc.163.com.

One call tells in which room somebody is on air, one what is on there, and one for each quality where its media are; only the page
tells a channel that is off air from one that does not exist. An address opens for five minutes, and what was opened goes on.
Sources of shapes: https://github.com/biliup/biliup/blob/master/biliup/plugins/cc.py,
https://github.com/wzgrx/pure_live/blob/8bedc02083dd6e75470faf3309a0e7d7d0d7e019/spec/sites/cc.md
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta, timezone
from typing import Any

from ouzel.base.errors import ChannelGone, OuzelError, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, instant, peek, rows, table, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform

PLATFORM = Platform(
    name="cc",
    title="NetEase CC",
    title_zh="网易CC直播",
    urls=(
        "cc.163.com/{user:int}",
        "cc.163.com/cc/{user:int}",
        "h5.cc.163.com/cc/{user:int}",
        "ds.163.com/glive?ccid={user:int}",
    ),
    example="https://cc.163.com/361433/",
    chain=("own", "streamget"),
    streams=("flv", "hls"),
    streamget="NeteaseLiveStream",
    headers=(("Referer", "https://cc.163.com/"),),
    off_air=(r'"live":\s*\{\s*\}', r'"live":\s*\{[^{}]*"status":\s*0\b'),
    note="streamget reads the page, which leads elsewhere for some",
)
_HEADERS = dict(PLATFORM.headers)
_BEIJING = timezone(timedelta(hours=8))
_LEVELS: tuple[tuple[str, Level], ...] = (
    ("original", "original"),
    ("blueray", "bluray"),
    ("ultra", "uhd"),
    ("high", "hd"),
    ("medium", "sd"),
    ("standard", "sd"),
    ("low", "ld"),
)
_RERUN = "【重播】"
_PAGE = 30
_PAGES = 30


class CcAdapter:
    """One channel; and, as the site lists all that are on air in a few answers, any number of them."""

    name: AdapterName = "own"
    at_once = 1000

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        doc = site.get(
            "https://api.cc.163.com/v1/activitylives/anchor/lives", params={"anchor_ccid": user}, headers=_HEADERS
        ).json()
        if peek(doc, "code") != "OK":
            raise SiteChanged(f"CC answers {peek(doc, 'code')}: {peek(doc, 'msg') or ''}")
        channel = peek(dig(doc, "data", want=dict), user, "channel_id")
        shown = self._channel(str(channel), site) if channel else {}
        if not shown or whole(shown, "nolive") == 1:
            return self._idle(match, site)
        if str(shown.get("ccid")) != user:
            raise SiteChanged(f"CC tells of another channel than {user}")
        identity, anchor, title = match.identity(user), str(shown.get("nickname") or ""), str(shown.get("title") or "")
        if whole(shown, "status") != 1:
            raise SiteChanged(f"CC tells of a channel in the state {shown.get('status')!r}")
        if title.startswith(_RERUN):  # old videos, in a channel that is on air without end
            return Offline(identity, anchor, title)
        first = self._play(user, site, "")
        if first is None:  # it has just ended
            return Offline(identity, anchor, title)
        return Live(
            identity,
            anchor,
            tuple(self._streams(first, match, site, options)),
            title,
            str(shown.get("gamename") or ""),
            str(shown.get("cover") or shown.get("poster") or ""),
            instant(shown, "startat", zone=_BEIJING),
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        """Of those that are in the site's list of all that are on air. Of others it says nothing."""
        wanted, found = set(ids), dict[str, Peek]()
        for page in range(_PAGES):
            params = {"format": "json", "start": page * _PAGE, "size": _PAGE}
            doc = site.get("https://cc.163.com/api/category/live/", params=params, headers=_HEADERS).json()
            listed = dig(doc, "lives", want=list)
            for each in listed:
                if (user := str(peek(each, "cuteid") or peek(each, "ccid"))) in wanted:
                    title = str(peek(each, "title") or "")
                    live = peek(each, "status") == 1 and not title.startswith(_RERUN)
                    found[user] = Peek(live, title, str(peek(each, "nickname") or ""))
            if not listed:
                break
        return found

    def _channel(self, channel: str, site: Site) -> dict[str, Any]:
        doc = site.get("https://cc.163.com/live/channel/", params={"channelids": channel}, headers=_HEADERS).json()
        return table(dig(doc, "data", want=list), 0)

    def _idle(self, match: Match, site: Site) -> Answer:
        """Its page, asked for as the program does that shows it inside of another."""
        user = match["user"]
        query = {"open": "blizzardtv", "from": 8382, "platform": "ds"}
        reply = site.get(f"https://cc.163.com/{user}/", params=query, headers=_HEADERS)
        text = reply.find(r'<script id="__NEXT_DATA__"[^>]*>(.*?)</script>', "data of a channel")
        try:
            told = dig(json.loads(text), "props", "pageProps", "roomInfoInitData", want=dict)
        except ValueError:
            raise SiteChanged("the page of CC carries its data in another way") from None
        if told.get("code") == 404 or told.get("reason") == "no ccid":
            raise ChannelGone(f"CC has no channel {user}")
        anchor = peek(told, "micfirst", "nickname") or told.get("nickname") or peek(told, "live", "nickname")
        if not anchor or peek(told, "live", "status") == 1:
            raise SiteChanged(f"CC does not say whether {user} is on air")
        return Offline(match.identity(user), str(anchor), str(told.get("live_title") or told.get("title") or ""))

    def _streams(self, first: dict[str, Any], match: Match, site: Site, options: Options) -> Iterator[Stream]:
        """All qualities, the best first, each from the two hosts that the site chooses."""
        names = [str(name) for name in rows(first, "vbrname_list")] or [str(first.get("vbrname_sel") or "")]
        had: set[str] = set()
        for name in names:
            try:
                told = first if name == first.get("vbrname_sel") else self._play(match["user"], site, name)
            except OuzelError:
                if had:
                    return  # one that plays is enough
                raise
            if told is None:
                return
            for stream in _addresses(told, match, options):
                if stream.url.partition("?")[0] not in had:
                    had.add(stream.url.partition("?")[0])
                    yield stream

    def _play(self, user: str, site: Site, quality: str) -> dict[str, Any] | None:
        """Where the media are; None where it says that nothing is on air."""
        asked = {"src": "webcc_h5", "vbrmode": 1, "use_new_vbrmap": 1, "secure": 1}
        reply = site.get(
            f"https://vapi.cc.163.com/video_play_url/{user}",
            params={**asked, **({"vbrname": quality} if quality else {})},
            headers=_HEADERS,
            accept=(410,),
        )
        told = dig(reply.json(), want=dict)
        if reply.status == 410 and told.get("data") != "no live":
            raise SiteChanged(f"CC answers 410: {told.get('code')}")
        return None if reply.status == 410 else told


def adapter() -> CcAdapter:
    return CcAdapter()


def _addresses(told: Mapping[str, Any], match: Match, options: Options) -> Iterator[Stream]:
    name, rate = str(told.get("vbrname_sel") or ""), whole(told, "vbr_sel") or 0
    for key, host in (("videourl", "cdn_sel"), ("bakvideourl", "bakcdn_sel")):
        url = str(told.get(key) or "")
        if not url.startswith("http"):
            continue
        yield match.stream(
            url,
            options,
            label=str(table(told, "vbrname_mapping").get(name) or name),
            level=_level(name),
            bitrate_bps=rate * 1000 or None,
            cdn=str(told.get(host) or ""),
        )


def _level(name: str) -> Level | None:
    return next((level for start, level in _LEVELS if name.startswith(start)), None)
