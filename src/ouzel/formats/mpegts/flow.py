"""Packets of a known programme on their way through: looked at where a unit or a table starts, patched where they must be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ouzel.formats.mpegts.counters import columns_of, starts_in
from ouzel.formats.mpegts.follow import Follower
from ouzel.formats.mpegts.keys import inspect, is_key, print_of, repeats_known
from ouzel.formats.mpegts.lanes import (
    AUDIO_BYTES,
    FrameCounter,
    Lane,
    is_counted,
    is_short_of_usual,
    lanes_of,
    sounds_changed,
)
from ouzel.formats.mpegts.limits import Limits
from ouzel.formats.mpegts.outlet import Outlet, OutletState
from ouzel.formats.mpegts.packets import PAT_PID, SIZE, WRAP
from ouzel.formats.mpegts.psi import Program, Tables, TablesState
from ouzel.formats.mpegts.region import Region
from ouzel.formats.mpegts.replay import Kept, Opening, ReplayMemory, opening_of
from ouzel.formats.mpegts.scout import Scout
from ouzel.formats.mpegts.timeline import Timeline, TimelineState
from ouzel.formats.mpegts.units import Unit, gather, mark_next, shift_unit, unit_at
from ouzel.formats.shape import Buffer, Edge, Span


@dataclass(frozen=True, slots=True)
class Stop:
    """The run ended early, in front of this packet."""

    at: int
    opening: bool
    """The tracks change here; else: more packets are needed to tell whether they do."""
    replay: bool = False
    """What came before was a replay: a chunk begins here, with the tracks to be looked at anew."""


class FlowState(NamedTuple):
    lanes: Mapping[int, Lane]
    time: TimelineState
    tables: TablesState
    out: OutletState
    opening: Opening | None
    replayed: Kept | None
    seen: frozenset[int]
    flags: tuple[bool, bool, bool]


class Flow:
    """The state of a stream whose tracks are known."""

    def __init__(
        self, tables: Tables, limits: Limits, memory: ReplayMemory, tolerance_s: float, backward_s: float
    ) -> None:
        self.time = Timeline(tolerance_s, backward_s)
        self.lanes: dict[int, Lane] = {}
        self.stop: Stop | None = None
        """How the last `run` ended; None when it took everything."""
        self.out = Outlet(self.time, whole_units=limits.continuous)
        self._tables = tables
        self._follow_on = Follower(
            self.time, self.out, tables, limits.max_chunk_s if limits.continuous else None
        ).follow
        self._resume: int | None = None  # the packet from which `run` goes on where `glide` stopped
        self._program: Program | None = None
        self._limits = limits
        self.memory = memory
        self.opening: Opening | None = None
        """The key frame with which the chunk in progress began; None where that cannot be told."""
        self.replayed: Kept | None = None
        """What was kept already and seems to come again."""
        self.lead_in = False
        """The connection began in the middle of a group: the next key frame tells whether all this was kept before."""
        self.broken_off: Opening | None = None
        """The key frame of the chunk in which the last connection ended."""
        self._seen: set[int] = set()  # PIDs of tables in this chunk
        self._fresh = True  # no unit of the programme in this chunk yet
        self._moved = False  # a unit has passed since the tracks were learnt
        self._psi_first = False  # the last chunk began with the tables
        self._calm = 0  # packets of the next run whose tables the scout has read already

    # -- what the shaper says -----------------------------------------------------------------------------------------

    def adopt(self, program: Program, lanes: dict[int, Lane], *, new_file: bool) -> None:
        """These are the tracks from here on."""
        self._program = program
        self.lanes = lanes
        out = self.out
        out.lanes = lanes
        out.clocks = {*lanes, program.pcr_pid}
        media = [stream.pid for stream in program.media]
        out.counters.watch([*media, program.pmt_pid, PAT_PID, program.pcr_pid, *lanes])
        if new_file:
            out.counters.forget(list(out.counters.last))
            out.unjoined.clear()
            out.frames = None
            self.time.reopen()

    def begin(self, scout: Scout, *, new_file: bool, spliced: bool) -> None:
        """The first time stamps of the tracks are known. The next run starts with the packets that the scout has looked at."""
        firsts = scout.firsts
        seen = [pid for pid in self.lanes if pid in firsts]
        lead = next((pid for pid in seen if self.lanes[pid].kind == "video"), seen[0] if seen else None)
        if lead is not None:
            self._follow(lead)
            ordered = {lead: firsts[lead], **firsts}
            self.time.begin(ordered, scout.delays[lead], new_file=new_file, spliced=spliced)
        self.out.shift = self.time.shift
        self._moved = False
        self._calm = scout.at

    def splice(self) -> None:
        """What follows does not continue what came before."""
        self.out.part()
        self._fresh = True
        self._seen.clear()
        if self.out.frames is not None:
            self.out.frames = FrameCounter(self.lanes[self.time.lead].stream.codec)

    def take_back(self, state: FlowState) -> None:
        """The chunk that began with this state never was; what follows begins it anew. The tables stay as they are now."""
        self.time.restore(state.time)
        self.out.restore(state.out)
        self.splice()

    def restart(self) -> bytes:
        """The next chunk begins a file. Returns: what must stand in front of it."""
        self.time.restart()
        data = b"" if self._psi_first and not self._limits.continuous else self._tables.render(self.out.counters.last)
        self.out.joint_away()
        return data

    def finish(self, *, torn: bool, broken: bool) -> Span | None:
        """No more packets in this chunk. None: there were none at all. `torn`: a packet was cut off. `broken`: see `Shaper`."""
        self.out.close_unit()
        self.out.finish(torn=torn, broken=broken)
        return self._close_chunk()

    def save(self) -> FlowState:
        return FlowState(
            {pid: lane.copy() for pid, lane in self.lanes.items()},
            self.time.save(),
            self._tables.save(),
            self.out.save(),
            self.opening,
            self.replayed,
            frozenset(self._seen),
            (self._fresh, self._moved, self._psi_first),
        )

    def restore(self, state: FlowState) -> None:
        self._tables.restore(state.tables)
        lanes = {pid: lane.copy() for pid, lane in state.lanes.items()}
        if self._tables.program is not None and lanes:
            self.adopt(self._tables.program, lanes, new_file=False)
        self.lanes = self.out.lanes = lanes
        self.time.restore(state.time)
        self.out.restore(state.out)
        self.opening, self.replayed = state.opening, state.replayed
        self._seen = set(state.seen)
        self._fresh, self._moved, self._psi_first = state.flags
        self._calm = 0
        self._resume = None
        self.stop = None

    # -- packets ------------------------------------------------------------------------------------------------------

    def glide(self, block: memoryview, headers: bytes) -> bool:
        """Let a block pass in which there is nothing but what is ordinary. False: `run` has to do it, or the rest of it."""
        out = self.out
        if self._fresh or not self._moved or self._tables.waiting or out.frames is not None:
            return False
        if len(headers) == 4 and not headers[1] & 0xC0:
            return out.passes(headers)
        columns = columns_of(headers)
        starts = starts_in(columns[0])
        number = starts.find(1)
        if number >= 0:
            number = self._follow_on(block, columns, starts, number, self.time.span.emitted)
        if number < 0 and out.pass_all(block, headers, columns):
            return True
        self._resume = number
        return False

    def run(self, block: memoryview, headers: bytes, *, final: bool) -> Iterator[Buffer | Edge]:
        """Hand on packets, until the end of the block or until `stop` is set.

        `final`: no more packets will come, so that nothing can be waited for. The consumer may call `restart` at an Edge.
        """
        self.stop = None
        calm, self._calm = self._calm, 0
        lanes, tables = self.lanes, self._tables
        region = self.out.region(block, headers)
        starts = marks = starts_in(region.columns[0])
        if tables.waiting:
            marks = mark_next(marks, headers, tables.waiting - lanes.keys(), calm)
        number, self._resume = marks.find(1) if self._resume is None else self._resume, None
        while number >= 0:
            pid = (headers[4 * number + 1] & 0x1F) << 8 | headers[4 * number + 2]
            lane = lanes.get(pid)
            if lane is not None:
                unit = unit_at(block, number * SIZE)
                if unit is not None:
                    ops = self._look(region, pid, lane, unit, number, final=final)
                    if ops is not None:
                        yield from ops
                        if self.stop is not None:
                            return
                    if self._moved and not self._fresh and not tables.waiting:
                        number = marks.find(1, number + 1)
                        if number >= 0 and not region.joints:
                            base = self.time.span.emitted - region.start * SIZE
                            number = self._follow_on(block, region.columns, starts, number, base)
                        continue
            elif pid in tables.pids:
                self._seen.add(pid)
                at = number * SIZE
                if tables.settled.get(pid) != bytes(block[at + 4 : at + SIZE]) and number >= calm:
                    if tables.look(block, at):
                        yield from self._end_early(region, number, opening=True)
                        return
                    if pid in tables.waiting:
                        marks = mark_next(marks, headers, (pid,), number + 1)
                    if tables.program is not None and tables.program is not self._program:
                        yield from self._relist(region, number, tables.program)
                        lanes = self.lanes
            number = marks.find(1, number + 1)
        if self._fresh and not final and region.size < self._limits.reach:
            self.stop = Stop(0, opening=False)  # tables only, so far: what follows may open another file
            return
        if self.out.shift or region.joints:
            yield from self.out.hand_on(region, region.size)
        elif region.start < region.size:
            yield self.out.pass_on(region, region.size)
        if self._fresh:
            self._fresh = self._psi_first = False

    def _relist(self, region: Region, number: int, program: Program) -> Iterator[Buffer]:
        """The programme has the same picture and sound, but other streams beside them from here on."""
        if not self._fresh:
            yield from self.out.hand_on(region, number)
        self.adopt(program, lanes_of(program, self.lanes), new_file=False)
        region.look_anew()

    def _look(
        self, region: Region, pid: int, lane: Lane, unit: Unit, number: int, *, final: bool
    ) -> Iterator[Buffer | Edge] | None:
        """A unit starts here. Returns what is to be handed on because of it, None for nothing (which is the rule)."""
        if lane.kind == "other":
            if self.out.shift:
                shift_unit(region.block, unit, self.out.shift)
            return None
        block, end = region.block, (number + 1) * SIZE
        key = lane.kind == "video" and is_key(lane, block, unit, end)
        if key or (lane.kind == "audio" and sounds_changed(lane, block[unit.data_at : end])):
            verdict = self._inspect(region, lane, unit, number, final=final)
            if verdict != "same":
                return self._end_early(region, number, opening=verdict == "changed")
        short = None
        if lane.kind == "audio" and pid != self.time.lead and is_short_of_usual(lane, unit.length):
            got = gather(region.block, region.headers, number, unit, AUDIO_BYTES, self._limits.reach)
            if not (got.complete or final):
                return self._end_early(region, number, opening=False)
            short = got.data
            lane.usual -= lane.usual >> 4  # one that was very long shall not make all others short for ever
        if self._fresh:
            program = self._tables.program
            self._psi_first = program is not None and {PAT_PID, program.pmt_pid} <= self._seen
            self._fresh = False
        if self.time.lead not in self.lanes or (key and self.lanes[self.time.lead].kind != "video"):
            self._follow(pid)
        if pid == self.time.lead and self.out.frames is not None:
            self.out.count_up_to(region, number)
            self.out.close_unit()
        if self._limits.continuous and self._is_due(pid, key=key):
            opening = None
            if key and self.memory.enabled and unit.dts is not None:
                digest = print_of(block, region.headers, number, unit, self._limits.reach, final=final)
                if digest == "more":
                    return self._end_early(region, number, opening=False)
                opening = opening_of(unit.dts, digest)
            return self._divide(region, pid, lane, unit, number, opening, key=key)
        following = self._place(region, pid, lane, unit, number, key=key)
        if short is not None:
            counter = FrameCounter(lane.stream.codec)
            counter.add(short)
            self.time.lasts(pid, counter.close()[1])
        return None if following == self.out.shift else self._move(region, number, following)

    def _inspect(
        self, region: Region, lane: Lane, unit: Unit, number: int, *, final: bool
    ) -> Literal["same", "more", "changed"]:
        if lane.kind == "video" and repeats_known(lane, region.block, unit, (number + 1) * SIZE):
            return "same"
        if not self._moved:  # the scout has just been here
            return "same"
        return inspect(lane, region.block, region.headers, number, unit, self._limits.reach, final=final)

    def _is_due(self, pid: int, *, key: bool) -> bool:
        """Whether a chunk of an endless stream ends in front of this unit."""
        if not self.time.units:
            return False
        if pid != self.time.lead:  # the picture is gone, the sound goes on
            return self.time.lag_s(pid) >= self._limits.max_chunk_s
        if self.lead_in and key:
            return True
        sound = self.lanes[pid].kind == "audio"
        return self.time.elapsed_s() >= self._limits.least_s(sound=sound, key=key)

    def _place(self, region: Region, pid: int, lane: Lane, unit: Unit, number: int, *, key: bool) -> int:
        """Take note of a unit and move its stamps. Returns by how much clocks are moved from here on."""
        time = self.time
        following = self.out.shift
        shift = 0
        if unit.dts is None:
            time.pass_unstamped()
        else:
            shift = time.place(pid, unit.dts, ((unit.pts or 0) - unit.dts) % WRAP)
            if shift:
                shift_unit(region.block, unit, shift)
        lane.declared, lane.packets, lane.since = unit.length, 0, number
        lane.unit_at, lane.frames_before = time.span.emitted + region.distance(number), time.span.frames
        if pid == time.lead:
            following = shift if unit.dts is not None else following
            self._note(region, lane, unit, key=key, shift=shift, end=(number + 1) * SIZE)
        self._moved = True
        return following

    def _note(self, region: Region, lane: Lane, unit: Unit, *, key: bool, shift: int, end: int) -> None:
        """What the Span will say of a unit of the leading track."""
        span = self.time.span
        if lane.kind == "audio":
            span.independent = True
        elif key:
            span.independent = span.independent or not span.frames
            if unit.pts is not None:
                self.time.key(lane.unit_at, unit.pts, shift)
        if self.out.frames is None:
            span.frames += 1
        else:
            self.out.frames.add(bytes(region.block[unit.data_at : end]))
            region.counted = end // SIZE

    # -- handing on ---------------------------------------------------------------------------------------------------

    def _divide(
        self, region: Region, pid: int, lane: Lane, unit: Unit, number: int, opening: Opening | None, *, key: bool
    ) -> Iterator[Buffer | Edge]:
        """One chunk ends in front of this unit, and the next begins with it."""
        yield from self.out.hand_on(region, number)
        self.out.divide()
        span = self.time.close(stalled=pid != self.time.lead)
        if self._was_kept(span.frames, opening):
            self.stop = Stop(number, opening=True, replay=True)
            yield Edge(span._replace(replay=True))
            return
        ended, self.opening, self.replayed, self.lead_in = self.opening, opening, None, False
        yield Edge(span)
        self.memory.keep(ended, span.frames, opening)
        region.joints = [joint for joint in region.joints if joint.pid in self.out.unjoined]
        following = self._place(region, pid, lane, unit, number, key=key)
        if following != self.out.shift:
            yield from self._move(region, number, following)

    def _was_kept(self, frames: int, following: Opening | None) -> bool:
        """Whether the chunk that ends in front of this key frame came before."""
        if self.lead_in and following is not None:
            return following.is_same(self.broken_off) or self.memory.find(following) is not None
        return self.replayed is not None and self.replayed.is_all_of(frames, following)

    def _move(self, region: Region, number: int, following: int) -> Iterator[Buffer]:
        """The leading track jumped here: clocks in front of this packet are taken to belong to the time before."""
        yield from self.out.hand_on(region, number)
        self.out.shift = following

    def _end_early(self, region: Region, number: int, *, opening: bool) -> Iterator[Buffer | Edge]:
        if self._fresh and number < self._limits.reach:
            self.stop = Stop(0, opening)
            return
        yield from self.out.hand_on(region, number)
        self.stop = Stop(number, opening)
        if opening:
            self.out.close_unit()
            span = self._close_chunk()
            if span is not None:
                yield Edge(span)

    def _close_chunk(self) -> Span | None:
        self.out.forget_units()
        self.opening = self.replayed = None
        self.lead_in = False
        self._fresh = True
        self._seen.clear()
        if self.time.span.emitted:
            return self.time.close()
        dropped = self.time.span.dropped_bytes
        self.time.drop_chunk()
        self.time.span.dropped_bytes = dropped
        return None

    def _follow(self, pid: int) -> None:
        """This track leads from here on."""
        if pid == self.time.lead:
            return
        self.time.lead = pid
        stream = self.lanes[pid].stream
        self.out.frames = FrameCounter(stream.codec) if is_counted(stream) else None
