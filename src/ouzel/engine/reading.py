"""A media file read again from its start, by the same shapers that write them: where its chunks are, and what is wrong in it.

What a shaper would mend in a file is what is wrong with it: a time stamp that does not rise, a packet that is missing, bytes
that are no media.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Protocol

from ouzel.base.errors import FormatError, MediaError, NotMedia, Unsupported
from ouzel.engine.sinks.file import storage_error
from ouzel.engine.sources.detect import SNIFF_BYTES, Kind, kind_of_rest
from ouzel.formats.flv.rules import FlvRules
from ouzel.formats.flv.shaper import FlvShaper
from ouzel.formats.fmp4 import BOX_LIMIT, Fmp4Shaper
from ouzel.formats.mpegts import TsShaper
from ouzel.formats.shape import Container, Edge, Head, KeyPoint, Op, Repair, Shaper, Span, TakeBack

_PIECE_BYTES = 256 * 1024
_STEP_S = (
    10.0  # holes in the time stamps up to this stay in a file when it is recorded, and are no jumps when it is read
)
_CONTAINERS: dict[Kind, Container] = {"ts": "ts", "flv": "flv", "mp4": "mp4"}
_INDEXES = frozenset({b"mfra", b"sidx", b"ssix"})


Tap = Callable[[memoryview], None]
"""Sees all bytes of the file, in order, before a shaper does."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One chunk of a file. `offset` and `length` in bytes of the file, the span's times from its start."""

    offset: int
    length: int
    span: Span


class MediaReader:
    """Goes through one file.

    reader = MediaReader(path)
    for passage in reader.passages(): ...
    reader.error, reader.end
    """

    def __init__(self, path: Path, *, end: int | None = None, broken: bool = False) -> None:
        """`end`: where to stop reading. `broken`: the file was never finished: its end may be in the middle of a unit.

        Raises: Unsupported for a container that is not written natively; NotMedia; StorageError.
        """
        self.path = path
        self._broken = broken
        self.size = 0
        self.heads: list[tuple[int, Head]] = []
        """Where tracks begin or change: offset in the file, and what they are."""
        self.end = 0
        """Bytes up to the end of the last whole chunk."""
        self.error: FormatError | None = None
        """Why reading ended before the end of the file."""
        try:
            with path.open("rb") as file:
                first = file.read(SNIFF_BYTES)
                self.size = file.seek(0, os.SEEK_END)
        except OSError as exc:
            raise storage_error(exc, path) from exc
        if end is not None:
            self.size = min(self.size, end)
        try:
            container = _CONTAINERS.get(kind_of_rest(first))
        except NotMedia as exc:
            raise NotMedia(f"{path} is {'no media that Ouzel knows' if first else 'empty'}", path=str(path)) from exc
        if container is None:
            raise Unsupported(f"{path} is in a container for which there are no ledgers")
        self.container: Container = container

    def first_head(self) -> Head:
        """What the tracks are, from the beginning of the file. Raises: as `passages`, and MediaError when there is no media."""
        with closing(self.passages()) as passages:
            next(passages, None)
        if not self.heads:
            raise MediaError(f"{self.path} holds no media")
        return self.heads[0][1]

    def passages(self, tap: Tap | None = None) -> Generator[Passage, None, None]:
        """Every chunk, one after the other; whatever is not whole at the end is left out.

        Raises: Unsupported for an MP4 that is not fragmented; FormatError, NotMedia when nothing in it can be read; StorageError.
        """
        feed: _Feed = {"ts": _TsFeed, "flv": _FlvFeed, "mp4": _Mp4Feed}[self.container]()
        try:
            with self.path.open("rb", buffering=0) as file:
                yield from self._follow(feed, file, tap or _ignore)
        except OSError as exc:
            raise storage_error(exc, self.path) from exc

    def _follow(self, feed: _Feed, file: FileIO, tap: Tap) -> Iterator[Passage]:
        last_s = base_s = 0.0
        try:
            for op in feed.ops(file, self.size, tap, broken=self._broken):
                match op:
                    case Head():
                        base_s = last_s
                        self.heads.append((self.end, op))
                    case Edge(span):
                        feed.count(span.dropped_bytes - span.excess)
                        start, end = feed.chunk()
                        if self.end:
                            start = self.end  # whatever a shaper leaves out between two chunks goes with the second
                        end = min(end, self.size)  # a last tag is whole without the size behind it
                        if end > start:
                            self.end, last_s = end, base_s + span.end_s
                            yield Passage(start, end - start, _moved(span, base_s) if base_s else span)
                    case TakeBack():
                        raise AssertionError("a file was taken for a connection")
                    case _:
                        feed.count(len(op))
        except FormatError as exc:
            if not self.heads:
                raise
            self.error = exc


