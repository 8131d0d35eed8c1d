"""Baidu Live: broadcasts of live.baidu.com. Each broadcast has a number of its own.

Source of shapes: https://github.com/wzgrx/pure_live (docs, E02 Baidu).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Level, Stream
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="baidu",
    title="Baidu Live",
    title_zh="百度直播",
    urls=(
        "live.baidu.com/m/room/{room:int}",
        "live.baidu.com/{..}?room_id={room:int}",
    ),
    example="https://live.baidu.com/m/media/pclive/pchome/live.html?room_id=11560887291",
    chain=("own",),
    streams=("flv", "hls"),
    streamget="BaiduLiveStream",
    headers=(("Referer", "https://live.baidu.com/"),),
    note="each broadcast has an address of its own",
)
_LIVE = 0
_NOT_LIVE = frozenset({-1, 1, 2, 3, 20})
"""Announced (-1, 1), or over."""
_NO_SUCH_ROOM = frozenset({1, 4})
_KEYS = {"avc_flv": "h264", "flv": "h264", "hls": "h264", "hevc_flv": "hevc"}
_DEVICE = "h5-683e85bdf741bf2492586f7ca39bf465"


class BaiduAdapter:
    """One broadcast."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        data = _room(site, room)
        identity = match.identity(room)
        anchor = peek(data, "host", "nick_name") or peek(data, "host", "name") or ""
        title = peek(data, "video", "title") or ""
        status = _number(data, "status")
        if status in _NOT_LIVE:
            return Offline(identity, anchor, title)
        if status != _LIVE:
            raise SiteChanged(f"Baidu gives the broadcast {room} a status that is not known: {status}")
        if _number(data, "has_pay_service", 0) > 0:
            raise NeedsLogin(f"the broadcast {room} has to be paid for")
        if _number(data, "is_forbidden_url", 0) > 0 or _number(data, "ban_status", 0) > 0:
            raise ChannelGone(f"Baidu has banned the broadcast {room}")
        cover = peek(data, "video", "cover")
        return Live(
            identity,
            anchor,
            tuple(_streams(dig(data, "video", want=dict), match, options)),
            title,
            peek(data, "category") or "",
            peek(cover, "cover_100") or peek(cover, "vertical_cover") or "",
            broadcast=room,
        )


def adapter() -> BaiduAdapter:
    return BaiduAdapter()


def _room(site: Site, room: str) -> dict[str, Any]:
    asked = {
        "data": {"room_id": room, "device_id": _DEVICE, "source_type": 0},
        "replay_slice": 0,
        "nid": "",
        "schemeParams": {"src_pre": "pc", "src_suf": "other", "shareTaskInfo": json.dumps({"room_id": room})},
    }
    reply = site.get(
        "https://mbd.baidu.com/searchbox",
        params={
            "cmd": 371,
            "action": "star",
            "service": "bdbox",
            "osname": "pc",
            "data": json.dumps(asked, separators=(",", ":")),
            "ua": "360_740_ANDROID_0",
            "bd_vid": "",
            "uid": _DEVICE,
            "_": int(time.time() * 1000),
        },
        headers=dict(PLATFORM.headers),
    )
    doc = reply.json()
    if _number(doc, "errno") != 0:
        raise SiteChanged(f"Baidu answers {peek(doc, 'errno')}: {peek(doc, 'errmsg')}")
    told = dig(doc, "data", want=dict)
    if "371" in told and told["371"] is None:
        raise ChannelGone(f"Baidu has no broadcast {room}")
    data = dig(told, "371", want=dict)
    code = _number(data, "error_code", 0)
    if code in _NO_SUCH_ROOM:
        raise ChannelGone(f"Baidu has no broadcast {room}: {peek(data, 'error_msg') or code}")
    if code != 0:
        raise SiteChanged(f"Baidu answers {code}: {peek(data, 'error_msg')}")
    return data


def _number(data: object, key: str, default: int | None = None) -> int:
    """A number, which may be written as text. Raises: SiteChanged when it is none."""
    value = peek(data, key)
    if default is not None and value in (None, ""):
        return default
    try:
        return int(str(value))
    except ValueError:
        raise SiteChanged(f"the answer has {value!r} at {key}, not a number") from None


def _streams(video: object, match: Match, options: Options) -> Iterator[Stream]:
    """The original, then by height; FLV before HLS. The addresses are plain http: the certificates of these hosts are broken."""
    for url in dict.fromkeys(peek(video, key) for key in ("avc_url", "play_url", "live_hls_url_origin")):
        if url:
            yield match.stream(url, options, label="原画", level="original", codec="h264")
    if hevc := peek(video, "hevc_url"):
        yield match.stream(hevc, options, label="原画", level="original", codec="hevc")
    by_height: dict[int, list[tuple[str, str]]] = {}
    for each in [*(peek(video, "url_clarity_list") or ()), *(peek(video, "url_list") or ())]:
        hosts: Any = peek(each, "urls") or ()
        if isinstance(hosts, dict):
            hosts = [hosts]
        found = [(peek(host, key), codec) for key, codec in _KEYS.items() for host in hosts]
        by_height.setdefault(_number(each, "resolution", 0), []).extend(one for one in found if one[0])
    for height, urls in sorted(by_height.items(), reverse=True):
        for url, codec in dict.fromkeys(urls):
            label = f"{height}p" if height else ""
            yield match.stream(url, options, label=label, level=_level(height), height=height or None, codec=codec)


def _level(height: int) -> Level | None:
    return (
        "bluray" if height >= 1080 else "uhd" if height >= 720 else "hd" if height >= 540 else "sd" if height else None
    )
