"""The way out: packets are counted, clocks moved, joints announced, and what is open at the end is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from ouzel.formats.mpegts.counters import Columns, Counters, Followed, columns_of, errors_in, pid_at
from ouzel.formats.mpegts.lanes import FrameCounter, Lane
from ouzel.formats.mpegts.packets import SIZE
from ouzel.formats.mpegts.region import Region, find_joints, move_clocks
from ouzel.formats.mpegts.timeline import Timeline
from ouzel.formats.mpegts.units import payload_of
from ouzel.formats.shape import Buffer

_ROOM = SIZE - 4
_PES_START = 6
_CLOCK_ROOM = 16  # bytes: what a unit that ends without stuffing may have in adaptation fields
_STARTS, _ADAPTATION, _PAYLOAD = 0x40, 0x20, 0x10  # in the second and the fourth byte of a packet


class OutletState(NamedTuple):
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
        self._spanning = False  # units of this source go on from one segment, or chunk, to the next
        self._last: dict[int, tuple[bytes, int, int]] = {}  # headers among which the last packet of a PID is

    def region(self, block: memoryview, headers: bytes) -> Region:
        columns = columns_of(headers)
        region = Region(block, headers, columns, self.counters, len(columns[0]), self._followed(block, columns))
        if region.found is None and self.unjoined:
            region.joints = find_joints(block, region.survey, self.counters, self.unjoined, always=self._torn)
        return region

    def joint_away(self) -> None:
        """A new file begins: nothing goes before the packets that are still to be seen."""
        self.counters.forget(self.unjoined)
        self.unjoined.clear()

    def part(self) -> None:
        """What follows may not continue the counters."""
        self.unjoined = set(self.counters.last)

    def passes(self, header: bytes) -> bool:
        """Whether a single packet that starts no unit may pass without being looked at; it is counted then."""
        pid, control = (header[1] & 0x1F) << 8 | header[2], header[3]
        if pid in self.unjoined or (self.shift and control & _ADAPTATION):
            return False
        counters = self.counters
        if pid in counters.known:
            if (
                counters.repeated
                or not control & 0x10
                or control & 0x0F != (counters.last.get(pid, control - 1) + 1) & 0x0F
            ):
                return False
            counters.last[pid] = control & 0x0F
            lane = self.lanes.get(pid)
            if lane is not None:
                lane.packets += 1
                self._last[pid] = (header, 0, 1)
        self._time.span.emitted += SIZE
        return True

    def pass_all(self, block: memoryview, headers: bytes, columns: Columns) -> bool:
        """Count a block that passes as a whole, and move its clocks; what `pass_on` does with one that has no peculiarities.
        False, and nothing is done, for one that has."""
        found, size = self._followed(block, columns), len(columns[0])
        if found is None:
            return False
        self._accept(found, headers, size)
        self._time.span.emitted += size * SIZE
        if self.shift:
            move_clocks(block, headers, 0, size, self.clocks, self.shift)
        return True

    def hand_on(self, region: Region, stop: int) -> Iterator[Buffer]:
        """Packets up to number `stop`, with the joints between them."""
        if self.shift and region.start < stop:
            move_clocks(region.block, region.headers, region.start, stop, self.clocks, self.shift)
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
        start = region.start
        if region.found is not None and not start and stop == region.size:
            self._accept(region.found, region.headers, stop)
        else:
            if self.unjoined:
                self._learn_spanning(region, stop)
            self._count(region, start, stop)
            if self.unjoined:
                self.unjoined -= self.counters.payloads.keys()
        self.count_up_to(region, stop)
        self._time.span.emitted += (stop - start) * SIZE
        region.start = stop
        return region.block[start * SIZE : stop * SIZE]

    def _followed(self, block: memoryview, columns: Columns) -> list[Followed] | None:
        return None if self.unjoined and self._torn else self.counters.follow(block, columns, self.unjoined)

    def _accept(self, found: list[Followed], headers: bytes, size: int) -> None:
        """Count a whole block; what `_count` does with one that has peculiarities."""
        counters, lanes, where = self.counters, self.lanes, (headers, 0, size)
        counters.accept(found)
        for pid, own, classes in found:
            self._last[pid] = where
            if pid in lanes and (lane := lanes[pid]).declared:
                lane.packets += len(own) if lane.since < 0 else counters.count(classes, pid, lane.since, size)
                lane.since = -1
        if self.unjoined:
            self.unjoined.difference_update([each.pid for each in found])

    def _count(self, region: Region, start: int, stop: int) -> None:
        counters, survey, headers = self.counters, region.survey, region.headers
        if counters.check(region.block, survey, start, stop):
            self._time.blame("continuity")
        if survey.damaged and errors_in(headers[4 * start : 4 * stop], counters.known):
            self._time.blame("continuity")
        payloads = counters.payloads
        for pid, lane in self.lanes.items():
            if lane.declared and (since := lane.since) < stop:
                lane.packets += payloads.get(pid, 0) if since < 0 else counters.count_in(survey, pid, since, stop)
                lane.since = -1
        self._last.update(dict.fromkeys(payloads, (headers, start, stop)))

    def count_up_to(self, region: Region, stop: int) -> None:
        """Show the frame counter the leading track's packets up to number `stop`."""
        if self.frames is not None and region.counted < stop:
            self.frames.add(payload_of(region.block, region.headers, self._time.lead, region.counted, stop))
            region.counted = stop

    def close_unit(self) -> None:
        """The unit of the leading sound that is in progress is over."""
        if self.frames is not None:
            self._time.count(*self.frames.close())

    def finish(self, *, torn: bool, broken: bool) -> None:
        """No more packets will come. Units that are not whole are left out where the end was torn off (`Span.excess`).

        `torn`: in the middle of a packet. `broken`: perhaps in the middle of a unit, and by no fault of the source's media: the
        chunk is blamed only when a unit that is not whole stays in it.
        """
        short = [lane for lane in self.lanes.values() if lane.declared and _is_short(lane)]
        lead = self.lanes.get(self._time.lead)
        full = (
            lead is not None
            and lead.kind == "video"
            and not lead.declared
            and not self._ends_filled_up(self._time.lead)
        )
        torn = torn or (broken and (full or bool(short)))  # connections often break between two packets
        if not broken and (torn or (short and not self._spanning)):
            self._time.blame("truncated")
        self._torn = torn = torn or (bool(short) and self._whole_units and not self._spanning)
        self._whole_units = self._whole_units or not short
        if torn:
            doubtful = [] if self._spanning else short + self._unsure()  # those of woven tracks end nowhere together
            if lead is not None and full:
                doubtful.append(lead)
            self._leave_out(doubtful)
        for lane in self.lanes.values():
            lane.declared = 0
        self.part()

    def _leave_out(self, lanes: list[Lane]) -> None:
        """The chunk ends in front of the first of these tracks' last units."""
        first = min((lane for lane in lanes if lane.unit_at >= 0), key=lambda lane: lane.unit_at, default=None)
        if first is not None:
            self._time.trim(first.unit_at, first.frames_before, same=first is self.lanes.get(self._time.lead))
            media = [pid for pid, lane in self.lanes.items() if lane.kind != "other"]
            self._time.leave_out(pid for pid in media if self.lanes[pid].unit_at >= first.unit_at)
        if any(lane.unit_at < 0 for lane in lanes):  # it began in the chunk before
            self._time.blame("truncated")

    def divide(self) -> None:
        """A chunk of an endless stream ends here. A unit that goes on behind it shows that tracks are woven packet by packet."""
        self._spanning = self._spanning or any(lane.declared and _is_short(lane) for lane in self.lanes.values())
        self.forget_units()

    def forget_units(self) -> None:
        """The next chunk cannot be cut back to a unit of this one."""
        for lane in self.lanes.values():
            lane.unit_at = -1
        self._last.clear()

    def save(self) -> OutletState:
        frames = self.frames.copy() if self.frames else None
        flags = (self._torn, self._whole_units, self._spanning)
        return OutletState(self.counters.save(), frozenset(self.unjoined), flags, self.shift, frames)

    def restore(self, state: OutletState) -> None:
        self.counters.restore(state.counters)
        self.unjoined, self.shift = set(state.unjoined), state.shift
        self._torn, self._whole_units, self._spanning = state.flags
        self.frames = state.frames.copy() if state.frames else None
        self._last.clear()

    def _learn_spanning(self, region: Region, stop: int) -> None:
        """A first packet behind a break that simply goes on, in the middle of a unit, shows that breaks mean nothing here."""
        for pid in self.unjoined:
            if self._spanning or pid not in self.lanes or pid not in self.counters.last:
                continue
            first = self.counters.first(region.survey, pid)
            if first is not None and region.start <= first[0] < stop and not region.headers[4 * first[0] + 1] & _STARTS:
                self._spanning = first[1] == (self.counters.last[pid] + 1) & 0x0F

    def _ends_filled_up(self, pid: int) -> bool:
        """Whether the last packet of a track has stuffing, as the last one of a unit does (but for 1 in 184). The first one of a
        unit proves nothing: what it has there may be a clock reference. True when none is in this chunk."""
        if pid not in self._last:
            return True
        headers, start, stop = self._last[pid]
        numbers = range(stop - 1, start - 1, -1)
        at = next((at for at in numbers if pid_at(headers, at) == pid and headers[4 * at + 3] & _PAYLOAD), None)
        return at is not None and bool(headers[4 * at + 3] & _ADAPTATION) and not headers[4 * at + 1] & _STARTS

    def _unsure(self) -> list[Lane]:
        """Whose unit has more packets than it needs, and yet its last one is full: there is stuffing in its middle."""
        return [
            lane
            for pid, lane in self.lanes.items()
            if lane.declared
            and lane.packets * _ROOM - lane.declared - _PES_START > _CLOCK_ROOM
            and not self._ends_filled_up(pid)
        ]


def _is_short(lane: Lane) -> bool:
    return lane.packets * _ROOM < lane.declared + _PES_START
