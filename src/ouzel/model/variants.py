"""The variants of a master playlist as streams. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ouzel.formats.m3u8 import MasterPlaylist, Variant
from ouzel.model.stream import Stream

_CODECS = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc", "av01": "av1", "vp09": "vp9"}
_SOURCE = ("chunked", "source")
"""What Twitch, and Kick on the same servers, call the quality that was sent in."""


def streams_of(master: MasterPlaylist) -> Iterator[Stream]:
    """One for each variant, that of the highest bandwidth first: its address, and what is told of it.

    A variant whose sound has a playlist of its own stays behind the master's address, with its name as the quality to choose.
    """
    for variant in sorted(master.variants, key=lambda each: each.bandwidth_bps, reverse=True):
        label, apart = _label(master, variant), _sound_is_apart(master, variant)
        codecs = (variant.codecs or "").split(",")
        codec = next((_CODECS[name[:4]] for c in codecs if (name := c.strip())[:4] in _CODECS), "")
        sound_alone = variant.resolution is None and variant.codecs is not None and not codec
        size = variant.resolution
        yield Stream(
            master.url if apart else variant.uri,
            protocol="hls",
            quality=label if apart else "best",
            label=label,
            level="audio" if sound_alone else "original" if any(s in label.lower() for s in _SOURCE) else None,
            height=min(size.width, size.height) if size else None,
            fps=variant.frame_rate,
            bitrate_bps=variant.bandwidth_bps or None,
            codec=codec,
        )


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
