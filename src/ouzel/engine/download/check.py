"""Looks at what was fetched before the file is closed: whether its pieces belong behind each other, and its clock runs through.

Only heads and tails of pieces are read, so that it costs little beside fetching them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ouzel.base.errors import OuzelError
from ouzel.base.units import format_clock
from ouzel.engine.download.edges import (
    HEAD_BYTES,
    TAIL_BYTES,
    Ends,
    is_continuous,
    mp4_ends,
    passed_s,
    timescales,
    ts_ends,
)
from ouzel.engine.download.file import PlacedFile
from ouzel.formats.shape import Container, Head, Shaper, Track
from ouzel.model.flow import Chunk

_MOOF_BYTES = 8 * 1024
_JUMP_S, _JUMP_SHARE = 1.0, 0.5
"""A step of the clock that differs from the length that was announced by more than this is none of the media."""
_DRIFT_S, _DRIFT_SHARE = 2.0, 0.02
_MOST_TOLD = 3
_SMALL = 4096
"""Pieces of so few bytes may well be the same twice: silence, a black picture."""
_FIRST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Checked:
    warnings: tuple[str, ...] = ()
    changed: tuple[Chunk, ...] = ()
    """Lines of pieces of which it turned out whether the clock begins anew with them."""
    tracks: tuple[Track, ...] = ()


def check(file: PlacedFile) -> Checked:
    """Of a file with all the pieces that could be had. Blocking. Raises: StorageError."""
    container, chunks = file.opening.container, [file.whole[index] for index in sorted(file.whole)]
    warnings = [*_twice(chunks)] if container != "raw" else []
    tracks = tracks_in(container, _beginning(file, chunks))
    if container not in {"ts", "mp4"}:
        return Checked(tuple(warnings), (), tracks)
    try:
        scales = timescales(file.head) if container == "mp4" else None
    except OuzelError as exc:
        return Checked((*warnings, f"the init segment cannot be read: {exc}"), (), tracks)
    run = _Run(file, container, scales)
    for chunk in chunks:
        run.take(chunk)
    return Checked((*warnings, *run.warnings()), tuple(run.changed), tracks)


class _Run:
    """Goes from piece to piece."""

    def __init__(self, file: PlacedFile, container: Container, scales: dict[int, int] | None) -> None:
        self._file = file
        self._is_ts = container == "ts"
        self._scales = scales
        self._before: tuple[Chunk, Ends] | None = None
        self.changed: list[Chunk] = []
        self._garbage: list[str] = []
        self._jumps: list[str] = []
        self._torn: list[str] = []
        self._back: list[str] = []
        self._edges = 0
        self._media_s = self._told_s = 0.0

    def take(self, chunk: Chunk) -> None:
        ends = self._ends(chunk)
        if ends.garbage is not None:
            at = chunk.offset + ends.garbage + (chunk.length if ends.garbage < 0 else 0)
            self._garbage.append(f"{_place(chunk)} (byte {at})")
        elif self._is_ts and chunk.length % 188:
            self._garbage.append(f"{_place(chunk)} (its last packet is torn)")
        before, self._before = self._before, (chunk, ends)
        if before is None and chunk.discontinuity:  # with the file itself
            self.changed.append(replace(chunk, discontinuity=False))
        if before is None or before[0].index + 1 != chunk.index:
            return
        self._edges += 1
        self._edge(before, chunk, ends)

    def _edge(self, before: tuple[Chunk, Ends], chunk: Chunk, ends: Ends) -> None:
        told_s, seen_s = before[0].duration_s, passed_s(before[1], ends, self._scales)
        if seen_s is None:
            return
        jumps = abs(seen_s - told_s) > max(_JUMP_S, _JUMP_SHARE * told_s)
        same = not jumps and before[1].tables == ends.tables
        if chunk.discontinuity and same:
            self.changed.append(replace(chunk, discontinuity=False))
        elif jumps and not chunk.discontinuity:
            self.changed.append(replace(chunk, discontinuity=True))
            self._jumps.append(f"{_place(chunk)} (by {seen_s - told_s:+.3f} s)")
        if jumps or chunk.discontinuity:
            return
        self._media_s += seen_s
        self._told_s += told_s
        if self._is_ts and is_continuous(before[1], ends) is False:
            self._torn.append(_place(chunk))
        if before[1].number is not None and ends.number is not None and ends.number <= before[1].number:
            self._back.append(_place(chunk))

    def warnings(self) -> Iterator[str]:
        if self._garbage:
            yield f"not media at an end of {_some(self._garbage)}"
        if self._jumps:
            yield f"the clock jumps, and the playlist does not say so, at {_some(self._jumps)}"
        if self._torn and len(self._torn) * 2 < self._edges:  # else each segment is counted by itself
            yield f"packets are missing before {_some(self._torn)}"
        if self._back and len(self._back) * 2 < self._edges:
            yield f"the numbers of fragments do not rise at {_some(self._back)}"
        if abs(self._media_s - self._told_s) > max(_DRIFT_S, _DRIFT_SHARE * self._told_s):
            seen, told = format_clock(self._media_s), format_clock(self._told_s)
            yield f"the segments last {seen} by their clock, and {told} as the playlist announces them"

    def _ends(self, chunk: Chunk) -> Ends:
        read = self._file.read
        if not self._is_ts:
            return mp4_ends(read(chunk.offset, min(_MOOF_BYTES, chunk.length)))
        tail = min(TAIL_BYTES, chunk.length // 188 * 188)
        end = chunk.offset + chunk.length // 188 * 188
        return ts_ends(read(chunk.offset, min(HEAD_BYTES, chunk.length)), read(end - tail, tail))


def _twice(chunks: Iterable[Chunk]) -> Iterator[str]:
    """Pieces that are the same bytes, though they are called otherwise."""
    known: dict[str, Chunk] = {}
    found: list[str] = []
    for chunk in chunks:
        first = known.setdefault(chunk.digest, chunk)
        if first is not chunk and chunk.length > _SMALL and first.identity != chunk.identity:
            found.append(f"{_place(first)} and {chunk.sequence}")
    if found:
        yield f"the same bytes came twice: {_some(found)}"


def tracks_in(container: Container, data: bytes) -> tuple[Track, ...]:
    """Of an init segment, or the beginning of a transport stream; empty when it cannot be told."""
    shaper: Shaper
    if not data or container not in {"ts", "mp4"}:
        return ()
    if container == "mp4":
        from ouzel.formats.fmp4 import Fmp4Shaper

        shaper = Fmp4Shaper()
    else:
        from ouzel.formats.mpegts import TsShaper

        shaper = TsShaper("segments")
    try:
        ops = [*shaper.feed(memoryview(bytearray(data))), *(shaper.cut() if container == "ts" else ())]
    except OuzelError:
        return ()
    return next((op.tracks for op in ops if isinstance(op, Head)), ())


def _beginning(file: PlacedFile, chunks: list[Chunk]) -> bytes:
    if file.head or not chunks:
        return file.head
    return file.read(chunks[0].offset, min(_FIRST_BYTES, chunks[0].length))


def _place(chunk: Chunk) -> str:
    return f"segment {chunk.sequence}"


def _some(places: list[str]) -> str:
    more = f", and {len(places) - _MOST_TOLD} more" if len(places) > _MOST_TOLD else ""
    others = (place.removeprefix("segment ") for place in places[1:_MOST_TOLD])
    return ", ".join([*places[:1], *others]) + more
