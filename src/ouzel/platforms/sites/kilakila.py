"""KilaKila (克拉克拉, once 红豆 Live): voices before a still picture, by the calls of its own pages.

Source of shapes: https://github.com/wzgrx/pure_live/blob/master/spec/sites/kilakila.md (samples of September 2026), and biliup.
The numbers of rooms change with each broadcast; what stays is the number of who speaks. Links that its app shares have the number
sealed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Reply, Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="kilakila",
    title="KilaKila",
    title_zh="克拉克拉",
    urls=(
        "live.kilakila.cn/zhubo/{user:int}",
        "live.hongrenshuo.com.cn/index/roomuser/uid/{user:int}",
        "live.kilakila.cn/PcLive/index/detail?id={room:int}",
        "live.kilakila.cn/room/{room:int}",
        "hongdoufm.com/room/{room:int}",
        "live.hongrenshuo.com.cn/index/roomuser/uid/{user:any}",
        "live.kilakila.cn/PcLive/index/detail?_specific_parameter={room:any}",
        "live.kilakila.cn/room/{room:any}",
        "hongdoufm.com/room/{room:any}",
    ),
    example="https://live.kilakila.cn/zhubo/3674092253247",
    chain=("own",),
    streams=("flv", "hls"),
    headers=(("Referer", "https://live.kilakila.cn/"),),
)
_ON_AIR, _OVER = 4, 10
_NO_USER, _NO_ROOM = 1013, 5201
_SEAL_KEYS, _SEAL_START = (b"7cdyGRc6Sa93ilPt", b"c98be79a4347bc97"), b"93x0ue23c2c9h8km"
"""Public constants of the site's script for links."""


class KilakilaAdapter:
    """One voice."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        if "user" in match.named:
            user = _unsealed(match["user"])
        else:
            user = str(dig(self._room(site, _unsealed(match["room"])), "uid", want=int))
        owner = self._owner(site, user)
        identity, anchor = match.identity(user), dig(owner, "userResp", "nickname", want=str)
        card: dict[str, Any] = dig(owner, "liveCard", want=dict)
        number = card.get("roomIdStr")
        if not number or whole(card, "status") == _OVER:
            return Offline(identity, anchor, card.get("title") or "")
        if whole(card, "status") != _ON_AIR:
            raise SiteChanged(f"KilaKila has a room in state {card.get('status')}")
        room = self._room(site, number)
        title = peek(room, "title") or card.get("title") or ""
        if dig(room, "status", want=int) == _OVER:
            return Offline(identity, anchor, title)
        if (whole(room, "goldPrice") or 0) > 0:
            raise NeedsLogin(f"{anchor} sells tickets for this room")
        began = card.get("actualTime") or card.get("liveStartTime")
        return Live(
            identity,
            anchor,
            tuple(_streams(room, match, options)),
            title,
            cover=card.get("backPic") or "",
            started_at=instant(began),
            broadcast=str(number),
        )

    def _owner(self, site: Site, user: str) -> dict[str, Any]:
        doc = self._ask(site, "https://live.hongrenshuo.com.cn/Tg/personalH5", uid=user).json()
        code = dig(doc, "code", want=int)
        if code == _NO_USER:
            raise ChannelGone(f"KilaKila has no user {user}")
        if code != 200:
            raise SiteChanged(f"KilaKila answers {code} to a question for a user")
        return dig(doc, "data", want=dict)

    def _room(self, site: Site, number: str) -> dict[str, Any]:
        doc = self._ask(site, "https://live.kilakila.cn/LiveRoom/getRoomInfo", roomId=number).json()
        code = dig(doc, "h", "code", want=int)
        if code == _NO_ROOM:
            raise ChannelGone(f"KilaKila has no room {number} any more; the page of the user stays valid")
        if code != 200:
            raise SiteChanged(f"KilaKila answers {code} to a question for a room")
        return dig(doc, "b", want=dict)

    def _ask(self, site: Site, url: str, **given: object) -> Reply:
        return site.get(url, params=given, headers=dict(PLATFORM.headers))


def adapter() -> KilakilaAdapter:
    return KilakilaAdapter()


def _streams(room: Any, match: Match, options: Options) -> Iterator[Stream]:
    for name in ("flvPlayUrl", "hlsPlayUrl"):
        if url := peek(room, name):
            yield match.stream(url, options, label="原画", level="original", codec="h264")


def _unsealed(text: str) -> str:
    """The number in a link, or what is sealed in one: AES of `NUMBER?…&sign=…` or of `id=NUMBER&…`. Raises: ChannelGone."""
    if text.isdigit():
        return text
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    for key in _SEAL_KEYS:
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            reader = Cipher(AES(key), CBC(_SEAL_START)).decryptor()
            plain = (reader.update(sealed) + reader.finalize()).decode("utf-8")
        except ValueError:
            continue
        if found := re.match(r"(?:id=)?(\d+)(?:[?&]|$)|.*?&id=(\d+)&", plain):
            return found[1] or found[2]
    raise ChannelGone("this link of KilaKila is damaged: its number cannot be read")
