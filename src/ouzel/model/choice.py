"""Which of a platform's streams to record. Pure.

The rule, in this order:

1. **Codec.** Of streams that differ in codec those are taken whose codec comes first in what is preferred; nothing is left out
   for its codec alone unless it is refused.
2. **Quality.** The stream that is asked for; where there is none such, the next lower one; where nothing is lower, the next
   higher. `best` and `worst` are the ends of the order, `audio` is sound alone, and where there is none, the lowest.
3. **Delivery.** Of equal ones the preferred CDN, then the preferred protocol (FLV before HLS by default: it is nearer to live,
   and its connection does not go through a playlist), then the platform's order.

Streams that fail are passed to `choose` as `failed`: what is the same quality from elsewhere comes first, then the next quality.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import get_args

from ouzel.base.errors import UnknownQuality
from ouzel.model.stream import Level, Stream

LEVELS: tuple[Level, ...] = get_args(Level)
_NAMES: dict[str, Level] = {
    "原画": "original", "蓝光": "bluray", "超清": "uhd", "高清": "hd", "标清": "sd", "流畅": "ld",
    "original": "original", "origin": "original", "source": "original", "chunked": "original", "od": "original",
    "bluray": "bluray", "blu-ray": "bluray", "bd": "bluray", "uhd": "uhd", "hd": "hd", "sd": "sd", "ld": "ld",
    "audio": "audio", "audio_only": "audio", "音频": "audio",
}  # fmt: skip
_TYPICAL_HEIGHT: dict[Level, int] = {
    "original": 10_000,
    "bluray": 1081,
    "uhd": 1080,
    "hd": 720,
    "sd": 480,
    "ld": 360,
    "audio": 0,
}
_HEIGHT = re.compile(r"(?<![\d.])(\d{3,4})p(\d{2,3})?", re.IGNORECASE)
CODECS = ("h264", "hevc", "av1", "vp9")


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
    wanted = _wanted(taste.quality, streams)
    fresh = [s for s in allowed if s not in failed] or allowed
    best_codec = min(_liking(s.codec, taste.codecs) for s in fresh)
    codec = [s for s in fresh if _liking(s.codec, taste.codecs) == best_codec]
    level = _nearest(codec, wanted)
    alike = [s for s in codec if rank(s) == level]
    return min(
        alike, key=lambda s: (s.cdn != taste.cdn if taste.cdn else 0, _liking(s.protocol or "", taste.protocols))
    )


def rank(stream: Stream) -> tuple[float, float, float]:
    """Its place in the order of qualities: height, frame rate, bandwidth; a level counts as the height it usually has."""
    height, fps = stream.height, stream.fps
    if height is None and (found := _HEIGHT.search(stream.label)):
        height, fps = int(found[1]), fps or (float(found[2]) if found[2] else None)
    level = level_of(stream)
    if level == "audio":
        return 0, 0, stream.bitrate_bps or 0
    if level == "original":
        return _TYPICAL_HEIGHT["original"], fps or 0, stream.bitrate_bps or 0
    known = height if height is not None else _TYPICAL_HEIGHT[level] if level else 1
    return known, fps or 0, stream.bitrate_bps or 0


def level_of(stream: Stream) -> Level | None:
    """As it is declared, else as its label says."""
    return stream.level or _NAMES.get(stream.label.strip().lower())


def _wanted(quality: str, streams: Sequence[Stream]) -> tuple[float, float] | str:
    word = quality.strip().lower()
    if word in {"best", "worst"}:
        return word
    if (level := _NAMES.get(word)) is not None:
        return "audio" if level == "audio" else (_TYPICAL_HEIGHT[level], 1000.0)
    if found := _HEIGHT.fullmatch(word if word.endswith("p") or "p" in word else f"{word}p"):
        return float(found[1]), float(found[2] or 1000)
    if any(s.label.lower() == word for s in streams):
        named = next(s for s in streams if s.label.lower() == word)
        return rank(named)[:2]
    names = ", ".join(dict.fromkeys(s.label or (level_of(s) or "") for s in streams if s.label or level_of(s)))
    raise UnknownQuality(
        f"no such quality: {quality[:40]!r}; there is {names or 'one only'}; or best, worst, audio, 720p, 原画 …"
    )


def _nearest(streams: Sequence[Stream], wanted: tuple[float, float] | str) -> tuple[float, float, float]:
    ranks = sorted(rank(s) for s in streams)
    if wanted == "audio":
        return ranks[0]
    pictures = [r for r in ranks if r[0] > 0] or ranks
    if wanted == "best":
        return pictures[-1]
    if isinstance(wanted, str):
        return pictures[0]
    below = [r for r in pictures if r[:2] <= wanted]
    return below[-1] if below else pictures[0]


def _liking(what: str, order: Sequence[str]) -> int:
    """Smaller is better; what nobody tells counts as the first, since it is most likely that."""
    return order.index(what) if what in order else 0 if not what else len(order)
