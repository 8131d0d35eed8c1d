"""Maoer FM: rooms of fm.missevan.com, with sound alone (the picture of 16 by 16 points in the streams is a placeholder).

Source of shapes: https://github.com/wzgrx/pure_live (docs, E02.4 Maoer FM).
"""

from __future__ import annotations

from collections.abc import Iterator

from ouzel.base.errors import ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site, dig, instant, peek, whole
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="missevan",
    title="Maoer FM",
    title_zh="猫耳FM直播",
    urls=("fm.missevan.com/live/{room:int}", "missevan.com/live/{room:int}"),
    example="https://fm.missevan.com/live/868895007",
    chain=("own",),
    streams=("flv", "hls"),
    sound_only=True,
    streamget="MaoerLiveStream",
    headers=(("Referer", "https://fm.missevan.com/"),),
)
_NO_SUCH_ROOM = 500030004
_NO_COVER = "avatars/icon01.png"


class MissevanAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        reply = site.get(
            f"https://fm.missevan.com/api/v2/live/{room}",
            headers=dict(PLATFORM.headers),
            accept=(400, 404, 500),
            saying=rf'"code":\s*{_NO_SUCH_ROOM}\b',
        )
        doc = reply.json()
        if whole(doc, "code") == _NO_SUCH_ROOM:
            raise ChannelGone(f"Maoer FM has no room {room}")
        if whole(doc, "code") != 0:
            raise SiteChanged(f"Maoer FM answers {peek(doc, 'code')}: {peek(doc, 'info')}")
        told = dig(doc, "info", "room", want=dict)
        identity = match.identity(dig(told, "room_id", want=int))
        anchor = peek(doc, "info", "creator", "username") or peek(told, "creator_username") or ""
        title = peek(told, "name") or ""
        if not dig(told, "status", "broadcasting", want=bool):
            return Offline(identity, anchor, title)
        cover = peek(told, "cover_url") or ""
        return Live(
            identity,
            anchor,
            tuple(_streams(dig(told, "channel", want=dict), match, options)),
            title,
            peek(told, "catalog_name") or "",
            "" if _NO_COVER in cover else cover,
            instant(told, "status", "open_time"),
        )


def adapter() -> MissevanAdapter:
    return MissevanAdapter()


def _streams(channel: object, match: Match, options: Options) -> Iterator[Stream]:
    for key in ("flv_pull_url", "hls_pull_url"):
        url: str = peek(channel, key) or ""
        if not url:
            continue
        yield match.stream(url.replace("http://", "https://", 1), options, label="原画", level="audio")
