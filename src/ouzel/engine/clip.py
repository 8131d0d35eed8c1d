"""A piece of a recording, without re-encoding: from a key frame to a key frame.

A native recording is cut by its ledger: the bytes between two key frames go through a shaper, as if they came from the network,
into a file with a ledger of its own, whose time begins at 0. Products, downloads, whose ledgers know no key frames, and what
others made are cut by ffmpeg.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

import anyio.to_thread

from ouzel import __version__
from ouzel.base.errors import BadOption, Damaged, OutputExists, Unsupported
from ouzel.base.units import format_clock
from ouzel.engine import ledgers
from ouzel.engine.closing import closing_patches
from ouzel.engine.convert import Piece, convert
from ouzel.engine.ledgers import Held
from ouzel.engine.meter import Meter, OnProgress
from ouzel.engine.probe import find_edges, probe
from ouzel.engine.products import remove
from ouzel.engine.rebuild import whole
from ouzel.engine.recipes import check_format
from ouzel.engine.sinks.file import FileSink, storage_error
from ouzel.formats.flv.rules import FlvRules
from ouzel.formats.flv.shaper import FlvShaper
from ouzel.formats.fmp4 import Fmp4Shaper
from ouzel.formats.mpegts import TsShaper
from ouzel.formats.shape import Edge, Head, Op, Shaper, Span, TakeBack
from ouzel.model import ledger
from ouzel.model.clips import Cut, check_range, gaps_within, plan_cut, wall_at
from ouzel.model.flow import Chunk, Gap
from ouzel.model.ledger_lines import BYTES_CHANGED, Line, Opening, RunLine
from ouzel.model.media import Edges
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import FfmpegFinder

_PIECE_BYTES = 256 * 1024
_STEP_S = 10.0  # as in `reading`
_REASON = "clip"
_SEEK_ALLOWANCE_S = 3 / 23  # of `ffmpeg -ss`, in demuxers that do not search by presentation time
_ROUNDING_S = 0.001  # times in FLV and Matroska are rounded to this


@dataclass(frozen=True, slots=True)
class Clipped:
    """A piece, and what of the recording is in it. Times in seconds."""

    path: Path
    start_s: float
    """Where in the recording it really begins, and ends."""
    end_s: float
    size: int
    media_s: float
    """Its own length; a little more than the difference where the sound overhangs."""
    gaps: tuple[Gap, ...] = ()
    """Those within, told in the time of the piece."""
    warnings: tuple[str, ...] = ()


async def clip(
    path: Path,
    from_s: float,
    to_s: float,
    out: Path,
    *,
    ffmpeg: FfmpegFinder | None = None,
    clock: Clock | None = None,
    on_progress: OnProgress | None = None,
) -> Clipped:
    """Cut a piece out of a recording, finished or running.

    It begins with the last key frame at or before `from_s` and ends before the first one at or after `to_s`, so that it holds all
    that was asked for, and mostly a little more.

    Args:
        out: its ending says the format; must not exist, nor a ledger of its name.
    Raises: BadOption when the times do not lie in the recording; OutputExists, NotALedger, MediaError, ToolError, StorageError.
    """
    target = out.suffix.lstrip(".").lower()
    check_format(target)
    held = await anyio.to_thread.run_sync(_find, path, out)
    finder, clock = ffmpeg or FfmpegFinder(), clock or SystemClock()
    if held is None or held.product is not None or held.opening.download:
        return await _by_ffmpeg(path, held, (from_s, to_s), out, finder, clock, on_progress)
    native = out.with_suffix(f".{held.opening.container}")
    noted = _noted(held)
    if held.ledger.damaged:
        held = await anyio.to_thread.run_sync(whole, held)
    work = _Work(held, plan_cut(held.ledger, from_s, to_s), native, clock)
    clipped = await anyio.to_thread.run_sync(work.run, on_progress)
    clipped = replace(clipped, warnings=(*noted, *clipped.warnings))
    if native == out:
        return clipped
    try:
        made = await convert(native, target, out=out, ffmpeg=finder, clock=clock)
        await anyio.to_thread.run_sync(remove, native)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_discard, native)
        raise
    return Clipped(
        out,
        clipped.start_s,
        clipped.end_s,
        made.size,
        made.duration_s,
        clipped.gaps,
        (*clipped.warnings, *made.warnings),
    )


def _find(path: Path, out: Path) -> Held | None:
    ledgers.check_media(path)
    for taken in (out, ledgers.ledger_path(out)):
        if os.path.lexists(taken):
            raise OutputExists(f"{taken} exists already; give another name or remove it")
    held = ledgers.find(path)
    if held is not None and held.is_open and held.opening.download:
        raise BadOption(f"{path} is a download that is not finished: pieces of it are missing")
    return held


def _noted(held: Held) -> tuple[str, ...]:
    """What is wrong with the ledger, as a warning."""
    if held.ledger.damaged:
        return (f"the ledger of {held.media} is damaged: the piece is cut by what is in the media itself",)
    if held.ledger.closing is None and not held.is_open:
        return (f"{held.media} was never closed: there may be more in it than its ledger tells",)
    return ()


def _discard(native: Path) -> None:
    native.unlink(missing_ok=True)
    ledgers.ledger_path(native).unlink(missing_ok=True)


# -- by the ledger ----------------------------------------------------------------------------------------------------


class _Work:
    """Copies a piece of a native recording, in a worker thread."""

    def __init__(self, held: Held, cut: Cut, out: Path, clock: Clock) -> None:
        self._held = held
        self._cut = cut
        self._out = out
        self._clock = clock
        self._gaps = list(cut.gaps)
        self._harm: tuple[Chunk, ...] = ()
        self._chunks = [chunk for chunk in held.ledger.chunks if chunk.scope == "all"]
        self._sink: FileSink | None = None

    def run(self, on_progress: OnProgress | None) -> Clipped:
        meter = Meter(self._cut.bytes, on_progress)
        shaper = _shaper(self._held)
        try:
            with self._held.media.open("rb", buffering=0) as file:
                self._harm = tuple(self._harmed(file.fileno()))
                self._take(shaper.feed(_preamble(file, self._held)))
                if self._held.opening.container == "ts":
                    shaper.splice()  # the tables are known; their counters do not lead to what follows
                for piece in _pieces(file, self._cut):
                    self._take(shaper.feed(piece))
                    meter.take(len(piece))
            self._take(shaper.cut())
            return self._close()
        except OSError as exc:
            self._discard()
            raise storage_error(exc, self._held.media) from exc
        except BaseException:
            self._discard()
            raise

    def _take(self, ops: Iterator[Op]) -> None:
        for op in ops:
            match op:
                case Head():
                    if self._sink is not None:
                        raise Damaged(f"the tracks of {self._held.media} change within the piece: cut it in two")
                    self._sink = self._open(op)
                case Edge(span):
                    self._commit(span)
                case TakeBack():
                    raise AssertionError("a file was taken for a connection")
                case _:
                    assert self._sink is not None
                    self._sink.write([op])

    def _harmed(self, fd: int) -> Iterator[Chunk]:
        """The chunks of the piece in which something is wrong: it came so, or their bytes are not those that were written."""
        for chunk in self._chunks:
            if chunk.end_s <= self._cut.start_s or chunk.start_s >= self._cut.end_s:
                continue
            if chunk.damage:
                yield chunk
            elif ledgers.digest_of(fd, chunk.offset, chunk.length) != chunk.digest and not self._is_taken_back(
                fd, chunk
            ):
                yield replace(chunk, damage=BYTES_CHANGED)

    def _is_taken_back(self, fd: int, chunk: Chunk) -> bool:
        """Whether the recording goes on, and its last chunk has just been removed."""
        running = self._held.ledger.closing is None
        return running and chunk is self._chunks[-1] and os.fstat(fd).st_size < chunk.offset + chunk.length

    def _damage_of(self, span: Span) -> str:
        """What is wrong with the chunk of the recording that this one was; edges move a little when tracks are cut anew."""
        start_s, end_s = self._cut.start_s + span.start_s, self._cut.start_s + span.end_s
        for chunk in self._harm:
            shared_s = min(end_s, chunk.end_s) - max(start_s, chunk.start_s)
            if shared_s > min(span.duration_s, chunk.duration_s) / 2:
                return chunk.damage
        return ""

    def _open(self, head: Head) -> FileSink:
        before = self._held.ledger.opening
        wall = wall_at(self._chunks, self._cut.start_s)
        opening = Opening(
            self._out.name, head.container, wall, before.source, 1, f"ouzel {__version__}", before.rebuilt
        )
        sink = FileSink(self._out, opening, head)
        sink.note(RunLine(1, wall, _REASON, self._held.media.name))
        return sink

    def _commit(self, span: Span) -> None:
        sink = self._sink
        assert sink is not None
        if span.excess >= sink.written - sink.size:
            sink.rollback()
            return
        if span.excess:
            sink.trim(span.excess)
        while self._gaps and self._gaps[0].at_s <= span.start_s:
            sink.note(self._gaps.pop(0))
        wall = wall_at(self._chunks, self._cut.start_s + span.start_s)
        told = span if span.damage else span._replace(damage=self._damage_of(span))
        sink.commit(told, wall=wall, sequence=None, scope="all")

    def _close(self) -> Clipped:
        sink = self._sink
        if sink is None or not sink.chunks:
            raise Damaged(f"no media could be read in this piece of {self._held.media}")
        for gap in self._gaps:
            sink.note(gap)
        patches, tail = closing_patches(sink.part_path, ledger.read(sink.ledger_path.read_bytes()))
        sink.close(_REASON, self._clock.now(), patches, tail)
        cut = self._cut
        warnings = tuple(f"{_at(chunk)} of {self._held.media} is damaged: {chunk.damage}" for chunk in self._harm)
        end_s = cut.start_s + sink.media_s if self._harm and sink.media_s < cut.end_s - cut.start_s else cut.end_s
        return Clipped(self._out, cut.start_s, end_s, sink.size + len(tail), sink.media_s, cut.gaps, warnings)

    def _discard(self) -> None:
        if self._sink is not None:
            self._sink.discard()


def _at(chunk: Chunk) -> str:
    return f"{format_clock(chunk.start_s)} to {format_clock(chunk.end_s)}"


def _shaper(held: Held) -> Shaper:
    match held.opening.container:
        case "ts":
            return TsShaper("continuous", tolerance_s=_STEP_S)
        case "flv":
            return FlvShaper(FlvRules(replays=0))
        case "mp4":
            return Fmp4Shaper(mode="continuous")
        case "raw":
            raise Unsupported(f"{held.media} is of no kind that Ouzel can cut itself")


def _preamble(file: FileIO, held: Held) -> memoryview:
    """What a shaper must see before any chunk."""
    head = held.ledger.head
    return memoryview(bytearray(head.preamble or file.read(head.length) if head else b""))


def _pieces(file: FileIO, cut: Cut) -> Iterator[memoryview]:
    for stretch in cut.stretches:
        at, end = stretch.offset, stretch.offset + stretch.length
        while at < end:
            file.seek(at)
            data = bytearray(file.read(min(_PIECE_BYTES, end - at)))
            if not data:
                return  # a running recording has just taken its last chunk back
            at += len(data)
            yield memoryview(data)


# -- by ffmpeg --------------------------------------------------------------------------------------------------------


async def _by_ffmpeg(
    path: Path,
    held: Held | None,
    wish: tuple[float, float],
    out: Path,
    finder: FfmpegFinder,
    clock: Clock,
    on_progress: OnProgress | None,
) -> Clipped:
    found = await probe(path, depth="header")
    check_range(*wish, found.duration_s or wish[1])
    edges = await find_edges(path, *wish)
    start_s, end_s = 0.0 if edges.is_first else edges.start_s, edges.end_s
    gaps = gaps_within(held.ledger, start_s, end_s) if held else ()
    lines: tuple[Line, ...] = (replace(held.opening, download=False), *gaps) if held else ()
    piece = Piece(_seek_to(edges), edges.cut_s, end_s - edges.start_s, lines)
    made = await convert(
        path, out.suffix.lstrip(".").lower(), out=out, ffmpeg=finder, clock=clock, on_progress=on_progress, piece=piece
    )
    return Clipped(out, start_s, end_s, made.size, made.duration_s, gaps, made.warnings)


def _seek_to(edges: Edges) -> float:
    """What ffmpeg is told to begin with, so that the first key frame it takes is the one that was found.

    Most of its demuxers search by decode time; it goes back by a fixed allowance for that when there are B-frames. Where this is
    not enough it is told to begin so much earlier.
    """
    early_s = max(0.0, edges.delay_s - _SEEK_ALLOWANCE_S) + _ROUNDING_S
    return 0.0 if edges.is_first else edges.start_s - early_s
