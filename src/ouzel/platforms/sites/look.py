"""LOOK: rooms of look.163.com, NetEase Cloud Music's live site, with picture or with sound alone.

Its calls take what all of NetEase's web pages send: JSON, encrypted twice with AES, the second key encrypted with RSA.

Source of shapes: https://github.com/wzgrx/pure_live (docs, E02.13 LOOK).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="look",
    title="LOOK",
    title_zh="网易LOOK直播",
    urls=("look.163.com/live?id={room:int}", "look.163.com/live/{room:int}"),
    example="https://look.163.com/live?id=21623631",
    chain=("own",),
    streams=("flv", "hls"),
    streamget="LookLiveStream",
    headers=(("Referer", "https://look.163.com/"), ("Origin", "https://look.163.com")),
)
_LIVE = 1
_NOT_LIVE = frozenset({0, -1, -2})
_BANNED = frozenset({-4, -10})
_REFUSED = frozenset({424, 520, 522, 555})
_SOUND = 2
_APP_ONLY = 50
_NONCE, _KEY, _IV = b"0CoJUm6Qyw8W8jud", b"0123456789abcdef", b"0102030405060708"
_MODULUS = int(
    "00e0b509f6259df8642dbc35662901477df22677ec152b5ff68ace615bb7b725152b3ab17a876aea8a5aa76d2e417629ec4ee341f56135fc"
    "cf695280104e0312ecbda92557c93870114af6c9d05c4f7f0c3685b7a46bee255932575cce10b424d813cfe4875d3e82047b97ddef52741d"
    "546b8e289dc6935b3ece0462db0a22b8e7",
    16,
)


class LookAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        reply = site.post(
            "https://api.look.163.com/weapi/livestream/room/get/v3",
            form=sealed({"liveRoomNo": room}),
            headers=dict(PLATFORM.headers),
        )
        doc = reply.json()
        code = whole(doc, "code")
        if code == 404:
            raise ChannelGone(f"LOOK has no room {room}")
        if code in _REFUSED:
            raise Blocked(f"LOOK answers {code}: {peek(doc, 'message')}")
        if code != 200:
            raise SiteChanged(f"LOOK answers {code}: {peek(doc, 'message')}")
        data = dig(doc, "data", want=dict)
        identity = match.identity(room)
        anchor, title = dig(data, "anchor", "nickName", want=str), peek(data, "roomInfo", "title") or ""
        status = dig(data, "liveStatus", want=int)
        if status in _NOT_LIVE:
            return Offline(identity, anchor, title)
        if status in _BANNED:
            raise ChannelGone(f"LOOK has banned the room {room}")
        if status != _LIVE:
            raise SiteChanged(f"LOOK gives the room {room} a status that is not known: {status}")
        info = dig(data, "roomInfo", want=dict)
        if peek(info, "liveStreamType") == _APP_ONLY and not peek(info, "liveUrl"):
            raise NeedsLogin(f"the room {room} is for the app alone")
        if peek(data, "feeInfo", "fee") and not peek(data, "feeInfo", "sessionKey"):
            raise NeedsLogin(f"the room {room} has to be paid for")
        return Live(
            identity,
            anchor,
            tuple(_streams(info, match, options)),
            title,
            "声音直播" if peek(info, "liveType") == _SOUND else "视频直播",
            peek(info, "liveCoverUrl") or "",
            instant(info, "startTime"),
            str(peek(info, "id") or ""),
        )


def adapter() -> LookAdapter:
    return LookAdapter()


def _streams(info: object, match: Match, options: Options) -> Iterator[Stream]:
    sound = peek(info, "liveType") == _SOUND
    for key in ("httpPullUrl", "hlsPullUrl"):
        url: str = peek(info, "liveUrl", key) or ""
        if url:
            yield match.stream(
                url,
                options,
                label="原画",
                level="audio" if sound else "original",
                codec="" if sound else "h264",
            )


def sealed(fields: dict[str, str]) -> dict[str, str]:
    text = json.dumps(fields, separators=(",", ":")).encode()
    for key in (_NONCE, _KEY):
        text = base64.b64encode(_encrypted(text, key))
    key_number = pow(int.from_bytes(_KEY[::-1], "big"), 0x10001, _MODULUS)
    return {"params": text.decode(), "encSecKey": format(key_number, "0256x")}


def _encrypted(text: bytes, key: bytes) -> bytes:
    padder = PKCS7(128).padder()
    aes = Cipher(algorithms.AES(key), modes.CBC(_IV)).encryptor()
    return aes.update(padder.update(text) + padder.finalize()) + aes.finalize()
