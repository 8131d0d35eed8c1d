"""A site's master playlist as streams: for sites whose API names one address for all qualities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from ouzel.base.errors import FormatError, NotMedia, ServerTrouble, SiteChanged, TooLarge
from ouzel.formats.m3u8 import MasterPlaylist, Variant, parse
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Reply, Site
from ouzel.platforms.contract import Match, Options
from ouzel.platforms.expiry import expiry_of

_CODECS = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc", "av01": "av1", "vp09": "vp9"}
_SOURCE = ("chunked", "source")
"""What Twitch, and Kick on the same servers, call the quality that was sent in."""


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
    """One for each variant, the best first.

    A variant whose sound has a playlist of its own stays behind the master's address, with its name as the quality to choose.

    Args:
        expires_at: when they stop working, where the addresses do not tell.
    Raises: SiteChanged when it is no playlist.
    """
    try:
        playlist = parse(reply.text, base_url=reply.url)
    except (NotMedia, FormatError, TooLarge) as exc:
        raise SiteChanged(f"{reply.url.split('?')[0]} is no playlist: {exc}") from None
    if isinstance(playlist, MasterPlaylist):
        found = tuple(_variants(playlist, match, options, cdn))
    else:
        found = (match.stream(reply.url, options, protocol="hls", cdn=cdn or _host(reply.url)),)
    until = expires_at or expiry_of(reply.url)
    return tuple(replace(stream, expires_at=stream.expires_at or until) for stream in found)


def _variants(master: MasterPlaylist, match: Match, options: Options, cdn: str) -> Iterator[Stream]:
    for variant in sorted(master.variants, key=lambda each: each.bandwidth_bps, reverse=True):
        label, apart = _label(master, variant), _sound_is_apart(master, variant)
        codecs = (variant.codecs or "").split(",")
        codec = next((_CODECS[name[:4]] for c in codecs if (name := c.strip())[:4] in _CODECS), "")
        sound_alone = variant.resolution is None and variant.codecs is not None and not codec
        size = variant.resolution
        url = master.url if apart else variant.uri
        yield match.stream(
            url,
            options,
            protocol="hls",
            cdn=cdn or _host(url),
            quality=label if apart else "best",
            label=label,
            level="audio" if sound_alone else "original" if any(s in label.lower() for s in _SOURCE) else None,
            height=min(size.width, size.height) if size else None,
            fps=variant.frame_rate,
            bitrate_bps=variant.bandwidth_bps or None,
            codec=codec,
        )


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _label(master: MasterPlaylist, variant: Variant) -> str:
    """What the site calls it: the name of its VIDEO group, or an attribute of its own; else its height."""
    group = master.group("VIDEO", variant.video)
    own = dict(variant.extra).get("IVS-NAME", "").strip('"')
    called = own or variant.name or (group[0].name if group else "") or variant.stable_variant_id or variant.video
    if called or variant.resolution is None:
        return called or f"{variant.bandwidth_bps // 1000}kbps"
    rate = round(variant.frame_rate or 0)
    return f"{min(variant.resolution.width, variant.resolution.height)}p{rate if rate > 30 else ''}"


def _sound_is_apart(master: MasterPlaylist, variant: Variant) -> bool:
    return any(each.uri and each.uri != variant.uri for each in master.group("AUDIO", variant.audio))
