"""The shapers by container. Each is imported when the first stream needs it: most processes see one of the three."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ouzel.formats.shape import Shaper

_MAX_TAG = 8 * 1024 * 1024
"""A frame of two seconds at 32 Mb/s; a longer one is a broken length that would swallow the stream."""

_FRAGMENTS = 16384
"""Fragments that are remembered of a stream: four to nine hours where they have 1 or 2 s, in some 2 MB."""


def _flv() -> Shaper:
    from ouzel.formats.flv import FlvRules, FlvShaper

    return FlvShaper(FlvRules(max_tag=_MAX_TAG))


def _endless_ts() -> Shaper:
    from ouzel.formats.mpegts import TsShaper

    return TsShaper(mode="continuous")


def _endless_mp4() -> Shaper:
    from ouzel.formats.fmp4 import Fmp4Shaper

    return Fmp4Shaper(mode="continuous", replays=_FRAGMENTS)


def _ts_segments() -> Shaper:
    from ouzel.formats.mpegts import TsShaper

    return TsShaper(mode="segments")


def _mp4_segments() -> Shaper:
    from ouzel.formats.fmp4 import Fmp4Shaper

    return Fmp4Shaper()


def _packed_segments() -> Shaper:
    from ouzel.formats.mpegts import AudioPacker

    return AudioPacker()


ENDLESS: Mapping[str, Callable[[], Shaper]] = {"flv": _flv, "ts": _endless_ts, "mp4": _endless_mp4}
"""For one long answer."""
SEGMENTS: Mapping[str, Callable[[], Shaper]] = {"ts": _ts_segments, "mp4": _mp4_segments, "packed": _packed_segments}
"""For what comes in segments."""
