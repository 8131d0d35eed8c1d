"""The tape of one recording: files that follow each other, chunks and gaps in the order in which they were on air."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from ouzel.base.errors import FileRemoved, StorageError
from ouzel.engine.parts import Broken, Counters, Loss, Part
from ouzel.engine.sinks.file import FileSink, storage_error
from ouzel.formats.shape import Buffer, Container, Head, Span
from ouzel.model.events import Event, EventCode, Listener
from ouzel.model.flow import Chunk, EndReason, Gap, GapCode, TrackScope
from ouzel.model.ledger_lines import ClockLine, Opening, RunLine
from ouzel.model.report import gap_fields
from ouzel.system.clock import Clock, WallAnchor

_CONTINUES_S = 0.1  # a source whose clock goes on within this has lost nothing
_NEW_S = 0.01
_JUMP_S = 1.0  # a clock that jumps by less may be corrected; and as long as this nothing must have come
_CLOCK_SLACK_S = 30.0  # a server may hold this much back; a larger difference is another clock, not a loss


@dataclass(frozen=True, slots=True)
class TapeLimits:
    """When to go on in a new file, and when to stop. None = never. Checked at chunk edges, so that nothing is cut."""

    split_after_s: float | None = None
    split_bytes: int | None = None
    duration_s: float | None = None


class SegmentNote(NamedTuple):
    """What the source knows of a chunk beyond its bytes."""

    sequence: int | None = None
    wall: datetime | None = None
    """When its first frame was on air, where the source tells."""
    duration_s: float | None = None
    """How long it was on air, where the source tells; else its media time."""


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
        self._losses: list[Loss] = []
        self.on_air = True
        """False in a complete playlist without dates: when it was on air nobody knows, and it does not go by."""
        self._is_dated = False
        self._on_air_until: datetime | None = None
        self._source_until: float | None = None
        self._arrivals: deque[tuple[float, float]] = deque(maxlen=3)
        """When the last chunks of this connection had come, and how long they are."""
        self._began = self.wall()
        self._split_asked = False
        self._resumes_at: int | None = None
        """The sequence number of a first chunk before which nothing is missing after all."""
        self.counters.last_media = clock.monotonic()
        if broken is not None:
            self._number, self._on_air_until = broken.parts, broken.until
            self._resumes_at = None if broken.sequence is None else broken.sequence + 1
            self.lose(GapCode.RECORDER_STOPPED, broken.why)

    # -- what sources and intakes say ---------------------------------------------------------------------------------

    def run(self, protocol: str, source: str, quality: str = "") -> None:
        """A connection to a stream begins. It is counted, and noted, with the first chunk that it gives."""
        self._arrivals.clear()
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
        wall = self._wall_of(note, span, now)
        self._settle_open_losses(span, scope)
        while self._removed:
            sink.note(self._removed[0])
            del self._removed[0]
        if scope == "all":
            if note.sequence is None:
                self._look_for_jump(span, now)
            elif note.sequence == self._resumes_at:
                self.mend()
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
        self._count(chunk, now, span.duration_s if note.duration_s is None else note.duration_s)
        if scope == "all":
            self._source_until = None if span.source_s is None else span.source_s + span.duration_s
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
        self._on_air_until = last.wall
        self.mend()

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
        loss = Loss(code, why, missing_s, first_sequence, last_sequence, scope, ahead_s)
        if self._losses and self._losses[-1].take(loss):
            return
        if missing_s is None and any(loss.missing_s is None and loss.scope == scope for loss in self._losses):
            return  # an open loss is running already: its first cause stands
        self._losses.append(loss)

    def mend(self) -> None:
        """Nothing is known to be lost since the last chunk: all that the source has came again, or it never came back."""
        self._losses = [loss for loss in self._losses if loss.missing_s is not None]

    # -- what the recorder says ---------------------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """Bytes of the chunk in progress."""
        return self._sink.written - self._sink.size if self._sink else 0

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

    def finish(self, reason: EndReason) -> None:
        """No more chunks will come."""
        if reason is EndReason.GONE:  # it never came back: what it sent meanwhile, if anything, nobody knows
            self.mend()
        if self._losses and self._sink is not None and self._sink.chunks:
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

    def _wall_of(self, note: SegmentNote, span: Span, now: float) -> datetime:
        """When a chunk was on air, if the source tells; else when it came, less its length."""
        self._is_dated |= note.wall is not None
        self.on_air = self._is_dated or note.sequence is None
        if note.wall is not None:
            return note.wall
        came = self._anchor.at(now)
        wall, before = came - timedelta(seconds=span.duration_s), self._on_air_until
        if before is None or (self._losses and self.on_air):
            return wall
        if not self._is_dated:  # a file, or a burst at the start, comes faster than it plays; it is not ahead of us
            before = min(before, came)
        return max(wall, before)  # arrival jitters; the programme does not go back in time

    def _count(self, chunk: Chunk, now: float, on_air_s: float) -> None:
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
            self._on_air_until = chunk.wall + timedelta(seconds=on_air_s)
            if not part.lost and self._limits.duration_s is not None and c.media_s >= self._limits.duration_s - 0.001:
                self.full = True

    def _next_length(self) -> int:
        return self._sink.last.length if self._sink and self._sink.last else 0

    def _settle_open_losses(self, span: Span, scope: TrackScope) -> None:
        """After a drop the source's own clock tells what is missing, if it went on running; nothing, if it continues."""
        if span.source_s is None or self._source_until is None:
            return
        missing = span.source_s - self._source_until
        away = self._clock.monotonic() - self.counters.last_media
        for loss in [loss for loss in self._losses if loss.missing_s is None and loss.scope == scope]:
            goes_on = abs(missing) <= _CONTINUES_S
            if goes_on and not span.lost_s:
                self._losses.remove(loss)
            elif goes_on or 0 < missing < away + _CLOCK_SLACK_S:
                loss.missing_s = max(missing, span.lost_s)
            else:
                continue
            sound_s = span.sound_lost_s - (loss.missing_s or 0.0)
            if scope == "all" and sound_s > _NEW_S:
                self.lose(loss.code, loss.why, missing_s=sound_s, scope="audio")

    def _look_for_jump(self, span: Span, now: float) -> None:
        """Whether the source was away while the connection stood: its clock jumped, and for a while nothing came."""
        self._arrivals.append((now, span.duration_s))
        if span.source_s is None or self._source_until is None or self._losses or len(self._arrivals) < 2:
            return
        jumped = span.source_s - self._source_until
        if abs(jumped) < _JUMP_S:
            return
        quiet = sum(max(0.0, late - before - took) for (before, _), (late, took) in pairwise(self._arrivals))
        missing = min(jumped, quiet) if jumped > 0 else quiet
        if missing >= _JUMP_S:
            why = f"nothing came for {quiet:.1f} s, and then the source's clock had jumped by {jumped:+.1f} s"
            self.lose(GapCode.UPSTREAM_JUMP, why, missing_s=missing)

    def _write_losses(self, part: Part, until: datetime) -> None:
        starts = dict.fromkeys(("all", "audio"), self._on_air_until or self._began)
        losses, self._losses = self._losses, []
        for loss in losses:
            start = max(starts[loss.scope], (self._on_air_until or self._began) + timedelta(seconds=loss.ahead_s))
            missing = loss.missing_s
            if missing is None:
                missing = max(0.0, (until - start).total_seconds())
            end = start + timedelta(seconds=missing)
            if not self.on_air:
                start = end = until
            elif not self._is_dated and end > until:
                end = until
                start = start if start < end else end - timedelta(seconds=missing)  # what we had came ahead of its time
            which = (loss.first_sequence, loss.last_sequence, loss.scope)
            gap = Gap(part.sink.media_s + loss.ahead_s, loss.code, loss.why, start, end, missing, *which)
            part.sink.note(gap)
            part.gaps.append(gap)
            part.since = part.since or start
            self.counters.gaps += 1
            self.counters.missing_s += missing
            self.emit(EventCode.GAP, **gap_fields(replace(gap, at_s=self._base_s + gap.at_s)))
            starts[loss.scope] = end

    def _look_at_clock(self) -> None:
        if step := self._anchor.step():
            line = ClockLine(self.wall(), step)
            if self._sink is not None:
                self._sink.note(line)
            if self._on_air_until is not None:
                self._on_air_until += timedelta(seconds=step)
            self.emit(EventCode.CLOCK_SET, by_s=round(step, 3))

    def emit(self, code: EventCode, /, **data: Any) -> None:
        """Tell the listener something that happened to this recording."""
        self._listener(Event(self.wall(), code, self._source, data))
