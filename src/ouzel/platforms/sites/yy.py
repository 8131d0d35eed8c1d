"""YY: channels of yy.com, by its web page's own calls.

`liveInfoDetail` says `null` of a channel that is off air, of none at all, and of a short number; the channel's page tells
which. Streams come from the stream manager, which takes its JSON as `text/plain` only; some official channels it refuses,
and those have a mobile HLS.

Source of shapes: https://github.com/wzgrx/pure_live (docs, E02.1 YY).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from ouzel.base.errors import ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform
from ouzel.platforms.expiry import expiry_of

PLATFORM = Platform(
    name="yy",
    title="YY",
    title_zh="YY直播",
    urls=(
        "yy.com/{sid:int}",
        "yy.com/{sid:int}/{ssid:int}",
        "yy.com/mobileweb/{sid:int}",
        "yy.com/mobileweb/{sid:int}/{ssid:int}",
    ),
    example="https://www.yy.com/22490906/22490906",
    chain=("own",),
    streams=("flv", "hls"),
    streamget="YYLiveStream",
    headers=(("Referer", "https://www.yy.com/"),),
)
_STREAMS = "https://stream-manager.yy.com/v3/channel/streams"
_LEVELS: Mapping[int, Level] = {4: "bluray", 3: "uhd", 2: "hd", 1: "ld"}
_BEST = 4


class YyAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        sid = match["sid"]
        detail = _detail(site, sid)
        if detail is None:
            page = site.get(f"https://www.yy.com/{sid}")
            if "yycom_404" in page.text:
                raise ChannelGone(f"YY has no channel {sid}")
            asked, sid = sid, page.find(r'\bsid\s*:\s*"(\d+)"', "channel number")
            detail = _detail(site, sid) if sid != asked else None
            if detail is None:
                anchor = page.find(r'\bnick\s*:\s*"((?:[^"\\]|\\.)*)"', "name of the channel's owner")
                room = re.search(r'roomName\s*:\s*decodeURIComponent\("([^"]*)"\)', page.text)
                return Offline(match.identity(sid), anchor, unquote(room[1]) if room else "")
        return Live(
            match.identity(dig(detail, "sid", want=object)),
            dig(detail, "name", want=str),
            tuple(_streams(site, sid, str(peek(detail, "ssid") or sid), match, options)),
            peek(detail, "desc") or "",
            cover=peek(detail, "thumb2") or peek(detail, "thumb") or "",
            started_at=instant(detail, "startTime"),
        )


def adapter() -> YyAdapter:
    return YyAdapter()


def _detail(site: Site, sid: str) -> dict[str, Any] | None:
    """What is on air in a channel; None when nothing is, or there is no channel of this number."""
    doc = site.get(f"https://www.yy.com/api/liveInfoDetail/{sid}/{sid}/0", headers=dict(PLATFORM.headers)).json()
    if whole(doc, "resultCode") != 0 or "data" not in doc:
        raise SiteChanged(f"YY answers {peek(doc, 'resultCode')} for the channel {sid}")
    return None if doc["data"] is None else dig(doc, "data", want=dict)


def _streams(site: Site, sid: str, ssid: str, match: Match, options: Options) -> Iterator[Stream]:
    """The best quality by each host, then the others by one host each."""
    doc = _ask(site, sid, ssid, _BEST, -1)
    found = _Given.of(doc)
    if found is None:
        yield from _mobile(site, sid, ssid, match, options)
        return
    yield found.stream(match, options)
    for line in found.other_lines:
        if (more := _Given.of(_ask(site, sid, ssid, found.gear, line))) is not None and more.gear == found.gear:
            yield more.stream(match, options)
    for gear in sorted(found.gears, reverse=True):
        if (
            gear != found.gear
            and (more := _Given.of(_ask(site, sid, ssid, gear, -1))) is not None
            and more.gear == gear
        ):
            yield more.stream(match, options)


class _Given:
    """One stream that the stream manager gave."""

    def __init__(self, doc: object, key: str) -> None:
        self.url = dig(doc, "avp_info_res", "stream_line_addr", key, "cdn_info", "url", want=str)
        self.line = whole(doc, "avp_info_res", "stream_line_addr", key, "line_seq")
        lines = peek(doc, "avp_info_res", "stream_line_list", key, "line_infos") or ()
        self.other_lines = [n for each in lines if (n := whole(each, "line_seq")) not in (None, self.line)]
        self.gears: dict[int, dict[str, Any]] = {}
        self.gear = 0
        for each in dig(doc, "channel_stream_info", "streams", want=list):
            about = json.loads(peek(each, "json") or "{}")
            gear = whole(about, "gear_info", "gear")
            if not peek(each, "stream_key") or gear is None:
                continue  # sound, or a quality that is for the app alone
            self.gears.setdefault(gear, about)
            if each["stream_key"] == key:
                self.gear = gear

    @classmethod
    def of(cls, doc: object) -> _Given | None:
        """None when it gave nothing."""
        lines = peek(doc, "avp_info_res", "stream_line_addr")
        return cls(doc, next(iter(lines))) if lines else None

    def stream(self, match: Match, options: Options) -> Stream:
        about = self.gears.get(self.gear)
        return match.stream(
            self.url,
            options,
            expires_at=expiry_of(self.url, "t"),
            label=peek(about, "gear_info", "name") or "",
            level=_LEVELS.get(self.gear),
            height=whole(about, "height") or None,
            fps=whole(about, "fps") or None,
            bitrate_bps=(whole(about, "rate") or 0) * 1000 or None,
            codec="h264",
        )


def _ask(site: Site, sid: str, ssid: str, gear: int, line: int) -> object:
    now = time.time()
    reply = site.post(
        _STREAMS,
        params={
            "uid": 0,
            "cid": sid,
            "sid": ssid,
            "appid": 0,
            "sequence": int(now * 1000),
            "encode": "json",
        },
        headers={
            "Content-Type": "text/plain;charset=UTF-8",
            "Referer": f"https://www.yy.com/{sid}/{ssid}",
            "Origin": "https://www.yy.com",
        },
        body={
            "head": {
                "seq": int(now * 1000),
                "appidstr": "0",
                "bidstr": "121",
                "cidstr": sid,
                "sidstr": ssid,
                "uid64": 0,
                "client_type": 108,
                "client_ver": "5.23.0",
                "stream_sys_ver": 1,
                "app": "yylive_web",
                "playersdk_ver": "5.23.0",
                "thundersdk_ver": "0",
                "streamsdk_ver": "5.23.0",
            },
            "client_attribute": {
                "client": "web",
                "model": "web0",
                "os": "chrome",
                "osversion": "0",
                "width": "1920",
                "height": "1080",
                "client_type": 8,
                "h265": 0,
            },
            "avp_parameter": {
                "version": 1,
                "client_type": 8,
                "service_type": 0,
                "imsi": 0,
                "send_time": int(now),
                "line_seq": line,
                "gear": gear,
                "ssl": 1,
                "stream_format": 0,
            },
        },
    )
    return reply.json()


def _mobile(site: Site, sid: str, ssid: str, match: Match, options: Options) -> Iterator[Stream]:
    reply = site.get(
        f"https://interface.yy.com/hls/new/get/{sid}/{ssid}/1200",
        params={"source": "wapyy", "callback": ""},
        headers={"Referer": f"https://wap.yy.com/mobileweb/{sid}/{ssid}"},
    )
    doc = json.loads(reply.find(r"\((\{.*\})\)", "mobile stream"))
    url: str = peek(doc, "hls") or ""
    if not url:
        return
    yield match.stream(
        url,
        options,
        protocol="hls",
        label="流畅",
        level="ld",
        height=whole(doc, "height") or None,
    )
