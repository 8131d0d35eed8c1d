"""The words for a quality, the same for the variants of a playlist and for the streams of a platform. Pure.

| word | meaning |
|---|---|
| `best`, `worst` | the ends of the order |
| `audio` | sound alone |
| `original`, `bluray`, `uhd`, `hd`, `sd`, `ld`, and 原画, 蓝光, 超清, 高清, 标清, 流畅 | a level |
| `1080p`, `1080`, `720p60` | a height, and a frame rate |
| `2k`, `4k`, `8k`, `4k60` | 1440p, 2160p, 4320p; 2160p60 |
| `2500kbps`, `2.5Mbps`, `8M` | a bandwidth (also `kb/s`, `kbit/s`) |

Everything else is a name that only a playlist or a platform can know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from ouzel.model.stream import Level

LEVEL_NAMES: Mapping[str, Level] = MappingProxyType({
    "原画": "original", "蓝光": "bluray", "超清": "uhd", "高清": "hd", "标清": "sd", "流畅": "ld",
    "original": "original", "origin": "original", "source": "original", "chunked": "original", "od": "original",
    "bluray": "bluray", "blu-ray": "bluray", "bd": "bluray", "uhd": "uhd", "hd": "hd", "sd": "sd", "ld": "ld",
    "audio": "audio", "audio_only": "audio", "音频": "audio",
})  # fmt: skip
USUAL_HEIGHT: Mapping[Level, int] = MappingProxyType(
    {"original": 1080, "bluray": 1080, "uhd": 1080, "hd": 720, "sd": 480, "ld": 360, "audio": 0}
)
"""What a level has where nobody tells."""
_HEIGHT = re.compile(r"(\d{2,5})(?:p(\d{1,3})?)?")
_SIZE = re.compile(r"([248])k(\d{1,3})?")
_SIZES = {"2": 1440, "4": 2160, "8": 4320}
_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(k|m)(?:bps|b/s|bit/s)")
_SHORT_RATE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)(m)|(\d{3,6})(k)")


@dataclass(frozen=True, slots=True)
class Height:
    """So many lines; `fps` None: as many pictures a second as there are."""

    lines: int
    fps: int | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """Not more than so many bits a second."""

    bps: float


@dataclass(frozen=True, slots=True)
class Named:
    """What a playlist or a platform may call so."""

    word: str


Wish: TypeAlias = Height | Rate | Level | Named
"""`best` and `worst` are `Named`: they mean the same everywhere."""


def read_wish(text: str) -> Wish:
    """What is wanted; in upper or lower case. Any other word is `Named`, in lower case."""
    word = text.strip().lower()
    if level := LEVEL_NAMES.get(word):
        return level
    if found := _HEIGHT.fullmatch(word):
        return Height(int(found[1]), int(found[2]) if found[2] else None)
    if found := _SIZE.fullmatch(word):
        return Height(_SIZES[found[1]], int(found[2]) if found[2] else None)
    rate_bps = read_rate(word)
    return Named(word) if rate_bps is None else Rate(rate_bps)


def read_rate(word: str) -> float | None:
    """Bits a second, of `2500kbps`, `2.5Mbps`, `8M`; None for anything else."""
    word = word.lower()
    if found := _RATE.fullmatch(word):
        number, unit = found[1], found[2]
    elif found := _SHORT_RATE.fullmatch(word):
        number, unit = found[1] or found[3], found[2] or found[4]
    else:
        return None
    return float(number) * (1000 if unit == "k" else 1_000_000)
