"""Shopee Live: the sellers and broadcasts of live.shopee.TLD, by its own web and app APIs.

Source of shapes: https://github.com/ihmily/DouyinLiveRecorder (get_shopee_stream_url); streamget, whose class has no page
to ask and is not asked; and the LAS specification (las-tech.org.cn) for its list of qualities. A link of its app names a
broadcast (`session`), the seller (`uid`), or both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ouzel.base.errors import Blocked, ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Reply, Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="shopee",
    title="Shopee Live",
    title_zh="Shopee直播",
    urls=(
        "live.shopee.{..}/{..}?uid={uid:int}",
        "live.shopee.{..}/{..}?session={session:int}",
        "{}.shp.ee/{..}?uid={uid:int}",
        "{}.shp.ee/{..}?session={session:int}",
    ),
    short=("{}.shp.ee/{code}", "shp.ee/{code}"),
    example="https://live.shopee.sg/share?from=live&session=802458&uid=1006401066",
    chain=("own",),
    streams=("flv",),
    access="cookie",
    proxy_advised=True,
    headers=(("Referer", "https://live.shopee.sg/"),),
    note="each country has its own host, and some of them want a cookie",
)
_LANDS = {"sg": "sg", "my": "com.my", "id": "co.id", "th": "co.th", "vn": "vn", "ph": "ph", "tw": "tw", "br": "com.br"}
_ON_AIR, _OVER = 1, 2
_REFUSED = 403


class ShopeeAdapter:
    """What a seller has on air, or a broadcast that was shared."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        host = _host(match.url)
        session, uid = match.named.get("session"), match.named.get("uid")
        if uid:
            told = _ok(site.get(f"{host}/api/v1/shop_page/live/ongoing", params={"uid": uid}, headers=_headers(host)))
            if "ongoing_live" not in told:
                raise SiteChanged("Shopee does not tell any more what a seller has on air")
            if told["ongoing_live"] is None:
                return Offline(match.identity(uid))
            session = str(dig(told, "ongoing_live", "session_id", want=int))
        assert session is not None  # one of them stands in every address
        reply = site.get(f"{host}/api/v1/session/{session}", headers=_headers(host), accept=(_REFUSED,))
        if reply.status == _REFUSED:
            return self._by_app(match, site, options, host, session)
        found = dig(_ok(reply), "session", want=dict)
        identity = match.identity(uid or found.get("uid") or session)
        anchor, title = found.get("nickname") or dig(found, "username", want=str), found.get("title") or ""
        status = whole(found, "status")
        if status == _OVER:
            return Offline(identity, anchor, title)
        if status != _ON_AIR:
            raise SiteChanged(f"Shopee tells of a state that is not known: {status!r}")
        return Live(
            identity,
            anchor,
            (match.stream(dig(found, "play_url", want=str), options, headers=_delivery(host), level="original"),),
            title,
            "",
            found.get("cover_pic") or "",
            instant(found, "start_time"),
            session,
        )

    def _by_app(self, match: Match, site: Site, options: Options, host: str, session: str) -> Live:
        """Where the page is refused, the app may still be told."""
        asked = {"session_ids": [int(session)], "quality_level_id": 0, "extra": "{}"}
        reply = site.post(f"{host}/api/v1/play_param/session", body=asked, headers=_headers(host))
        listed: list[Any] = dig(_ok(reply), "play_param_list", want=list)
        if not listed:
            raise Blocked(
                f"Shopee refuses to tell of broadcast {session}: it may want a cookie, or an address of its country"
            )
        who = dig(listed, 0, "session", want=dict)
        return Live(
            match.identity(match.named.get("uid") or session),
            who.get("nickname") or dig(who, "username", want=str),
            tuple(_streams(dig(listed, 0, "play_param", want=dict), host, match, options)),
            broadcast=session,
        )


def adapter() -> ShopeeAdapter:
    return ShopeeAdapter()


def _host(url: str) -> str:
    """Of the country: `live.shopee.co.th`; or of a short link, `th.shp.ee`."""
    name = (urlsplit(url).hostname or "").removeprefix("www.")
    if name.endswith(".shp.ee"):
        land = dict(parse_qsl(urlsplit(url).query)).get("region", name.partition(".")[0]).lower()
        name = f"live.shopee.{_LANDS.get(land, land)}"
    return f"https://{name}"


def _headers(host: str) -> dict[str, str]:
    return {"Referer": f"{host}/"}


def _delivery(host: str) -> tuple[tuple[str, str], ...]:
    """What its media servers want to see: the host of the country."""
    return ("Origin", host), ("Referer", f"{host}/")


def _ok(reply: Reply) -> dict[str, Any]:
    doc = dig(reply.json(), want=dict)
    code = doc.get("err_code") or doc.get("error") or 0
    if str(code) != "0":
        text = f"Shopee answers {code}: {doc.get('err_msg')}"
        raise ChannelGone(text) if "not exist" in str(doc.get("err_msg")).lower() else SiteChanged(text)
    return dig(doc, "data", want=dict)


def _streams(param: dict[str, Any], host: str, match: Match, options: Options) -> Iterator[Stream]:
    """Either all qualities, in a list of the LAS kind, or one of them from several hosts."""
    headers = _delivery(host)
    mpd = peek(param, "las_param", "mpd")
    listed: list[Any] = peek(json.loads(mpd), "adaptationSet", 0, "representation") or [] if mpd else []
    rates: list[int] = [whole(each, "maxBitrate") or 0 for each in listed]
    for rate, each in sorted(zip(rates, listed, strict=True), key=lambda pair: -pair[0]):
        for url in (peek(each, "url"), *(peek(each, "backupUrl") or ())):
            if url:
                yield match.stream(
                    url,
                    options,
                    headers=headers,
                    label=peek(each, "qualityTypeName") or "",
                    level="original" if rate == max(rates) else None,
                    height=whole(each, "height") or None,
                    bitrate_bps=rate * 1000 or None,
                )
    plain: list[str] = peek(param, "play_url_list") or []
    for url in plain:
        yield match.stream(url, options, headers=headers, level="original")
