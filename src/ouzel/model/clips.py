"""Where a recording is cut to get a piece of it. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ouzel.base.errors import BadOption
from ouzel.base.units import format_clock
from ouzel.model.flow import Chunk, Gap
from ouzel.model.ledger import Ledger

_ROUNDING_S = 0.0005


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of the file."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The piece that will be taken. Times in seconds of the recording's media time."""

    start_s: float
    end_s: float
    stretches: tuple[Stretch, ...]
    """In the order of the file."""
    gaps: tuple[Gap, ...]
    """Those within the piece, told in its own time."""

    @property
    def bytes(self) -> int:
        return sum(stretch.length for stretch in self.stretches)


@dataclass(frozen=True, slots=True)
class _Edge:
    """A place where the file may be cut: before this byte of this chunk."""

    at_s: float
    chunk: int
    offset: int


def plan_cut(ledger: Ledger, from_s: float, to_s: float) -> Cut:
    """The smallest piece between two places where the file may be cut that holds `from_s` to `to_s`.

    It begins at the last key frame at or before `from_s` (the first, if there is none), and ends before the first one at or after
    `to_s`, or with the last chunk.
    Raises: BadOption when the piece lies behind the end of the recording, or is none.
    """
    check_range(from_s, to_s, ledger.media_s)
    chunks = [chunk for chunk in ledger.chunks if chunk.scope == "all"]
    edges = list(_edges(chunks))
    start = next((e for e in reversed(edges) if e.at_s <= from_s + _ROUNDING_S), edges[0])
    end = next((e for e in edges if e.at_s >= to_s - _ROUNDING_S and e.at_s > start.at_s), None)
    end_s = end.at_s if end else ledger.media_s
    stretches = [_stretch(chunk, start, end) for chunk in chunks if start.chunk <= chunk.index]
    beside = (c for c in ledger.chunks if c.scope != "all" and c.end_s > start.at_s and c.start_s < end_s)
    stretches += (Stretch(c.offset, c.length) for c in beside)
    kept = sorted((s for s in stretches if s.length > 0), key=lambda s: s.offset)
    return Cut(start.at_s, end_s, tuple(kept), gaps_within(ledger, start.at_s, end_s))


def check_range(from_s: float, to_s: float, media_s: float) -> None:
    """Raises: BadOption when there is nothing between these times."""
    if not 0 <= from_s < to_s:
        raise BadOption(f"from {format_clock(from_s)} to {format_clock(to_s)} is no piece")
    if from_s >= media_s:
        raise BadOption(f"it begins at {format_clock(from_s)}, but the recording ends at {format_clock(media_s)}")


def gaps_within(ledger: Ledger, start_s: float, end_s: float) -> tuple[Gap, ...]:
    """The gaps between two places, told in the time of a piece that begins at the first."""
    inside = (gap for gap in ledger.gaps if start_s + _ROUNDING_S < gap.at_s < end_s - _ROUNDING_S)
    return tuple(replace(gap, at_s=gap.at_s - start_s) for gap in inside)


def wall_at(chunks: Sequence[Chunk], at_s: float) -> datetime:
    """When this place was on air. `chunks`: those of scope `all`, at least one."""
    index = bisect_right(chunks, at_s + _ROUNDING_S, key=lambda chunk: chunk.start_s) - 1
    chunk = chunks[max(0, index)]
    return chunk.wall + timedelta(seconds=at_s - chunk.start_s)


def _edges(chunks: Sequence[Chunk]) -> Iterator[_Edge]:
    """In order. A chunk without a key frame in which decoding may start is one of sound only."""
    found = False
    for chunk in chunks:
        if chunk.independent:
            found = True
            yield _Edge(chunk.start_s, chunk.index, chunk.offset)
        for key in chunk.keys[1 if chunk.independent else 0 :]:
            found = True
            yield _Edge(key.at_s, chunk.index, chunk.offset + key.offset)
    if not found and chunks:  # no key frame at all: there is no better place
        yield _Edge(chunks[0].start_s, chunks[0].index, chunks[0].offset)


def _stretch(chunk: Chunk, start: _Edge, end: _Edge | None) -> Stretch:
    first = start.offset if chunk.index == start.chunk else chunk.offset
    behind = chunk.offset + chunk.length
    if end is not None and chunk.index >= end.chunk:
        behind = end.offset if chunk.index == end.chunk else first
    return Stretch(first, behind - first)
