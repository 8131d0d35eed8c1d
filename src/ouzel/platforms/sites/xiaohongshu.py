"""RedNote (Xiaohongshu): the shared pages of its broadcasts, and profiles while they show one.

The page carries its state as JavaScript. Each broadcast has a number of its own; a profile is followed as long as the site
shows it without an account.

Source of shapes: https://github.com/wzgrx/pure_live (docs, E02.7 Xiaohongshu), and streamget's class for profiles.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, RegionLocked, SiteChanged
from ouzel.model.live import Answer, Identity, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Reply, Site, dig, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="xiaohongshu",
    title="RedNote (Xiaohongshu)",
    title_zh="小红书直播",
    urls=(
        "xiaohongshu.com/livestream/{room:int}",
        "xiaohongshu.com/livestream/{}/{room:int}",
        "xiaohongshu.com/hina/livestream/{room:int}/{..}",
        "redelight.cn/hina/livestream/{room:int}/{..}",
        "xiaohongshu.com/user/profile/{user}",
        "xiaohongshu.com/{..}?host_id={user}",
    ),
    short=("xhslink.com/{code}", "xhslink.com/{}/{code}"),
    example="https://www.xiaohongshu.com/livestream/570459564696889177",
    chain=("own",),
    streams=("flv", "hls"),
    access="cookie",
    headers=(("Referer", "https://www.xiaohongshu.com/"),),
    note="each broadcast has an address of its own; without a cookie, profiles are shown to some only",
)
_PHONE = (
    "Mozilla/5.0 (Linux; Android 11; SM-G973U) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.141 Mobile"
    " Safari/537.36"
)
_APP = {
    "User-Agent": "ios/7.830 (ios 17.0; ; iPhone 15 (A2846/A3089/A3090/A3092))",
    "xy-common-params": "platform=iOS&sid=session.1722166379345546829388",
    "Referer": "https://app.xhs.cn/",
}
_UNDEFINED = re.compile(r'"(?:[^"\\]|\\.)*"|\bundefined\b')
_REGION = 4
"""Of the limits; 1 is a group, 2 a family."""


class XiaohongshuAdapter:
    """One broadcast, or what a profile shows."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room, user = match.named.get("room"), match.named.get("user")
        if room:
            headers = {**dict(PLATFORM.headers), "User-Agent": options.user_agent or _PHONE}
            page = _open(site, f"https://www.xiaohongshu.com/livestream/{room}", headers)
            return _told(match.identity(room), dig(_state(page), "liveStream", want=dict), match, options)
        page = _open(site, f"https://www.xiaohongshu.com/user/profile/{user}", _APP)
        identity, shown = match.identity(user), dig(_state(page), "liveStream", want=dict)
        if dig(
            shown, "roomData", "roomInfo", want=dict
        ):  # `liveStatus` alone says nothing: it is "success" from the start
            return _told(identity, shown, match, options)
        return Offline(identity, page.find(r"<title>@(.*?) 的个人主页</title>", "name of a profile"))


def adapter() -> XiaohongshuAdapter:
    return XiaohongshuAdapter()


def _open(site: Site, url: str, headers: dict[str, str]) -> Reply:
    """A page itself, and not what the site would rather show."""
    page = site.get(url, headers=headers, redirects=False)
    if page.status < 300:
        return page
    there = page.headers.get("location") or page.headers.get("Location") or ""
    if "captcha" in there:
        raise Blocked(f"RedNote asks whether we are human, for {url}", captcha=True)
    if "login" in there:
        raise NeedsLogin(f"RedNote shows {url} to accounts only")
    raise SiteChanged(f"RedNote leads from {url} to {there.split('?')[0]}")


def _state(page: Reply) -> Any:
    text = page.find(r"window\.__INITIAL_STATE__\s*=\s*(\{.*?\})\s*</script>", "state")
    try:
        return json.loads(_UNDEFINED.sub(lambda found: "null" if found[0] == "undefined" else found[0], text))
    except ValueError:
        raise SiteChanged(f"the state in {page.url.split('?')[0]} is not what it was") from None


def _told(identity: Identity, shown: dict[str, Any], match: Match, options: Options) -> Answer:
    if peek(shown, "pageStatus") == "error":
        raise ChannelGone(f"RedNote has no such broadcast: {peek(shown, 'errorMessage')}")
    data = dig(shown, "roomData", want=dict)
    info = dig(data, "roomInfo", want=dict)
    link = parse_qs(urlsplit(peek(info, "deeplink") or "").query)
    anchor = peek(data, "hostInfo", "nickName") or link.get("host_nickname", [""])[0]
    title = peek(info, "roomTitle") or ""
    status = (str(peek(info, "status") or ""), peek(shown, "liveStatus"))
    if status == ("3", "end"):
        return Offline(identity, anchor, title)
    if status != ("2", "success"):
        raise SiteChanged(f"RedNote gives the broadcast a status that is not known: {status}")
    if str(peek(info, "monetizeType") or 0) != "0":
        raise NeedsLogin("the broadcast has to be paid for")
    limits = {kind for kind in _list(peek(info, "joinLimitTypes")) if kind}
    if limits:
        kind = RegionLocked if _REGION in limits else NeedsLogin
        raise kind(f"the broadcast is not for everybody ({sorted(limits)})")
    streams = tuple(_pulled(info, match, options)) or tuple(_linked(link, match, options))
    room = str(peek(info, "roomId") or "")
    return Live(identity, anchor, streams, title, cover=peek(info, "roomCover") or "", broadcast=room)


def _pulled(info: object, match: Match, options: Options) -> Iterator[Stream]:
    """FLV before HLS, H.264 before HEVC; plain http, with no signature."""
    text = peek(info, "pullConfig") or "{}"
    config = json.loads(text) if isinstance(text, str) else text
    for codec in ("h264", "h265"):
        lines = [each for each in peek(config, codec) or () if peek(each, "master_url")]
        for line in sorted(lines, key=lambda each: ".m3u8" in each["master_url"]):
            yield match.stream(
                line["master_url"],
                options,
                level="original",
                label=peek(line, "quality_type_name") or peek(line, "quality_type") or "",
                height=whole(config, "height") or None,
                codec="hevc" if codec == "h265" else "h264",
            )


def _linked(link: dict[str, list[str]], match: Match, options: Options) -> Iterator[Stream]:
    """What older pages tell: one address, in the link that opens the app."""
    for url in link.get("flvUrl", []):
        yield match.stream(url, options, label="原画", level="original")


def _list(value: object) -> list[int]:
    """A list of numbers, which may be written as text."""
    numbers: Any = json.loads(value or "[]") if isinstance(value, str) else value
    return [int(each) for each in numbers or ()]
