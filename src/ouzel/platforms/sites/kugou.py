"""Kugou Fanxing: rooms of fanxing.kugou.com.

Source of shapes: https://github.com/wzgrx/pure_live (docs, E02 Kugou).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="kugou",
    title="Kugou Live",
    title_zh="酷狗直播",
    urls=(
        "fanxing.kugou.com/{room:int}",
        "fanxing2.kugou.com/{room:int}",
        "mfanxing.kugou.com/{room:int}",
        "fanxing.kugou.com/{..}?roomId={room:int}",
        "fanxing2.kugou.com/{..}?roomId={room:int}",
        "mfanxing.kugou.com/{..}?roomId={room:int}",
    ),
    example="https://fanxing.kugou.com/3197156",
    chain=("own",),
    streams=("flv", "hls"),
    streamget="KugouLiveStream",
    headers=(("Referer", "https://fanxing.kugou.com/"),),
)
_PICTURES = "https://p3.fx.kgimg.com"
_NOT_LIVE = -1
_CODECS: Mapping[int, str] = {1: "h264", 2: "hevc"}


class KugouAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        data = _data(
            site.get(
                "https://service2.fanxing.kugou.com/roomcen/room/web/cdn/getEnterRoomInfo",
                params={"roomId": room},
                headers=dict(PLATFORM.headers),
            ).json()
        )
        about = dig(data, "normalRoomInfo", want=dict)
        identity = match.identity(room)
        anchor, title = peek(about, "nickName") or "", peek(about, "privateMesg") or ""
        if not anchor and not peek(about, "kugouId"):
            raise ChannelGone(f"Kugou has no room {room}")
        kind = dig(data, "liveType", want=int)
        if kind == _NOT_LIVE:
            return Offline(identity, anchor, title)
        if (whole(about, "limitType") or 0) > 0:
            raise NeedsLogin(f"the room {room} is not for everybody")
        cover = peek(about, "imgPath") or ""
        return Live(
            identity,
            anchor,
            tuple(_streams(site, room, match, options)),
            title,
            cover=_PICTURES + cover if cover.startswith("/") else cover,
            broadcast=str(peek(data, "liveSessionId") or ""),
        )


def adapter() -> KugouAdapter:
    return KugouAdapter()


def _data(doc: object) -> dict[str, Any]:
    if whole(doc, "code") != 0:
        raise SiteChanged(f"Kugou answers {peek(doc, 'code')}: {peek(doc, 'msg')}")
    return dig(doc, "data", want=dict)


def _streams(site: Site, room: str, match: Match, options: Options) -> Iterator[Stream]:
    """From each line in FLV, and in HLS where it has that."""
    reply = site.get(
        "https://fx1.service.kugou.com/video/pc/live/pull/mutiline/streamaddr",
        params={
            "std_rid": room,
            "std_plat": 7,
            "std_kid": 0,
            "streamType": "1-2-4-5-8",
            "ua": "fx-flash",
            "targetLiveTypes": "1-5-6",
            "version": 1000,
            "supportEncryptMode": 1,
            "appid": 1010,
            "_": int(time.time() * 1000),
        },
        headers=dict(PLATFORM.headers),
    )
    doc = reply.json()
    if whole(doc, "code") == -1:
        raise NeedsLogin(f"the streams of the room {room} are for accounts")
    data = _data(doc)
    lines = dig(data, "lines", want=list)
    profiles = [profile for line in lines for profile in peek(line, "streamProfiles") or ()]
    for key in ("httpsFlv", "httpsHls"):
        for profile in profiles:
            url: str = peek(profile, key, 0) or ""
            if url:
                yield match.stream(
                    url,
                    options,
                    label="原画",
                    level="original",
                    height=whole(data, "height") or None,
                    codec=_CODECS.get(peek(profile, "codec") or 0, ""),
                )
