"""The tape of one recording: files that follow each other, chunks and gaps in the order in which they were on air."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ouzel.base.errors import FileRemoved, StorageError
from ouzel.engine.parts import Broken, Counters, Part
from ouzel.engine.programme import Loss, Programme, SegmentNote
from ouzel.engine.sinks.file import FileSink, storage_error
from ouzel.formats.shape import Buffer, Container, Head, Span
from ouzel.model.events import Event, EventCode, Listener
from ouzel.model.flow import Chunk, EndReason, Gap, GapCode, TrackScope
from ouzel.model.ledger_lines import ClockLine, Opening, RunLine
from ouzel.model.report import gap_fields
from ouzel.system.clock import Clock, WallAnchor

_NEW_S = 0.01


@dataclass(frozen=True, slots=True)
class TapeLimits:
    """When to go on in a new file, and when to stop. None = never. Checked at chunk edges, so that nothing is cut."""

    split_after_s: float | None = None
    split_bytes: int | None = None
    duration_s: float | None = None


class Tape:
    """Where a recording's chunks and gaps go. Synchronous: it is driven from the readers' callbacks."""

    def __init__(
        self,
        path_for: Callable[[int, Container], Path],
        *,
        source: str,
        software: str,
        clock: Clock,
        limits: TapeLimits,
        listener: Listener,
        broken: Broken | None = None,
        recording: str = "",
    ) -> None:
        """Args: broken: what is recorded goes on from there. recording: its id, where there is a library."""
        self.counters = Counters()
        self.closed: list[Part] = []
        """Files to be finished by the recorder, in order."""
        self.on_closed: Callable[[], None] = lambda: None
        self.full = False
        """The length that was asked for is reached."""
        self.heads = 0
        """How many came: who wrote the last one is who may go on in the running file."""
        self._path_for = path_for
        self._source = source
        self._software = software
        self._recording = recording
        self._clock = clock
        self.now = clock.monotonic
        self._anchor = WallAnchor(clock)
        self._limits = limits
        self._listener = listener
        self._sink: FileSink | None = None
        self._head: Head | None = None
        self._parts: list[Part] = []
        """All files, in order; while there is a sink, the last is its."""
        self._number = 0
        self._base_s = 0.0
        self._most_s = 0.0
        self._removed: list[Gap] = []
        """What was in files that are gone: still to be told in the ledger of the next."""
        self._run: RunLine | None = None
        self._programme = Programme(self.wall(), broken.until if broken is not None else None)
        self._split_asked = False
        self._resumes_at: int | None = None
        """The sequence number of a first chunk before which nothing is missing after all."""
        self.counters.last_media = clock.monotonic()
        if broken is not None:
            self._number = broken.parts
            self._resumes_at = None if broken.sequence is None else broken.sequence + 1
            self.lose(GapCode.RECORDER_STOPPED, broken.why)

    # -- what sources and intakes say ---------------------------------------------------------------------------------

    def run(self, protocol: str, source: str, quality: str = "") -> None:
        """A connection to a stream begins. It is counted, and noted, with the first chunk that it gives."""
        self._programme.connect()
        self._run = line = RunLine(self.counters.runs + 1, self.wall(), protocol, source, quality)
        self.emit(EventCode.CONNECTED, run=line.number, protocol=protocol, address=source, quality=quality)

    def head(self, head: Head) -> None:
        """What follows opens a new file. Any chunk in progress belongs to the file before, and must be committed already."""
        if self._sink is not None:
            self._retire(EndReason.SPLIT)
        self._head = head
        self.heads += 1

    def write(self, buffers: Sequence[Buffer]) -> None:
        """Append to the chunk in progress. Raises: StorageError."""
        (self._sink or self._open()).write(buffers)

    def commit(self, span: Span, note: SegmentNote, *, scope: TrackScope = "all", came: float | None = None) -> Chunk:
        """The chunk in progress is whole. `came`: monotonic time of its last byte; None: now. Raises: StorageError."""
        sink = self._sink or self._open()
        now = self._clock.monotonic() if came is None else came
        self._look_at_clock()
        self._tell_opened(self._parts[-1])
        programme = self._programme
        wall = programme.wall_of(note, span, self._anchor.at(now))
        programme.settle(span, scope, self._clock.monotonic() - self.counters.last_media)
        while self._removed:
            sink.note(self._removed[0])
            del self._removed[0]
        if scope == "all":
            if note.sequence is None:
                programme.look_for_jump(span, now)
            elif note.sequence == self._resumes_at:
                programme.mend()
            self._resumes_at = None
            self._write_losses(self._parts[-1], wall)
        if self._run is not None:
            sink.note(self._run)
            self.counters.runs, self._run = self._run.number, None
        for repair in span.repairs:
            sink.note(repair)
            at_s = round(self._base_s + repair.at_s, 3)
            self.emit(EventCode.REPAIR, what=repair.code, at_s=at_s, by_s=round(repair.by_s, 3))
        chunk = sink.commit(span, wall=wall, sequence=note.sequence, scope=scope)
        self._count(chunk, now)
        if scope == "all":
            programme.follow(chunk, span, span.duration_s if note.duration_s is None else note.duration_s)
        return chunk

    def rollback(self) -> None:
        if self._sink is not None:
            self._sink.rollback()

    def trim(self, excess: int) -> None:
        if self._sink is not None:
            self._sink.trim(excess)

    def take_back(self) -> None:
        """The last chunk is void; a whole copy of it follows, and what was missing after it is not missing any more."""
        sink = self._sink
        if sink is None or sink.last is None:
            return
        last = sink.last
        sink.take_back()
        self._parts[-1].bytes -= last.length
        self.counters.bytes -= last.length
        self.counters.chunks -= 1
        self.counters.media_s = self._base_s + sink.media_s
        self._programme.take_back(last)

    def lose(
        self,
        code: GapCode,
        why: str,
        *,
        missing_s: float | None = None,
        first_sequence: int | None = None,
        last_sequence: int | None = None,
        scope: TrackScope = "all",
        ahead_s: float = 0.0,
    ) -> None:
        """A stretch is missing here, or `ahead_s` later in the file. Written as a Gap when the next chunk with pictures is
        committed, merged with its like."""
        self._programme.lose(Loss(code, why, missing_s, first_sequence, last_sequence, scope, ahead_s))

    def mend(self) -> None:
        """Nothing is known to be lost since the last chunk: all that the source has came again, or it never came back."""
        self._programme.mend()

    # -- what the recorder says ---------------------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """Bytes of the chunk in progress."""
        return self._sink.written - self._sink.size if self._sink else 0

    @property
    def on_air(self) -> bool:
        """Whether what is not fetched in time is gone."""
        return self._programme.goes_by

    @property
    def recorded(self) -> bool:
        return self.counters.chunks > 0

    @property
    def gaps(self) -> list[Gap]:
        """All gaps, in the recording's own time (the files' times added up)."""
        found: list[Gap] = []
        base_s = 0.0
        for part in self._parts:
            found += [replace(gap, at_s=base_s + gap.at_s) for gap in part.gaps]
            base_s += part.media_s
        return found

    @property
    def removed(self) -> FileRemoved | None:
        """Why the first of the files that were taken away is not kept."""
        return next((part.removed() for part in self._parts if part.lost), None)

    @property
    def file_s(self) -> float:
        return self._sink.media_s if self._sink else 0.0

    @property
    def current_path(self) -> Path | None:
        return self._sink.part_path if self._sink else None

    def look(self, part: Part | None = None) -> None:
        """Notice that the running file, or a closed part, was taken away, and tell it once. To be called every few seconds.

        Recording then goes on in a new file, at the next edge; a ledger alone is written again. Raises: StorageError.
        """
        part = part or (self._parts[-1] if self._sink is not None else None)
        if part is None or part.lost:
            return
        code, sink = FileRemoved.code, part.sink
        if not sink.is_there():
            part.lost = True
            self.emit(EventCode.WARNING, code=code, why=f"{part.removed()}: what it held is lost to this recording")
            if part.sink is not self._sink:
                self._strike(part)
        elif sink.keep_ledger():
            self.emit(EventCode.WARNING, code=code, why=f"{sink.ledger_path} was taken away, and is written again")

    def split(self) -> None:
        """Go on in a new file at the next edge."""
        self._split_asked = True

    def due_for_split(self) -> bool:
        """Whether the running file has reached its length or size, is to end, or is gone."""
        sink, limits = self._sink, self._limits
        if sink is None or not sink.chunks or self.full:
            return False
        return (
            self._parts[-1].lost
            or self._split_asked
            or (limits.split_after_s is not None and sink.media_s >= limits.split_after_s - 0.001)
            or (limits.split_bytes is not None and sink.size + self._next_length() > limits.split_bytes)
        )

    def finish(self, reason: EndReason, *, goes_on: bool = False) -> None:
        """No more chunks will come. `goes_on`: not here; who takes it up tells what is missing behind the last one."""
        if goes_on:
            self._programme.forget()
        if reason is EndReason.GONE:  # it never came back: what it sent meanwhile, if anything, nobody knows
            self.mend()
        if self._programme.has_losses and self._sink is not None and self._sink.chunks:
            self._write_losses(self._parts[-1], self.wall())
        self._retire(reason)

    def wall(self) -> datetime:
        return self._anchor.at(self._clock.monotonic())

    # -- inside -------------------------------------------------------------------------------------------------------

    def _open(self) -> FileSink:
        if self._head is None:
            raise AssertionError("bytes before any head")
        self._number += 1
        try:
            path = self._path_for(self._number, self._head.container)
            opening = Opening(
                path.name, self._head.container, self.wall(), self._source, self._number, self._software,
                recording=self._recording,
            )  # fmt: skip
            self._sink = FileSink(path, opening, self._head)
        except BaseException:
            self._number -= 1
            raise
        self._parts.append(Part(self._sink, self._head.tracks))
        self._head = None  # it may be large (FLV reserves room for an index), and every file has one of its own
        return self._sink

    def _tell_opened(self, part: Part) -> None:
        """With its first chunk, once: nothing may come of a file that is open."""
        if not part.told:
            part.told = True
            self.emit(EventCode.FILE_OPENED, **part.fields())

    def _retire(self, reason: EndReason) -> None:
        if self._sink is None:
            return
        self._split_asked = False
        part = self._parts[-1]
        with suppress(StorageError):  # then closing it will say so
            self.look()
        self._sink = None
        part.sink.rollback()
        part.reason = reason
        if not part.sink.chunks:
            self._discard(part)
            return
        self._base_s += part.sink.media_s
        if part.lost:
            self._strike(part)
            self._removed += part.gaps
        self.closed.append(part)
        self.on_closed()

    def _discard(self, part: Part) -> None:
        """Nothing came of this file: the next one has its name, and is told what was missing in it."""
        self._removed += part.gaps
        try:
            part.sink.discard()
        except OSError as exc:
            error = storage_error(exc, part.sink.part_path)
            self.emit(EventCode.WARNING, code=error.code, why=str(error))
        else:
            self._number -= 1

    def _strike(self, part: Part) -> None:
        """A closed file is gone: what it held is missing, and no longer counted as kept."""
        counters, media_s = self.counters, part.sink.media_s
        gap = part.as_gap(self.wall())
        counters.gaps += 1 - len(part.gaps)
        counters.missing_s += gap.missing_s - sum(each.missing_s for each in part.gaps)
        counters.bytes -= part.bytes
        counters.media_s -= media_s
        self._base_s -= media_s
        self._most_s = min(self._most_s, counters.media_s)
        part.gaps = [gap]
        self.emit(EventCode.GAP, **gap_fields(replace(gap, at_s=max(0.0, self._base_s))))

    def _count(self, chunk: Chunk, now: float) -> None:
        c = self.counters
        c.bytes += chunk.length
        c.chunks += 1
        part = self._parts[-1]
        part.bytes += chunk.length
        if chunk.scope == "all":
            part.since = part.since or chunk.wall
            c.media_s = self._base_s + chunk.end_s
            if c.media_s > self._most_s + _NEW_S:  # the last group again, after each reconnect, is no sign of life
                self._most_s = c.media_s
                c.last_media = now
            if not part.lost and self._limits.duration_s is not None and c.media_s >= self._limits.duration_s - 0.001:
                self.full = True

    def _next_length(self) -> int:
        return self._sink.last.length if self._sink and self._sink.last else 0

    def _write_losses(self, part: Part, until: datetime) -> None:
        for gap in self._programme.take_gaps(part.sink.media_s, until):
            part.sink.note(gap)
            part.gaps.append(gap)
            part.since = part.since or gap.wall_start
            self.counters.gaps += 1
            self.counters.missing_s += gap.missing_s
            self.emit(EventCode.GAP, **gap_fields(replace(gap, at_s=self._base_s + gap.at_s)))

    def _look_at_clock(self) -> None:
        if step := self._anchor.step():
            line = ClockLine(self.wall(), step)
            if self._sink is not None:
                self._sink.note(line)
            self._programme.step(step)
            self.emit(EventCode.CLOCK_SET, by_s=round(step, 3))

    def emit(self, code: EventCode, /, **data: Any) -> None:
        """Tell the listener something that happened to this recording."""
        self._listener(Event(self.wall(), code, self._source, data))
