"""A raw track whose clock begins anew on the way, as a file with one clock: through the shaper that recordings go through.

The track stays as it is. What comes of it is a native file with a ledger like any recording's, gaps included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import FileIO
from pathlib import Path

from ouzel import __version__
from ouzel.base.errors import Damaged, Unsupported
from ouzel.engine.closing import closing_patches
from ouzel.engine.ledgers import Held
from ouzel.engine.sinks.file import FileSink, storage_error
from ouzel.formats.fmp4 import Fmp4Shaper
from ouzel.formats.mpegts import TsShaper
from ouzel.formats.shape import Edge, Head, Op, Shaper, Span
from ouzel.model import ledger
from ouzel.model.flow import Chunk, Gap
from ouzel.model.ledger_lines import Opening, RunLine
from ouzel.system.clock import Clock

_PIECE_BYTES = 1 << 20


def is_restamped(held: Held) -> bool:
    """Whether the clock of the track may not run through: it says so, or something is missing in it."""
    return held.opening.container in {"ts", "mp4"} and (
        any(chunk.discontinuity for chunk in held.ledger.chunks) or bool(held.ledger.gaps)
    )


def restamp(held: Held, out: Path, clock: Clock) -> Path:
    """Blocking. Raises: Unsupported, Damaged, OutputExists, StorageError."""
    work = _Work(held, out, clock)
    try:
        with held.media.open("rb", buffering=0) as file:
            work.run(file)
    except OSError as exc:
        work.discard()
        raise storage_error(exc, held.media) from exc
    except BaseException:
        work.discard()
        raise
    return out


class _Work:
    def __init__(self, held: Held, out: Path, clock: Clock) -> None:
        self._held = held
        self._out = out
        self._clock = clock
        self._gaps = list(held.ledger.gaps)
        self._sink: FileSink | None = None
        self._chunk: Chunk | None = None
        self._shaper = _shaper(held)

    def run(self, file: FileIO) -> None:
        head = self._held.ledger.head
        if head is not None and head.length:
            self._take(self._shaper.feed(memoryview(bytearray(file.read(head.length)))))
        before: Chunk | None = None
        for chunk in self._held.ledger.chunks:
            missing = self._pass_gaps(chunk)
            if before is not None and (missing or chunk.discontinuity):
                self._take(self._shaper.cut())
                self._shaper.splice()
            self._chunk = before = chunk
            at, end = chunk.offset, chunk.offset + chunk.length
            while at < end:
                file.seek(at)
                data = bytearray(file.read(min(_PIECE_BYTES, end - at)))
                if not data:
                    raise Damaged(f"{self._held.media} is shorter than its ledger says")
                at += len(data)
                self._take(self._shaper.feed(memoryview(data)))
            self._take(self._shaper.cut())
        self._close()

    def discard(self) -> None:
        if self._sink is not None:
            self._sink.discard()

    def _pass_gaps(self, chunk: Chunk) -> bool:
        """Tell the gaps before this chunk. Returns: whether there were any."""
        passed = False
        while self._gaps and self._gaps[0].at_s <= chunk.start_s:
            if self._sink is not None:
                self._sink.note(_moved(self._gaps[0], self._sink.media_s))
            self._gaps.pop(0)
            passed = True
        return passed

    def _take(self, ops: Iterator[Op]) -> None:
        for op in ops:
            match op:
                case Head():
                    if self._sink is not None:
                        raise Unsupported(f"the tracks of {self._held.media} change on the way")
                    self._sink = self._open(op)
                case Edge(span):
                    self._commit(span)
                case bytes() | bytearray() | memoryview():
                    assert self._sink is not None
                    self._sink.write([op])
                case _:
                    raise AssertionError("a file was taken for a connection")

    def _open(self, head: Head) -> FileSink:
        before = self._held.opening
        opening = Opening(self._out.name, head.container, before.started, before.source, 1, f"ouzel {__version__}")
        sink = FileSink(self._out, opening, head)
        sink.note(RunLine(1, before.started, "download", before.source))
        return sink

    def _commit(self, span: Span) -> None:
        sink, chunk = self._sink, self._chunk
        assert sink is not None
        assert chunk is not None
        if span.excess >= sink.written - sink.size:
            sink.rollback()
            return
        if span.excess:
            sink.trim(span.excess)
        sink.commit(span, wall=chunk.wall, sequence=chunk.sequence, scope="all")

    def _close(self) -> None:
        sink = self._sink
        if sink is None or not sink.chunks:
            raise Damaged(f"no media could be read in {self._held.media}")
        for gap in self._gaps:
            sink.note(_moved(gap, sink.media_s))
        patches, tail = closing_patches(sink.part_path, ledger.read(sink.ledger_path.read_bytes()))
        sink.close("ended", self._clock.now(), patches, tail)


def _moved(gap: Gap, at_s: float) -> Gap:
    return replace(gap, at_s=at_s)


def _shaper(held: Held) -> Shaper:
    if held.opening.container == "ts":
        return TsShaper("segments")
    if held.opening.container == "mp4":
        return Fmp4Shaper()
    raise Unsupported(f"{held.media} has no clock that Ouzel can set")
