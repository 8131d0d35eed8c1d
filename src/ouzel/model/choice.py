"""Which of a platform's streams to record. Pure.

The rule, in this order:

1. **Codec.** Of streams that differ in codec those are taken whose codec comes first in what is preferred; nothing is left out
   for its codec alone unless it is refused.
2. **Quality.** The stream that is asked for, in the words of `wish` or the platform's own; where there is none such, the next
   lower one; where nothing is lower, the next higher. `best` and `worst` are the ends of the order, `audio` is sound alone, and
   where there is none, the lowest. A height is compared with what streams tell, or what their level usually has; a bandwidth
   with what they tell in figures or in their label, and where none tells, the best is taken.
3. **Delivery.** Of equal ones the preferred CDN, then the preferred protocol (FLV before HLS by default: it is nearer to live,
   and its connection does not go through a playlist), then the platform's order.

Streams that fail are passed to `choose` as `failed`: what is the same quality from elsewhere comes first, then the next quality.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar, get_args

from ouzel.base.errors import UnknownQuality
from ouzel.model.stream import Level, Stream
from ouzel.model.wish import LEVEL_NAMES, USUAL_HEIGHT, Height, Named, Rate, read_rate, read_wish

LEVELS: tuple[Level, ...] = get_args(Level)
CODECS = ("h264", "hevc", "av1", "vp9")
"""Of pictures, as streams name them."""
_ORDER: Mapping[Level, int] = MappingProxyType({**USUAL_HEIGHT, "original": 10_000, "bluray": 1081})
"""As heights, but that no two levels are equal."""
_HEIGHT = re.compile(r"(?<![\d.])(\d{3,4})p(\d{2,3})?", re.IGNORECASE)
_RATE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?[km](?:bps|b/s|bit/s)?(?![a-z])", re.IGNORECASE)
T = TypeVar("T", float, tuple[float, ...])


@dataclass(frozen=True, slots=True)
class Taste:
    """What the user likes."""

    quality: str = "best"
    codecs: tuple[str, ...] = ("h264",)
    refused_codecs: tuple[str, ...] = ()
    cdn: str = ""
    protocols: tuple[str, ...] = ("flv", "hls")


def choose(streams: Sequence[Stream], taste: Taste, *, failed: Collection[Stream] = ()) -> Stream:
    """The stream to record. Raises: UnknownQuality when `quality` is none, or every codec is refused."""
    allowed = [s for s in streams if s.codec not in taste.refused_codecs] if taste.refused_codecs else [*streams]
    if not allowed:
        raise UnknownQuality(
            f"every stream has a codec that is refused: {', '.join(sorted({s.codec for s in streams}))}"
        )
    fresh = [s for s in allowed if s not in failed] or allowed
    best_codec = min(_liking(s.codec, taste.codecs) for s in fresh)
    codec = [s for s in fresh if _liking(s.codec, taste.codecs) == best_codec]
    return min(
        _of_quality(codec, taste.quality.strip().lower(), streams),
        key=lambda s: (s.cdn != taste.cdn if taste.cdn else 0, _liking(s.protocol or "", taste.protocols)),
    )


def rank(stream: Stream) -> tuple[float, float, float]:
    """Its place in the order of qualities: height, frame rate, bandwidth; a level counts as the height it usually has."""
    level, (lines, fps) = level_of(stream), _told_size(stream)
    if level == "audio":
        return 0, 0, stream.bitrate_bps or 0
    if level is not None and (lines is None or level == "original"):
        lines = _ORDER[level]
    return 1 if lines is None else lines, fps, stream.bitrate_bps or 0


def level_of(stream: Stream) -> Level | None:
    """As it is declared, else as its label says."""
    return stream.level or LEVEL_NAMES.get(stream.label.strip().lower())


def _of_quality(streams: Sequence[Stream], word: str, everything: Sequence[Stream]) -> Sequence[Stream]:
    """Those of one quality, the one that is wanted or the nearest. Raises: UnknownQuality."""
    pictures = [s for s in streams if level_of(s) != "audio"] or streams
    if word == "best":
        return _top(pictures)
    if word == "worst":
        return _nearest(pictures, rank, (0.0,))
    if named := [s for s in streams if _label(s) == word]:
        return _top(named)
    match read_wish(word):
        case "audio":
            return _nearest(streams, rank, (0.0,))
        case Height(lines, None):
            return _nearest(pictures, lambda s: _size(s)[0], float(lines))
        case Height(lines, fps):
            return _nearest(pictures, _size, (float(lines), float(fps or 0)))
        case Rate(bps):
            told = [s for s in pictures if _rate(s)]
            return _nearest(told, _rate, bps) if told else _top(pictures)
        case Named():
            named = [s for s in everything if _label(s) == word]
            if not named:
                raise _unknown(word, everything)
            return _nearest(pictures, rank, rank(_top(named)[0]))
        case level:
            exact = [s for s in pictures if level_of(s) == level]
            return _top(exact) if exact else _nearest(pictures, lambda s: rank(s)[0], float(_ORDER[level]))


def _nearest(streams: Sequence[Stream], measure: Callable[[Stream], T], wanted: T) -> Sequence[Stream]:
    """The best of those that have what is wanted, else of the next lower ones, else of the next higher."""
    found = [measure(s) for s in streams]
    below = [each for each in found if each <= wanted]
    nearest = max(below) if below else min(found)
    return _top([s for s, each in zip(streams, found, strict=True) if each == nearest])


def _top(streams: Sequence[Stream]) -> Sequence[Stream]:
    best = max(rank(s) for s in streams)
    return [s for s in streams if rank(s) == best]


def _size(stream: Stream) -> tuple[float, ...]:
    """Height and frame rate, as told, or as usual for its level."""
    level, (lines, fps) = level_of(stream), _told_size(stream)
    return (USUAL_HEIGHT[level] if level else 1) if lines is None else lines, fps


def _told_size(stream: Stream) -> tuple[float | None, float]:
    height, fps = stream.height, stream.fps
    if height is None and (found := _HEIGHT.search(stream.label)):
        height, fps = int(found[1]), fps or (float(found[2]) if found[2] else None)
    return height, fps or 0


def _rate(stream: Stream) -> float:
    """Bits a second, as told; 0: nobody tells."""
    found = _RATE.search(stream.label)
    return stream.bitrate_bps or (read_rate(found[0]) if found else None) or 0.0


def _label(stream: Stream) -> str:
    return stream.label.strip().lower()


def _unknown(word: str, streams: Sequence[Stream]) -> UnknownQuality:
    names = ", ".join(dict.fromkeys(s.label or (level_of(s) or "") for s in streams if s.label or level_of(s)))
    return UnknownQuality(
        f"no such quality: {word[:40]!r}; there is {names or 'one only'}; or best, worst, audio, 720p, 2500kbps, 原画 …"
    )


def _liking(what: str, order: Sequence[str]) -> int:
    """Smaller is better; what nobody tells counts as the first, since it is most likely that."""
    return order.index(what) if what in order else 0 if not what else len(order)
