"""AcFun: channels of live.acfun.cn. One call tells of a channel, another, with a visitor's account, where its media are.

Sources of shapes: https://github.com/orzogc/acfundanmu, streamget's class for it, and
https://github.com/wzgrx/pure_live/blob/1c29f85d0d6753bbc47d8a4db3cbfaeeec3c2f27/spec/sites/acfun.md
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ouzel.base.errors import Blocked, ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, instant, peek, rows, table, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform

PLATFORM = Platform(
    name="acfun",
    title="AcFun",
    title_zh="AcFun直播",
    urls=(
        "live.acfun.cn/live/{user:int}",
        "live.acfun.cn/room/{user:int}",
        "acfun.cn/live/detail/{user:int}",
        "acfun.cn/u/{user:int}",
    ),
    example="https://live.acfun.cn/live/40740702",
    chain=("own", "streamget"),
    streams=("flv",),
    streamget="AcfunLiveStream",
    headers=(("Referer", "https://live.acfun.cn/"),),
    off_air=(r'(?s)\A(?=.*"result":\s*0\b)(?!.*"liveId").*"profile"',),
)
_HEADERS = dict(PLATFORM.headers)
_LEVELS: Mapping[str, Level] = {"BLUE_RAY": "bluray", "SUPER": "bluray", "HIGH": "uhd", "STANDARD": "hd"}
_OVER = 129004
_PAGE = 100
_PAGES = 20
_VISIT_S = 43200.0


class AcfunAdapter:
    """One channel; and, as all that are on air fit into one answer, any number of them."""

    name: AdapterName = "own"
    at_once = 1000

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        doc = site.get("https://live.acfun.cn/api/live/info", params={"authorId": user}, headers=_HEADERS).json()
        if whole(doc, "result") != 0:
            raise SiteChanged(f"AcFun answers {peek(doc, 'result')}: {peek(doc, 'error_msg') or ''}")
        who = table(doc, "user")
        if str(who.get("id")) == "0" or (who and not who.get("name")):
            raise ChannelGone(f"AcFun has no user {user}")
        identity, anchor, title = match.identity(user), dig(who, "name", want=str), str(peek(doc, "title") or "")
        if str(who.get("id")) != user:
            raise SiteChanged(f"AcFun tells of another user than {user}")
        if not peek(doc, "liveId"):  # that is how it says so, and then these are missing, too
            if peek(doc, "streamName") or peek(doc, "createTime"):
                raise SiteChanged("AcFun tells of something on air without a name for it")
            return Offline(identity, anchor, title)
        play = self._play(user, site)
        if play is None:
            return Offline(identity, anchor, title)
        began = peek(play, "liveStartTime") or peek(doc, "createTime")
        return Live(
            identity,
            anchor,
            tuple(_streams(dig(play, "videoPlayRes", want=str), match, options)),
            str(peek(play, "caption") or title),
            str(peek(doc, "type", "name") or ""),
            str(peek(doc, "coverUrls", 0) or ""),
            instant(began),
            dig(doc, "liveId", want=str),
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        """Of those that are in the site's list of all that are on air. Of others it says nothing: some are kept out of it."""
        wanted, found, cursor = set(ids), dict[str, Peek](), ""
        for _ in range(_PAGES):
            told = table(
                site.get(
                    "https://live.acfun.cn/api/channel/list",
                    params={"count": _PAGE, "pcursor": cursor},
                    headers=_HEADERS,
                ).json(),
                "channelListData",
            )
            if told.get("result") != 0:
                raise SiteChanged(f"AcFun answers {told.get('result')} where it listed who is on air")
            for each in dig(told, "liveList", want=list):
                if (user := str(peek(each, "authorId"))) in wanted:
                    found[user] = Peek(True, str(peek(each, "title") or ""), str(peek(each, "user", "name") or ""))
            cursor = str(told.get("pcursor") or "no_more")
            if cursor == "no_more":
                break
        return found

    def _play(self, user: str, site: Site) -> dict[str, Any] | None:
        """None: it says that the channel has just gone off air."""
        doc: Any = None
        for visitor in site.tokens("visitor", _VISIT_S, lambda: _visitor(site)):
            known: dict[str, Any] = json.loads(visitor)
            doc = site.post(
                "https://api.kuaishouzt.com/rest/zt/live/web/startPlay",
                params={"subBiz": "mainApp", "kpn": "ACFUN_APP", "kpf": "PC_WEB", **known},
                form={"authorId": user, "pullStreamType": "FLV"},
                headers={**_HEADERS, "Cookie": f"_did={known['did']}"},
            ).json()
            result = whole(doc, "result")
            if result == _OVER:
                return None
            if result == 1:
                return dig(doc, "data", want=dict)
        raise SiteChanged(f"AcFun answers {peek(doc, 'result')}: {peek(doc, 'error_msg') or ''}")


def adapter() -> AcfunAdapter:
    return AcfunAdapter()


def _visitor(site: Site) -> str:
    """A visitor's account, as the parameters with which it asks, in JSON."""
    device = f"web_{secrets.token_hex(8)}"
    doc = site.post(
        "https://id.app.acfun.cn/rest/app/visitor/login",
        form={"sid": "acfun.api.visitor"},
        headers={**_HEADERS, "Cookie": f"_did={device}"},
    ).json()
    if whole(doc, "result") not in {0, None}:
        raise Blocked(f"AcFun lets no visitor in: {peek(doc, 'result')} {peek(doc, 'error_msg') or ''}")
    ticket = dig(doc, "acfun.api.visitor_st", want=str)
    return json.dumps({"userId": dig(doc, "userId", want=int), "did": device, "acfun.api.visitor_st": ticket})


def _streams(text: str, match: Match, options: Options) -> Iterator[Stream]:
    """All qualities from all hosts, the best first."""
    try:
        manifest = rows(json.loads(text), "liveAdaptiveManifest")
    except ValueError:
        raise SiteChanged("AcFun writes its streams in another way") from None
    found = [each for host in manifest for each in rows(host, "adaptationSet", "representation")]
    shown = [each for each in found if str(peek(each, "url") or "").startswith("http") and not peek(each, "hidden")]
    for each in sorted(shown, key=lambda one: -int(peek(one, "level") or peek(one, "bitrate") or 0)):
        url, rate = str(each["url"]), whole(each, "bitrate") or 0
        yield match.stream(
            url,
            options,
            label=str(peek(each, "name") or peek(each, "qualityType") or ""),
            level=_LEVELS.get(str(peek(each, "qualityType"))),
            bitrate_bps=rate * 1000 or None,
        )
