"""The shapers alone, in this process: what following and re-stamping cost beyond moving the bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from live.media import LATER_MS
from ouzel.formats.flv import FlvShaper
from ouzel.formats.mpegts import TsShaper
from ouzel.formats.shape import Shaper
from ouzel.testing.clips import Clip
from ouzel.testing.markers import mark_text
from ouzel.testing.origin.flv import flv_groups, flv_header, flv_opening
from ouzel.testing.origin.ts import ts_pieces

PIECE_BYTES = 52_000
"""What a channel of 4.16 Mb/s sends in 100 ms."""
STREAM_S = 120


@dataclass(frozen=True)
class Work:
    """A stream that goes through a shaper."""

    label: str
    make: Callable[[], Shaper] | None
    """None: the bytes are only put into the buffer, as a socket does."""
    parts: Sequence[bytes]
    """Segments; of an endless stream, all of it."""


@dataclass(frozen=True)
class Timed:
    label: str
    cpu_s_per_gb: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Timed:
        return cls(**fields)


def works(clip: Clip) -> list[Work]:
    """The first is what the others are compared with."""
    zero, later = [_flv(clip, 0)], [_flv(clip, LATER_MS)]
    return [
        Work("copy into the buffer", None, zero),
        Work("FLV, stamps from 0: followed", FlvShaper, zero),
        Work("FLV, stamps not from 0: followed and re-stamped", FlvShaper, later),
        Work("TS segments, stamps not from 0: followed and re-stamped", _ts_shaper, _ts(clip)),
    ]


def measure(work: Work) -> Timed:
    buffer = bytearray(PIECE_BYTES)
    shaper = work.make() if work.make else None
    began = time.thread_time()
    for part in work.parts:
        for piece in _pieces(part, buffer):
            if shaper is not None:
                for _ in shaper.feed(piece):
                    pass
        if shaper is not None:
            for _ in shaper.cut():
                pass
    cpu_s = time.thread_time() - began
    return Timed(work.label, cpu_s / sum(map(len, work.parts)) * 1e9)


def _pieces(data: bytes, buffer: bytearray) -> Iterator[memoryview]:
    view, source = memoryview(buffer), memoryview(data)
    for at in range(0, len(data), PIECE_BYTES):
        piece = view[: min(PIECE_BYTES, len(data) - at)]
        piece[:] = source[at : at + len(piece)]
        yield piece


def _ts_shaper() -> Shaper:
    return TsShaper()


def _flv(clip: Clip, start_ms: int) -> bytes:
    """What a connection brings, whose first tag has this time stamp."""
    groups = flv_groups(clip, "enhanced")
    data = bytearray(flv_header(audio=True) + flv_opening(clip, "enhanced", start_ms))
    for number in range(STREAM_S * 90_000 // clip.gop_90k):
        turns, index = divmod(number, len(groups))
        base_ms = turns * clip.length_90k // 90 - groups[0].times_ms[0] + start_ms
        data += groups[index].cut(0, len(groups[index].times_ms), base_ms=base_ms, mark=mark_text("c", number))
    return bytes(data)


def _ts(clip: Clip) -> list[bytes]:
    pieces = ts_pieces(clip, "av")
    return [
        bytes(pieces[number % clip.gops].stamped(_base_90k(clip, number), mark_text("c", number), number))
        for number in range(STREAM_S * 90_000 // clip.gop_90k)
    ]


def _base_90k(clip: Clip, number: int) -> int:
    return LATER_MS * 90 + number // clip.gops * clip.length_90k
