"""What a whole transport stream holds, packet by packet: for checking a file, not for the way of live media.

Kept apart from the shaper on purpose: it shares the tables' parser with it, but neither the counting nor the clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ouzel.formats.mpegts.packets import (
    NULL_PID,
    SIZE,
    SYNC,
    TICKS,
    WRAP,
    counter_of,
    has_error,
    has_payload,
    is_discontinuity,
    read_pes,
    starts_unit,
)
from ouzel.formats.mpegts.psi import Stream, Tables
from ouzel.formats.shape import Buffer, TrackKind


@dataclass(frozen=True, slots=True)
class PidReport:
    """One PID. Times in seconds, continuous over wraps of the counter; None without any time stamp."""

    pid: int
    kind: TrackKind | None
    """None: not an elementary stream of the programme."""
    codec: str
    packets: int
    continuity_errors: int
    transport_errors: int
    """Packets that a receiver could not correct."""
    units: int
    """PES packets."""
    first_pts_s: float | None
    last_pts_s: float | None
    """The latest presentation time, whatever the order."""
    steps_back: int
    """Decode time stamps that do not rise."""
    longest_step_s: float
    """Between decode time stamps that follow each other."""
    step_s: float
    """The commonest step, which the last unit is taken to last as well."""

    @property
    def duration_s(self) -> float:
        if self.first_pts_s is None or self.last_pts_s is None:
            return 0.0
        return self.last_pts_s - self.first_pts_s + self.step_s


@dataclass(frozen=True, slots=True)
class Scan:
    """A whole stream."""

    packets: int
    garbage_bytes: int
    """Bytes that belong to no packet, an incomplete one at the end included."""
    bad_sections: int
    """Table sections with a wrong CRC."""
    program: int | None
    """Number of the programme that was looked at."""
    pids: dict[int, PidReport]
    """The programme's streams in the order of the PMT, then all others."""

    @property
    def media(self) -> list[PidReport]:
        """Picture and sound."""
        return [report for report in self.pids.values() if report.kind in {"video", "audio"}]

    @property
    def continuity_errors(self) -> int:
        """Of picture and sound."""
        return sum(report.continuity_errors for report in self.media)

    @property
    def duration_s(self) -> float:
        """From the first presentation time to the end of the last, over all tracks."""
        starts = [r.first_pts_s for r in self.media if r.first_pts_s is not None]
        ends = [r.last_pts_s + r.step_s for r in self.media if r.last_pts_s is not None]
        return max(ends) - min(starts) if starts else 0.0


def scan(pieces: Iterable[Buffer]) -> Scan:
    """Read a stream of 188-byte packets. Never raises on what is in it, but for Encrypted (SAMPLE-AES)."""
    scanner = _Scanner()
    rest = b""
    for piece in pieces:
        rest = scanner.take(rest + bytes(piece))
    return scanner.finish(rest)


@dataclass(slots=True)
class _Pid:
    """What is counted of one PID."""

    pid: int
    packets: int = 0
    expected: int = -1
    """Counter of the next packet; -1 = any."""
    repeated: bool = False
    continuity_errors: int = 0
    transport_errors: int = 0
    units: int = 0
    dts: int | None = None
    first_pts: int | None = None
    last_pts: int = 0
    steps_back: int = 0
    longest: int = 0
    steps: dict[int, int] = field(default_factory=dict[int, int])

    def count(self, data: bytes, at: int) -> None:
        """A packet that is not simply the next one: what the standard allows is no error."""
        if is_discontinuity(data, at):
            self.expected = -1
        if not has_payload(data, at):
            return
        counter = counter_of(data, at)
        repeated = counter == (self.expected - 1) & 0x0F and self.expected >= 0 and not self.repeated
        if self.expected not in {-1, counter} and not repeated:
            self.continuity_errors += 1
        self.expected, self.repeated = (counter + 1) & 0x0F, repeated

    def unit(self, pts: int, dts: int, near: int | None) -> None:
        """A unit with these stamps, `near` the unwrapped one of the unit before it."""
        near = self.dts if self.dts is not None else near
        at = dts if near is None else near + (dts - near + WRAP // 2) % WRAP - WRAP // 2
        shown = at + (pts - dts) % WRAP
        if self.dts is not None:
            step = at - self.dts
            self.steps_back += step <= 0
            self.longest = max(self.longest, step)
            if step > 0:
                self.steps[step] = self.steps.get(step, 0) + 1
        self.dts = at
        self.last_pts = shown if self.first_pts is None else max(self.last_pts, shown)
        self.first_pts = shown if self.first_pts is None else min(self.first_pts, shown)

    def report(self, stream: Stream | None) -> PidReport:
        common = max(self.steps, key=lambda step: (self.steps[step], -step)) if self.steps else 0
        seen = self.first_pts is not None
        return PidReport(
            self.pid,
            stream.kind if stream else None,
            stream.codec if stream else "",
            self.packets,
            self.continuity_errors,
            self.transport_errors,
            self.units,
            self.first_pts / TICKS if self.first_pts is not None else None,
            self.last_pts / TICKS if seen else None,
            self.steps_back,
            self.longest / TICKS,
            common / TICKS,
        )


class _Scanner:
    def __init__(self) -> None:
        self._packets = 0
        self._garbage = 0
        self._tables = Tables()
        self._pids: dict[int, _Pid] = {}
        self._clock: int | None = None  # the last time stamp of any track, unwrapped

    def take(self, data: bytes) -> bytes:
        """Read all whole packets. Returns what is left."""
        at, pids = 0, self._pids
        last = len(data) - SIZE
        while at <= last:
            if data[at] != SYNC:
                at = self._skip(data, at)
                continue
            second, control = data[at + 1], data[at + 3]
            pid = (second & 0x1F) << 8 | data[at + 2]
            lane = pids.get(pid)
            if lane is None:
                lane = pids[pid] = _Pid(pid)
            lane.packets += 1
            if second & 0xC0 or control & 0x30 != 0x10 or control & 0x0F != lane.expected:
                self._look(lane, data, at)
            else:
                lane.expected = (control + 1) & 0x0F
                lane.repeated = False
            at += SIZE
        return data[at:]

    def finish(self, rest: bytes) -> Scan:
        self._tables.settle()
        program = self._tables.program
        streams = {stream.pid: stream for stream in program.streams} if program else {}
        order = [*streams, *sorted(self._pids.keys() - streams.keys())]
        return Scan(
            sum(lane.packets for lane in self._pids.values()),
            self._garbage + len(rest),
            self._tables.bad_sections,
            program.number if program else None,
            {pid: self._pids.get(pid, _Pid(pid)).report(streams.get(pid)) for pid in order},
        )

    def _skip(self, data: bytes, at: int) -> int:
        """Where the next packet may start: at a sync byte that another follows."""
        found = data.find(SYNC, at)
        while 0 <= found < len(data) - SIZE and data[found + SIZE] != SYNC:
            found = data.find(SYNC, found + 1)
        found = len(data) if found < 0 else found
        self._garbage += found - at
        return found

    def _look(self, lane: _Pid, data: bytes, at: int) -> None:
        if has_error(data, at):
            lane.transport_errors += 1
            return
        if lane.pid == NULL_PID:
            return
        lane.count(data, at)
        tables = self._tables
        if lane.pid in tables.pids:
            if starts_unit(data, at) or lane.pid in tables.waiting:
                tables.look(data, at)
        elif starts_unit(data, at):
            pes = read_pes(data, at)
            lane.units += pes is not None
            if pes is not None and pes.pts is not None and pes.dts is not None:
                lane.unit(pes.pts, pes.dts, self._clock)
                self._clock = lane.dts
