"""Kuaishou: channels of live.kuaishou.com, by what the page of one carries for its own scripts (`__INITIAL_STATE__`).

An address that has asked too often gets the same page, without the channel and with an error of its own. Sources of shapes:
https://github.com/nICEnnnnnnnLee/BilibiliLiveRecorder/issues/138, https://github.com/biliup/biliup/blob/master/biliup/plugins/kuaishou.py,
streamget's class for it, and
https://github.com/wzgrx/pure_live/blob/73c99a6e4659c22521e152eb7e8d80f3be1ee32b/spec/sites/kuaishou.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Reply, Site, dig, instant, peek, rows, table, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="kuaishou",
    title="Kuaishou",
    title_zh="快手直播",
    urls=(
        "live.kuaishou.com/u/{user}",
        "live.kuaishou.com/profile/{user}",
        "live.kuaishou.cn/u/{user}",
        "kuaishou.com/profile/{user}",
        "m.gifshow.com/fw/live/{user}",
        "{}.m.chenzhongtech.com/fw/live/{user}",
        "chenzhongtech.com/fw/live/{user}",
    ),
    short=("v.kuaishou.com/{code}",),
    example="https://live.kuaishou.com/u/3xgw4a6r5eiu4nu",
    chain=("own", "streamget"),
    streams=("flv",),
    access="cookie",
    streamget="KwaiLiveStream",
    headers=(("Origin", "https://live.kuaishou.com"), ("Referer", "https://live.kuaishou.com/")),
    off_air=(r'"(?:isLiving|living)":\s*false',),
    note="refuses who asks often; a fresh cookie of live.kuaishou.com helps, an old one does harm",
)
_LIVE = "https://live.kuaishou.com"
_STATE = re.compile(r"window\.__INITIAL_STATE__\s*=\s*(?=\{)")
_UNDEFINED = re.compile(r'"(?:[^"\\]|\\.)*"|\bundefined\b')
_NO_SUCH, _TOO_OFTEN = 22, 2
_LEVELS: Mapping[str, Level] = {
    "WQHD_2K": "original",
    "BLUE_RAY": "bluray",
    "SUPER": "bluray",
    "HIGH": "uhd",
    "STANDARD": "hd",
}
_CODECS = {"h264": "h264", "avc": "h264", "hevc": "hevc", "h265": "hevc"}


class KuaishouAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        reply = site.get(
            f"{_LIVE}/u/{user}",
            headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "zh-CN,zh;q=0.9"},
        )
        shown = table(_state(reply), "liveroom", "playList", 0)
        _refused(shown, user)
        author = dig(shown, "author", want=dict)
        if peek(author, "bannedStatus", "banned") is True:
            raise ChannelGone(f"Kuaishou has banned {user}")
        identity, anchor = match.identity(dig(author, "id", want=str)), str(author.get("name") or "")
        stream = dig(shown, "liveStream", want=dict)
        title = str(stream.get("caption") or "")
        if not _is_on(dig(shown, "isLiving", want=object)):
            if not stream:  # nothing is told of the channel: the page of who has asked too often
                raise Blocked("Kuaishou shows a page without the channel")
            return Offline(identity, anchor, title)
        if stream.get("privateLive") is True:
            raise NeedsLogin(f"{user} is on air on Kuaishou for some only")
        return Live(
            identity,
            anchor,
            tuple(_streams(stream.get("playUrls"), match, options)),
            title,
            str(peek(shown, "gameInfo", "name") or ""),
            str(stream.get("poster") or stream.get("coverUrl") or ""),
            instant(stream, "startTime"),
            str(stream.get("id") or ""),
        )


def adapter() -> KuaishouAdapter:
    return KuaishouAdapter()


def _state(reply: Reply) -> dict[str, Any]:
    """What the page's scripts begin with: JSON, but for values that are `undefined`."""
    found = _STATE.search(reply.text)
    if found is None:
        raise SiteChanged("the page of Kuaishou carries no state any more")
    text = _UNDEFINED.sub(lambda word: "null" if word[0] == "undefined" else word[0], reply.text[found.end() :])
    try:
        return cast("dict[str, Any]", json.JSONDecoder().raw_decode(text)[0])
    except ValueError:
        raise SiteChanged("the page of Kuaishou carries its state in another way") from None


def _refused(shown: Mapping[str, Any], user: str) -> None:
    """Raises: what the page says instead of showing the channel."""
    error = table(shown, "errorType")
    if not error:
        return
    kind, said = error.get("type"), f"{error.get('title') or ''} {error.get('content') or ''}".strip()
    if kind == _NO_SUCH:
        raise ChannelGone(f"Kuaishou has no {user}: {said}")
    if kind == _TOO_OFTEN or "过快" in said or "频繁" in said or "稍后" in said:
        raise Blocked(f"Kuaishou wants fewer requests: {said}")
    if "登录" in said:
        raise NeedsLogin(f"Kuaishou shows {user} to some only: {said}")
    raise SiteChanged(f"Kuaishou answers {kind}: {said}")


def _is_on(told: object) -> bool:
    """Raises: SiteChanged when it is no way to say yes or no."""
    word = str(told).lower()
    if word not in {"true", "false", "1", "0"}:
        raise SiteChanged(f"Kuaishou says {told!r} where it said whether a channel is on air")
    return word in {"true", "1"}


def _streams(told: object, match: Match, options: Options) -> Iterator[Stream]:
    """All qualities, the best first; H.264 before HEVC. The site writes them by codec, or as a list without."""
    by_codec = table(told) or {"": rows(told, 0, "adaptationSet", "representation")}
    for name, each in sorted(by_codec.items(), key=lambda pair: pair[0] not in {"h264", "avc"}):
        found = rows(each) or rows(each, "adaptationSet", "representation")
        for quality in sorted(found, key=lambda one: -int(peek(one, "level") or peek(one, "bitrate") or 0)):
            url = str(peek(quality, "url") or "")
            if url.startswith(("http://", "https://")):
                yield _stream(url, name, quality, match, options)


def _stream(url: str, codec: str, quality: Any, match: Match, options: Options) -> Stream:
    rate, kind = whole(quality, "bitrate") or 0, str(peek(quality, "qualityType") or "")
    return match.stream(
        url,
        options,
        label=" ".join(str(peek(quality, "name") or peek(quality, "shortName") or kind).split()),
        level=_LEVELS.get(kind),
        bitrate_bps=rate * 1000 or None,
        codec=_CODECS.get(codec) or ("hevc" if "hevc" in url.lower() else "h264" if "avc" in url.lower() else ""),
    )
