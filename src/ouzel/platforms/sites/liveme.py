"""LiveMe: channels of liveme.com by their number, their account, or one broadcast. Its web page signs what it asks with MD5.

Source of shapes and of the signature: https://github.com/wzgrx/pure_live (docs, E03.8 LiveMe).
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from hashlib import md5
from typing import Any

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Reply, Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="liveme",
    title="LiveMe",
    title_zh="LiveMe",
    urls=(
        "liveme.com/livehot/streaming/{number:int}",
        "liveme.com/{}/livehot/streaming/{number:int}",
        "liveme.com/u/{user:int}",
        "liveme.com/{}/u/{user:int}",
        "liveme.com/v/{broadcast:int}/{..}",
        "liveme.com/{}/v/{broadcast:int}/{..}",
    ),
    example="https://www.liveme.com/livehot/streaming/209683072",
    chain=("own",),
    streams=("flv", "hls"),
    proxy_advised=True,
    streamget="LiveMeLiveStream",
    headers=(("Referer", "https://www.liveme.com/"), ("Origin", "https://www.liveme.com")),
)
_API = "https://live.liveme.com"
_GUEST = {"alias": "liveme", "tongdun_black_box": "1", "os": "web"}
_WEB_ID, _WEB_KEY = "LM6000101139961122666757", "dd46dbb442b6e4ba817d6347d2ddf493"
_LETTERS = "ABCDEFGHJKMNPQRSTWXYZabcdefhijkmnprstwxyz2345678"
_PAID = 7
_BLOCKED = {"401": "refused", "403": "refused", "420": "too many requests", "429": "too many requests"}


class LiveMeAdapter:
    """One channel; its identity is the number, which does not change."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        broadcast = match.named.get("broadcast", "")
        if broadcast:
            info = _broadcast(site, broadcast)
            if _is_live(info):
                return self._live(match, info, options)
            number = dig(info, "ushortid", want=object)
        elif user := match.named.get("user"):
            number = dig(_profile(site, user), "short_id", want=object)
        else:
            number = match["number"]
        on = _data(
            site.get(
                f"{_API}/liveme_ent/v1/user/uid_vid_by_short_id",
                params={**_guest(), "short_id": number},
                headers=dict(PLATFORM.headers),
            )
        )
        video = str(dig(on, "vid", want=object))
        if video and _is_live(info := _broadcast(site, video)):
            return self._live(match, info, options)
        profile = _profile(site, str(dig(on, "uid", want=object)))
        return Offline(match.identity(number), peek(profile, "nickname") or peek(profile, "uname") or "")

    def _live(self, match: Match, info: Mapping[str, Any], options: Options) -> Live:
        if _number(info, "ispvt") == 1:
            raise NeedsLogin("the broadcast is private")
        if _number(info, "livebptype") == _PAID:
            raise NeedsLogin("the broadcast has to be paid for")
        began = _number(info, "vtime")
        return Live(
            match.identity(dig(info, "ushortid", want=object)),
            dig(info, "uname", want=str),
            tuple(_streams(info, match, options)),
            peek(info, "title") or "",
            cover=peek(info, "videocapture") or peek(info, "smallcover") or "",
            started_at=instant(began),
            broadcast=str(peek(info, "vid") or ""),
        )


def adapter() -> LiveMeAdapter:
    return LiveMeAdapter()


def _data(reply: Reply) -> dict[str, Any]:
    doc = reply.json()
    status, message = str(peek(doc, "status") or ""), peek(doc, "msg") or ""
    if status in {"400", "404"} or (status == "500" and "not exist" in message):
        raise ChannelGone(f"LiveMe has no such channel: {message}")
    if status in _BLOCKED:
        raise Blocked(f"LiveMe answers {status}: {_BLOCKED[status]}")
    if status != "200":
        raise SiteChanged(f"LiveMe answers {status}: {message}")
    return dig(doc, "data", want=dict)


def _profile(site: Site, user: str) -> dict[str, Any]:
    reply = site.get(f"{_API}/user/getinfo", params={**_guest(), "userid": user}, headers=dict(PLATFORM.headers))
    return dig(_data(reply), "user", "user_info", want=dict)


def _broadcast(site: Site, video: str) -> dict[str, Any]:
    stamp = _now_ms() + "1"
    form = {
        "_time": _now_ms(),
        "thirdchannel": "6",
        "videoid": video,
        "area": "en",
        "vali": _vali(),
        "lm_s_id": _WEB_ID,
        "lm_s_ts": stamp,
        "lm_s_str": _md5(stamp),
        "lm_s_ver": "1",
        "h5": "1",
    }
    reply = site.post(
        f"{_API}/live/queryinfosimple",
        params=_GUEST,
        form=form,
        headers={**dict(PLATFORM.headers), "lm-s-sign": signature({**_GUEST, **form})},
    )
    info = dig(_data(reply), "video_info", want=dict)
    if str(peek(info, "vid")) != video:
        raise SiteChanged(f"LiveMe was asked for the broadcast {video}, and tells of {peek(info, 'vid')}")
    return info


def _is_live(info: Mapping[str, Any]) -> bool:
    online, states = _number(info, "online"), {_number(info, "status"), _number(info, "roomstate")}
    if online == 1 and states == {0}:
        return True
    if online == 0 or (states - {0, None}):
        return False
    raise SiteChanged(f"LiveMe gives the broadcast a state that is not known: {online}, {states}")


def _number(data: object, key: str) -> int | None:
    """A number, which is written as text there."""
    value = str(peek(data, key) or 0)
    return int(value) if value.lstrip("-").isdigit() and peek(data, key) is not None else None


def _streams(info: Mapping[str, Any], match: Match, options: Options) -> Iterator[Stream]:
    for key, label in (("videosource", "原画"), ("hlsvideosource", "原画"), ("smallsource", "流畅")):
        url: str = peek(info, key) or ""
        if not url:
            continue
        yield match.stream(
            url,
            options,
            label=label,
            level="original" if label == "原画" else "ld",
            height=360 if label == "流畅" else None,
            codec="h264",
        )


def _guest() -> dict[str, str]:
    return {**_GUEST, "_time": _now_ms(), "h5": "1", "thirdchannel": "6"}


def _now_ms() -> str:
    return str(int(time.time() * 1000))


def _vali() -> str:
    """Letters of chance, in the form that the page sends."""
    return "l".join((_some(4), _some(4))) + "m" + _some(5)


def _some(count: int) -> str:
    return "".join(random.choice(_LETTERS) for _ in range(count))


def signature(fields: Mapping[str, str]) -> str:
    """Of all that is sent: its names and values in order, then the page's id, the time stamp, and the page's key."""
    text = "".join(name + value for name, value in sorted(fields.items()))
    return _md5(text + _WEB_ID + fields["lm_s_ts"] + _WEB_KEY)


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
