"""JD Live: the authors and broadcasts that the app of JD shares, by its own API.

Source of shapes: what streamget knows of it, and https://github.com/liuchuancong/pure_live (its notes on jdlive). States of a
broadcast: 0 announced, 1 on air, 2 over, 3 to be seen again, 10 and 11 paused; one that never was is in state 3, too. The answer
does not say who is on air. The gateway looks at how it is greeted.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged, SiteError
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Protocol_, Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="jd",
    title="JD Live",
    title_zh="京东直播",
    urls=(
        "eco.m.jd.com/{..}?authorId={author}",
        "lives.jd.com/{..}?authorId={author}",
        "lives.jd.com/{..}?id={live:int}",
        "lives.jd.com/",
    ),
    short=("3.cn/{code}",),
    example="https://eco.m.jd.com/content/dr_home/index.html?authorId=644894",
    chain=("own", "streamget"),
    streams=("hls", "flv"),
    streamget="JDLiveStream",
    browser_tls=True,
    headers=(("Referer", "https://lives.jd.com/"),),
    off_air=(r'"status":\s*(?!1\b)\d', r'(?s)\A(?!.*livingRoomJump).*"talentName"'),
)
_API = "https://api.m.jd.com"
_ON_AIR, _NOT_ON_AIR = 1, {0, 2, 3, 10, 11}
_ADDRESSES: tuple[tuple[str, Protocol_], ...] = (("h5VideoUrl", "hls"), ("videoUrl", "flv"), ("pcVideoUrl", "flv"))


class JdAdapter:
    """What an author has on air, or a broadcast that was shared."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        author, anchor = match.named.get("author"), ""
        if author:
            told = dig(
                _form(site, "talent_head_findTalentMsg", authorId=author, monitorSource="1", userId=""), want=dict
            )
            anchor = dig(told, "result", "talentName", want=str)
            if not peek(told, "result", "livingRoomJump"):
                return Offline(match.identity(author), anchor)
            live = str(dig(told, "result", "livingRoomJump", "params", want=dict).get("id") or "")
        else:
            live = match.named.get("live") or _in_fragment(match.url)
        told = self._play(site, live)
        identity = match.identity(author or live)
        status = dig(told, "status", want=int)
        if status in _NOT_ON_AIR:
            return Offline(identity, anchor)
        if peek(told, "secret") in {1, "1"}:
            raise NeedsLogin(f"JD shows broadcast {live} in its app alone")
        if status != _ON_AIR:
            raise SiteChanged(f"JD tells of a state that is not known: {status}")
        return Live(
            identity,
            anchor or live,
            tuple(_streams(told, match, options)),
            _title(site, author) if author else "",
            "",
            peek(told, "blurredImg") or "",
            broadcast=live,
        )

    def _play(self, site: Site, live: str) -> dict[str, Any]:
        params = {
            "appid": "h5-live",
            "functionId": "getImmediatePlayToM",
            "t": int(time.time() * 1000),
            "body": json.dumps({"liveId": live}),
        }
        doc = site.get(f"{_API}/api", params=params, headers=dict(PLATFORM.headers)).json()
        code, subcode = str(peek(doc, "code")), str(peek(doc, "subCode") or "0")
        if code != "0":
            raise SiteChanged(f"JD answers {code}: {peek(doc, 'echo') or peek(doc, 'message')}")
        if subcode != "0":
            raise ChannelGone(f"JD has no broadcast {live}: {subcode}")
        told = dig(doc, "data", want=dict)
        if str(told.get("liveId")) != live:
            raise SiteChanged(f"JD was asked for broadcast {live}, and tells of {told.get('liveId')}")
        return told


def adapter() -> JdAdapter:
    return JdAdapter()


def _form(site: Site, function: str, **body: object) -> object:
    form = {"functionId": function, "appid": "dr_detail", "body": json.dumps(body)}
    return site.post(f"{_API}/{function}", form=form, headers=dict(PLATFORM.headers)).json()


def _title(site: Site, author: str) -> str:
    """It stands elsewhere; to record, nobody needs it."""
    asked = {
        "authorId": author,
        "type": 1,
        "userId": "",
        "page": 1,
        "offset": "-1",
        "monitorSource": "1",
        "pageSize": 1,
    }
    try:
        return peek(_form(site, "jdTalentContentList", **asked), "result", "content", 0, "title") or ""
    except SiteError:
        return ""


def _streams(told: object, match: Match, options: Options) -> Iterator[Stream]:
    for name, protocol in _ADDRESSES:
        if url := peek(told, name):
            yield match.stream(url, options, protocol=protocol, level="original")


def _in_fragment(url: str) -> str:
    """`lives.jd.com/#/12345?origin=30`."""
    found = re.search(r"#/(\d+)", url)
    if found is None:
        raise ChannelGone(f"{url} names no author and no broadcast")
    return found[1]
