"""A list of things to fetch, known before the first byte: the segments of a playlist that is over, or ranges of a file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import xxhash

from ouzel.formats.m3u8 import ByteRange, InitSegment, MediaPlaylist, Segment
from ouzel.model.same_segment import telling

RANGE_BYTES = 4 * 1024 * 1024
"""Of a plain file, one piece."""
_MOST_RANGES = 4096


class Piece(NamedTuple):
    """What stands at one position of a track."""

    position: int
    """From 0, over all files of the track."""
    at_s: float
    """Where it begins in the programme, by the lengths that are announced; 0 where nothing is."""
    segment: Segment
    discontinuity: bool = False
    """The source's clock may begin anew: told here, or at something between that is left out."""
    version: str = ""
    """Of a plain file: what changes when another one is put in its place. Parts of two are no file."""


class Stretch(NamedTuple):
    """Pieces behind one another that share an init segment: they may share a file."""

    init: InitSegment | None
    pieces: tuple[Piece, ...]


def pieces_of(playlist: MediaPlaylist, from_s: float | None = None, to_s: float | None = None) -> tuple[Piece, ...]:
    """Its segments, without those that lie wholly before `from_s` or behind `to_s` (seconds of the programme)."""
    pieces: list[Piece] = []
    start_s, kept_s, broken = 0.0, 0.0, False
    for segment in playlist.segments:
        end_s = start_s + segment.duration_s
        broken = broken or segment.discontinuity
        if (from_s is None or end_s > from_s) and (to_s is None or start_s < to_s):
            pieces.append(Piece(len(pieces), kept_s, segment, broken and bool(pieces)))
            kept_s += segment.duration_s
            broken = False
        start_s = end_s
    return tuple(pieces)


def ranges_of(url: str, size: int, *, whole: bool = False, version: str = "") -> tuple[Piece, ...]:
    """The parts of a plain file of `size` bytes; one, when its server gives nothing but the `whole`."""
    version = f"{size} {version}"
    if whole:
        return (Piece(0, 0.0, Segment(url, 0.0, 0), version=version),)
    step = max(RANGE_BYTES, -(-size // _MOST_RANGES))
    return tuple(
        Piece(
            number,
            0.0,
            Segment(url, 0.0, number, byte_range=ByteRange(start, min(step, size - start))),
            version=version,
        )
        for number, start in enumerate(range(0, size, step))
    )


def stretches(pieces: Sequence[Piece]) -> Iterator[Stretch]:
    """Cut where another init segment begins. A clear list without any is one stretch."""
    first = 0
    for number in range(1, len(pieces) + 1):
        if number == len(pieces) or pieces[number].segment.map != pieces[first].segment.map:
            yield Stretch(pieces[first].segment.map, tuple(pieces[first:number]))
            first = number


def identifier(pieces: Sequence[Piece]) -> Callable[[Piece], str]:
    """What tells which piece it is, whatever its address is by now: 16 hexadecimal digits."""
    name = telling([piece.segment for piece in pieces])

    def identity(piece: Piece) -> str:
        segment = piece.segment
        part = "" if segment.byte_range is None else f" {segment.byte_range.offset}+{segment.byte_range.length}"
        version = f" {piece.version}" if piece.version else ""
        text = f"{name(segment.uri)}{part} {segment.duration_s:.3f}{version}"
        return xxhash.xxh3_64_hexdigest(text.encode("utf-8", "surrogatepass"))

    return identity
