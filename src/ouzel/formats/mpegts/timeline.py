"""The media time of a file, and of each of its chunks, from the decode time stamps of a transport stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from ouzel.formats.mpegts.packets import TICKS, WRAP
from ouzel.formats.retime import Retimer, RetimerState
from ouzel.formats.shape import KeyPoint, Span, SpanBuilder

_DEFAULT_STEP = TICKS // 30
_SEVERITY = {"": 0, "continuity": 1, "garbage": 2, "truncated": 3, "no_media": 4}


class TimelineState(NamedTuple):
    retimer: RetimerState
    lead: int
    zero: int | None
    start: int
    source: tuple[int | None, int, int | None]
    beside: int | None
    left_out: Mapping[int, int]


class Timeline:
    """Gives every sample its offset and every chunk its Span.

    The leading track is the picture, or the sound where there is none: chunks begin and end with its samples.

    Args:
        tolerance_s, backward_s: steps of a track's time stamps, forward and backward, that are not jumps.
    """

    __slots__ = (
        "_beside",
        "_leaving",
        "_start",
        "_trimmed",
        "_turns",
        "_zero",
        "lead",
        "left_out",
        "others",
        "raw",
        "retimer",
        "shown",
        "span",
        "units",
    )

    def __init__(self, tolerance_s: float, backward_s: float) -> None:
        self.retimer = Retimer(
            TICKS,
            tolerance=round(tolerance_s * TICKS),
            backward=round(backward_s * TICKS),
            default_step=_DEFAULT_STEP,
            wrap_bits=33,
            zero=None,
        )
        self.lead = -1
        """PID of the leading track."""
        self.span = SpanBuilder()
        self.units = 0
        """Units of picture and sound in this chunk."""
        self.others: set[int] = set()
        """Tracks with a unit in this chunk, but for the leading one."""
        self.raw: int | None = None
        """The last decode time stamp of the leading track, as it came; None after a break."""
        self.shown: int | None = None
        """The latest presentation time of the leading track, in file time."""
        self.left_out: Mapping[int, int] = {}
        """Source time from which tracks are missing since the last chunk: of the units with which they were to go on."""
        self._leaving: dict[int, int] = {}
        self._turns = 0
        self._trimmed: tuple[int, int] | None = None
        self._zero: int | None = None
        self._start = 0
        self._beside: int | None = None  # where the other tracks had got to at the end of the last chunk that had any

    # -- samples ------------------------------------------------------------------------------------------------------

    @property
    def started(self) -> bool:
        return self.retimer.started

    @property
    def shift(self) -> int:
        """What is added to stamps of no track in particular: the common offset, less whole turns of the counter."""
        return self.retimer.offset % WRAP

    def begin(self, firsts: Mapping[int, int], delay: int, *, new_file: bool, spliced: bool) -> None:
        """The first decode time stamps of all tracks are known, before any of them is placed.

        `delay`: by how much the first sample of the leading track is presented later than decoded. A new file keeps the
        source's own stamps.
        """
        if new_file:
            self.retimer.start(firsts)
        elif spliced:
            self._see_what_came_again(firsts)
            self._leave_room(delay)
            self.retimer.splice(firsts)
        else:
            return
        self.raw, self._turns, self.shown = None, 0, None

    def _see_what_came_again(self, firsts: Mapping[int, int]) -> None:
        """Whether the tracks go on with what was left out of the last chunk, or behind it."""
        for pid, dts in self.left_out.items():
            if pid in firsts:
                lost_s = ((firsts[pid] - dts + WRAP // 2) % WRAP - WRAP // 2) / TICKS
                if pid == self.lead:
                    self.span.lost_s = max(0.0, lost_s)
                else:
                    self.span.sound_lost_s = max(self.span.sound_lost_s, lost_s)

    def _leave_room(self, delay: int) -> None:
        """Where the last pictures of a group are missing, one that was sent ahead of them may be presented later than the
        next one that is decoded: that one comes after it."""
        last = self.retimer.last(self.lead)
        if last is None or self.shown is None:
            return
        ahead = self.shown - last - delay
        if ahead > 0:
            self.retimer.lasts(self.lead, self.retimer.end(self.lead) - last + ahead)

    def place(self, pid: int, dts: int, delay: int = 0) -> int:
        """What to add to the stamps of a sample of this track, modulo 2^33. `delay`: of its presentation."""
        offset = self.retimer.place(pid, dts)
        self.units += 1
        if pid != self.lead:
            self.others.add(pid)
        else:
            at = dts + offset
            if self.shown is None or at + delay > self.shown:
                self.shown = at + delay
            if self._zero is None:
                self._zero = self._start = at
            if self.raw is not None and abs(dts - self.raw) > WRAP // 2:
                self._turns += 1 if dts < self.raw else -1
            self.raw = dts
            if self.span.source_s is None:
                self.span.source_s = (dts + self._turns * WRAP) / TICKS
        return offset % WRAP

    def latest(self, length_s: float) -> int:
        """File time, in ticks, at which a chunk of this length would end."""
        return self._start + int(length_s * TICKS)

    def pass_unstamped(self) -> None:
        """A sample without time stamps went by."""
        self.units += 1

    def count(self, frames: int, seconds: float) -> None:
        """The last unit of the leading track turned out to hold this."""
        self.span.frames += frames
        if frames:
            self.lasts(self.lead, seconds)

    def lasts(self, pid: int, seconds: float) -> None:
        """The last unit of this track is known to last so long."""
        self.retimer.lasts(pid, round(seconds * TICKS))

    def key(self, offset: int, pts: int, shift: int) -> None:
        """A random access point of the leading track, which was just placed."""
        at = self.retimer.last(self.lead)
        if at is None or self._zero is None:
            return
        ahead = (pts + shift - at + WRAP // 2) % WRAP - WRAP // 2
        self.span.keys.append(KeyPoint(offset, (at + ahead - self._zero) / TICKS))

    def elapsed_s(self) -> float:
        """Length of the chunk so far."""
        return (self._end() - self._start) / TICKS

    @property
    def position_s(self) -> float:
        """Where the chunk began."""
        return (self._start - self._zero) / TICKS if self._zero is not None else 0.0

    def lag_s(self, pid: int) -> float:
        """How far another track has got since the chunk began."""
        return (self.retimer.end(pid) - self._start) / TICKS if self.retimer.last(pid) is not None else 0.0

    # -- chunks and files ---------------------------------------------------------------------------------------------

    def blame(self, damage: str) -> None:
        """The chunk is suspect; the worst reason stands."""
        if _SEVERITY[damage] > _SEVERITY[self.span.damage]:
            self.span.damage = damage

    def trim(self, size: int, frames: int, *, same: bool) -> None:
        """Only the first `size` bytes of the chunk, with so many frames, are whole: `close` leaves out the rest.

        `same`: it is a unit of the leading track that is not whole.
        """
        last = self.retimer.last(self.lead)
        if last is None or self._zero is None:
            return
        step = self.retimer.end(self.lead) - last
        left_out = 1 if same else self.span.frames - frames
        self._trimmed = (size, last - (left_out - 1) * step)
        self.span.frames = frames
        self.span.keys = [key for key in self.span.keys if key.offset < size]
        self.span.independent = self.span.independent and frames > 0

    def leave_out(self, pids: Iterable[int]) -> None:
        """The last units of these tracks are behind what `trim` keeps."""
        self._leaving = {pid: dts for pid in pids if (dts := self.retimer.raw(pid)) is not None}

    def close(self, *, stalled: bool = False) -> Span:
        """The chunk ends here. `stalled`: without the leading track, which has nothing new."""
        if not self.units:
            self.blame("no_media")
        zero = self._zero if self._zero is not None else self._start
        excess, end = 0, self._others_end() if stalled or self.span.source_s is None else self._end()
        if self._trimmed is not None:
            size, end = self._trimmed
            excess = self.span.emitted - size
        end = max(self._start, end)
        if self.others:
            beside, before = self._others_end(), self._start if self._beside is None else self._beside
            self.span.beside_s = max(0, beside - max(before, self._start - TICKS)) / TICKS
            self._beside = beside
        repairs = self.retimer.repairs
        if repairs:
            self.span.repairs = [replace(repair, at_s=max(0.0, repair.at_s - zero / TICKS)) for repair in repairs]
        span = self.span.build((self._start - zero) / TICKS, (end - zero) / TICKS, excess=excess)
        self._start, self.left_out = end, self._leaving
        self.drop_chunk()
        repairs.clear()
        return span

    def drop_chunk(self) -> None:
        """Begin a chunk anew, without the one in progress."""
        self.span = SpanBuilder()
        self.units = 0
        self.others.clear()
        self._trimmed, self._leaving = None, {}

    def restart(self) -> None:
        """The next chunk begins a file: media time is 0 there. The stamps go on as they are."""
        self._zero = self._start if self._zero is not None else None

    def reopen(self) -> None:
        """Another set of tracks begins a file, with the first sample of its leading track."""
        self.lead = -1
        self._zero = self._beside = None

    def save(self) -> TimelineState:
        source = (self.raw, self._turns, self.shown)
        return TimelineState(
            self.retimer.save(), self.lead, self._zero, self._start, source, self._beside, self.left_out
        )

    def restore(self, state: TimelineState) -> None:
        self.retimer.restore(state.retimer)
        self.lead, self._zero, self._start = state.lead, state.zero, state.start
        self.raw, self._turns, self.shown = state.source
        self._beside, self.left_out = state.beside, state.left_out
        self.drop_chunk()

    def _others_end(self) -> int:
        """Where the other tracks have got to in a chunk without the leading one."""
        return max((self.retimer.end(pid) for pid in self.others), default=self._start)

    def _end(self) -> int:
        last = self.retimer.last(self.lead)
        if last is None or self._zero is None:
            return self._start
        return self.retimer.end(self.lead)
