"""A site's master playlist as streams: for sites whose API names one address for all qualities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from ouzel.base.errors import FormatError, NotMedia, ServerTrouble, SiteChanged, TooLarge
from ouzel.formats.m3u8 import MasterPlaylist, parse
from ouzel.model import variants
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Match, Options
from ouzel.platforms.expiry import expiry_of


def read_master(
    site: Site, url: str, match: Match, options: Options, *, params: Mapping[str, str] | None = None, cdn: str = ""
) -> tuple[Stream, ...]:
    """The streams behind this address; the user's cookies are kept from it.

    Raises: ServerTrouble when it is not there: the site's API and its media servers do not start and stop in the same moment.
    """
    reply = site.get(url, params=params, headers=dict(match.platform.headers), accept=(404, 410), bare=True)
    if reply.status in {404, 410}:
        raise ServerTrouble("on air, but the playlist is not there: it has just begun, or ended", status=reply.status)
    return streams_of(reply, match, options, cdn=cdn)


def streams_of(
    reply: Reply, match: Match, options: Options, *, expires_at: datetime | None = None, cdn: str = ""
) -> tuple[Stream, ...]:
    """One for each variant, as `variants.streams_of` has them.

    Args:
        expires_at: when they stop working, where the addresses do not tell.
    Raises: SiteChanged when it is no playlist.
    """
    try:
        playlist = parse(reply.text, base_url=reply.url)
    except (NotMedia, FormatError, TooLarge) as exc:
        raise SiteChanged(f"{reply.url.split('?')[0]} is no playlist: {exc}") from None
    single = (Stream(reply.url, protocol="hls"),)
    bare = variants.streams_of(playlist) if isinstance(playlist, MasterPlaylist) else single
    found = [_dressed(each, match, options, cdn) for each in bare]
    until = expires_at or expiry_of(reply.url)
    return tuple(replace(stream, expires_at=stream.expires_at or until) for stream in found)


def _dressed(bare: Stream, match: Match, options: Options, cdn: str) -> Stream:
    """With all that it takes to open it."""
    known = match.stream(bare.url, options)
    return replace(
        bare,
        headers=known.headers,
        proxy=known.proxy,
        verify_tls=known.verify_tls,
        expires_at=known.expires_at,
        cdn=cdn or known.cdn,
    )