class _Feed(Protocol):
    """Hands a file to its shaper, and knows where in the file the shaper is."""

    def ops(self, file: FileIO, size: int, tap: Tap, *, broken: bool) -> Iterator[Op]: ...

    def count(self, size: int) -> None:
        """So many bytes were handed on, or dropped."""
        ...

    def chunk(self) -> tuple[int, int]:
        """Where in the file the chunk that has just ended begins and ends."""
        ...


class _TsFeed:
    """Packets pass a shaper one for one: what it hands on and what it drops add up to what it was fed.

    An incomplete packet at the end of the file is in no chunk.
    """

    def __init__(self) -> None:
        self._shaper = TsShaper("continuous", tolerance_s=_STEP_S)
        self._at = 0
        self._passed = 0

    def ops(self, file: FileIO, size: int, tap: Tap, *, broken: bool) -> Iterator[Op]:
        return _feed_all(self._shaper, file, size, tap, broken=broken)

    def count(self, size: int) -> None:
        self._passed += size

    def chunk(self) -> tuple[int, int]:
        start, self._at = self._at, self._at + self._passed - self._shaper.torn_bytes
        self._passed = 0
        return start, self._at


class _FlvFeed:
    """Its shaper says where it is: it passes over the head of the file, and may leave out tags in its middle."""

    def __init__(self) -> None:
        self._shaper = FlvShaper(FlvRules(replays=0))

    def ops(self, file: FileIO, size: int, tap: Tap, *, broken: bool) -> Iterator[Op]:
        return _feed_all(self._shaper, file, size, tap, broken=broken)

    def count(self, size: int) -> None:
        pass

    def chunk(self) -> tuple[int, int]:
        return self._shaper.chunk_range


class _Mp4Feed:
    """Its shaper rewrites fragments, so that their boxes are counted before it sees them."""

    def __init__(self) -> None:
        self._shaper = Fmp4Shaper(mode="continuous")
        self._first = 0
        self._edge = 0

    def ops(self, file: FileIO, size: int, tap: Tap, *, broken: bool) -> Iterator[Op]:
        self._first = _behind_moov(file, size)
        at, whole = 0, 0
        while at < size:
            kind, length = box_at(file, at)
            end = at + length if length else size
            self._edge = at  # an edge that comes now is that of what lies before this box
            file.seek(at)
            for piece in _pieces(file, min(end, size) - at):
                tap(piece)
                if kind not in _INDEXES:
                    yield from self._shaper.feed(piece)
            if kind == b"mdat" and end <= size:
                whole = end
            at = end
        self._edge = whole
        yield from self._shaper.cut(broken=broken)

    def count(self, size: int) -> None:
        pass

    def chunk(self) -> tuple[int, int]:
        return self._first, self._edge


def _behind_moov(file: FileIO, size: int) -> int:
    """Where the first init segment ends. Raises: Unsupported when there is none, or it is that of a plain MP4."""
    at, length = 0, 1
    while at < size and length:
        kind, length = box_at(file, at)
        if kind == b"moov" and length <= BOX_LIMIT:
            file.seek(at)
            if b"mvex" in file.read(length):
                return at + length
            break
        at += length
    raise Unsupported(f"{file.name} is an MP4 that is not fragmented")


def box_at(file: BinaryIO | FileIO, at: int) -> tuple[bytes, int]:
    """Kind and size of a top-level box; size 0: to the end of the file, or not a box at all."""
    file.seek(at)
    header = file.read(16)
    size = int.from_bytes(header[:4], "big")
    if size == 1:
        size = int.from_bytes(header[8:16], "big")
    return header[4:8], size if size >= 8 else 0


def _feed_all(shaper: Shaper, file: FileIO, size: int, tap: Tap, *, broken: bool) -> Iterator[Op]:
    try:
        for piece in _pieces(file, size):
            tap(piece)
            yield from shaper.feed(piece)
    except FormatError:
        yield from shaper.cut(broken=True)
        raise
    yield from shaper.cut(broken=broken)


def _pieces(file: FileIO, count: int) -> Iterator[memoryview]:
    view = memoryview(bytearray(min(_PIECE_BYTES, count)))
    while count > 0 and (size := file.readinto(view[:count])):
        count -= size
        yield view[:size]


def _moved(span: Span, by_s: float) -> Span:
    """As told by the clock of the whole file, whose tracks have changed in its middle."""
    return span._replace(
        start_s=span.start_s + by_s,
        end_s=span.end_s + by_s,
        keys=tuple(KeyPoint(key.offset, key.at_s + by_s) for key in span.keys),
        repairs=tuple(Repair(r.at_s + by_s, r.code, r.by_s) for r in span.repairs),
    )


def _ignore(_piece: memoryview) -> None:
    pass
