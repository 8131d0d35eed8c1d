"""The way out: packets are counted, clocks moved, joints announced, and what is open at the end is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ouzel.formats.mpegts.counters import Counters, errors_in, pid_at
from ouzel.formats.mpegts.lanes import FrameCounter, Lane
from ouzel.formats.mpegts.packets import SIZE
from ouzel.formats.mpegts.region import Joint, Region, find_joints, move_clocks
from ouzel.formats.mpegts.timeline import Timeline
from ouzel.formats.mpegts.units import payload_of
from ouzel.formats.shape import Buffer

_ROOM = SIZE - 4
_PES_START = 6
_ADAPTATION = 0x20


@dataclass(frozen=True, slots=True)
class OutletState:
    counters: tuple[dict[int, int], frozenset[int]]
    unjoined: frozenset[int]
    flags: tuple[bool, bool, bool]
    shift: int
    frames: FrameCounter | None


class Outlet:
    """Hands packets on, and keeps what has to be known of all of them."""

    def __init__(self, time: Timeline, *, whole_units: bool) -> None:
        self.counters = Counters()
        self.shift = 0
        """Of clocks: what the leading track's stamps are moved by, modulo 2^33."""
        self.frames: FrameCounter | None = None
        """For a leading track of sound."""
        self.clocks: Collection[int] = ()
        """PIDs whose clock references are moved."""
        self.lanes: Mapping[int, Lane] = {}
        self.unjoined: set[int] = set()
        """PIDs that were not seen since the last break."""
        self._time = time
        self._torn = False  # the end of the last chunk was cut off, so that no counter follows on what is in the file
        self._whole_units = whole_units  # chunks of this source end with whole units: one that does not is torn
        self._spanning = False  # units of this source go on from one segment to the next
        self._last: tuple[bytes, int, int] | None = None  # where the last packet of the leading picture is

    def region(self, block: memoryview, headers: bytes) -> Region:
        survey = self.counters.survey(headers)
        joints: list[Joint] = []
        if self.unjoined:
            joints = find_joints(block, survey, self.counters, self.unjoined, always=self._torn)
        return Region(block, headers, survey, joints, len(headers) // 4)

    def joint_away(self) -> None:
        """A new file begins: nothing goes before the packets that are still to be seen."""
        self.counters.forget(self.unjoined)
        self.unjoined.clear()

    def part(self) -> None:
        """What follows may not continue the counters."""
        self.unjoined = set(self.counters.last)

    def passes(self, header: bytes) -> bool:
        """Whether a single packet that starts no unit may pass without being looked at; it is counted then."""
        if self.unjoined or self.frames or (self.shift and header[3] & _ADAPTATION) or not self.counters.step(header):
            return False
        pid = pid_at(header, 0)
        lane = self.lanes.get(pid)
        if lane is not None and header[3] & 0x10:
            lane.packets += 1
            if pid == self._time.lead:
                self._last = (header, 0, 1)
        self._time.span.emitted += SIZE
        return True

    def hand_on(self, region: Region, stop: int) -> Iterator[Buffer]:
        """Packets up to number `stop`, with the joints between them."""
        if self.shift and region.start < stop:
            move_clocks(region, stop, self.clocks, self.shift)
        while region.joints and region.joints[0].at < stop:
            joint = region.joints.pop(0)
            if joint.at > region.start:
                yield self.pass_on(region, joint.at)
            self.counters.last[joint.pid] = (joint.counter - 1) & 0x0F
            self.unjoined.discard(joint.pid)
            self._time.span.emitted += SIZE
            yield joint.render()
        if region.start < stop:
            yield self.pass_on(region, stop)

    def pass_on(self, region: Region, stop: int) -> memoryview:
        """Count the packets up to number `stop`. Returns: them, as they are now."""
        start, counters, lead = region.start, self.counters, self._time.lead
        if self.unjoined:
            self._learn_spanning(region, stop)
        if counters.check(region.block, region.survey, start, stop):
            self._time.blame("continuity")
        if region.survey.damaged and errors_in(region.headers[4 * start : 4 * stop], counters.known):
            self._time.blame("continuity")
        if self.unjoined:
            self.unjoined -= counters.payloads.keys()
        for pid, lane in self.lanes.items():
            if lane.declared and lane.since < stop:
                since = lane.since
                count = counters.payloads.get(pid, 0)
                lane.packets += count if since < 0 else counters.count(region.survey, pid, since, stop)
                lane.since = -1
        if lead in counters.payloads:
            self._last = (region.headers, start, stop)
        self.count_up_to(region, stop)
        self._time.span.emitted += (stop - start) * SIZE
        region.start = stop
        return region.block[start * SIZE : stop * SIZE]

    def count_up_to(self, region: Region, stop: int) -> None:
        """Show the frame counter the leading track's packets up to number `stop`."""
        if self.frames is not None and region.counted < stop:
            self.frames.add(payload_of(region.block, region.headers, self._time.lead, region.counted, stop))
            region.counted = stop

    def close_unit(self) -> None:
        """The unit of the leading sound that is in progress is over."""
        if self.frames is not None:
            self._time.count(*self.frames.close())

    def finish(self, *, torn: bool) -> None:
        """No more packets will come. Units that are not whole are left out where the end was torn off (`Span.excess`)."""
        open_lanes = [lane for lane in self.lanes.values() if lane.declared and _is_short(lane)]
        if torn or (open_lanes and not self._spanning):
            self._time.blame("truncated")
        self._torn = torn = torn or (bool(open_lanes) and self._whole_units and not self._spanning)
        self._whole_units = self._whole_units or not open_lanes
        if torn:
            lead = self.lanes.get(self._time.lead)
            if lead is not None and lead.kind == "video" and not lead.declared and not self._ends_filled_up():
                open_lanes.append(lead)
            first = min((lane for lane in open_lanes if lane.unit_at >= 0), key=lambda lane: lane.unit_at, default=None)
            if first is not None:
                self._time.trim(first.unit_at, first.frames_before, same=first is lead)
        for lane in self.lanes.values():
            lane.declared = 0
        self.part()

    def forget_units(self) -> None:
        """The next chunk cannot be cut back to a unit of this one."""
        for lane in self.lanes.values():
            lane.unit_at = -1
        self._last = None

    def save(self) -> OutletState:
        frames = self.frames.copy() if self.frames else None
        flags = (self._torn, self._whole_units, self._spanning)
        return OutletState(self.counters.save(), frozenset(self.unjoined), flags, self.shift, frames)

    def restore(self, state: OutletState) -> None:
        self.counters.restore(state.counters)
        self.unjoined, self.shift = set(state.unjoined), state.shift
        self._torn, self._whole_units, self._spanning = state.flags
        self.frames = state.frames.copy() if state.frames else None
        self._last = None

    def _learn_spanning(self, region: Region, stop: int) -> None:
        """A first packet behind a break that simply goes on, in the middle of a unit, shows that breaks mean nothing here."""
        for pid in self.unjoined:
            if self._spanning or pid not in self.lanes or pid not in self.counters.last:
                continue
            first = self.counters.first(region.survey, pid)
            if first is not None and region.start <= first[0] < stop and not region.headers[4 * first[0] + 1] & 0x40:
                self._spanning = first[1] == (self.counters.last[pid] + 1) & 0x0F

    def _ends_filled_up(self) -> bool:
        """Whether the last packet of the leading picture has stuffing, as the last one of a unit does (but for 1 in 184)."""
        if self._last is None:
            return False
        headers, start, stop = self._last
        at = next((at for at in range(stop - 1, start - 1, -1) if pid_at(headers, at) == self._time.lead), None)
        return at is not None and bool(headers[4 * at + 3] & _ADAPTATION)


def _is_short(lane: Lane) -> bool:
    return lane.packets * _ROOM < lane.declared + _PES_START
