"""Alternate sound among the packets of a programme: its PMT lists it, and its units come between the pictures they belong to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ouzel.formats.mpegts.counters import pid_at, starts_of
from ouzel.formats.mpegts.framing import headers_of
from ouzel.formats.mpegts.pack import AAC, SoundType
from ouzel.formats.mpegts.packets import (
    PAT_PID,
    SIZE,
    TICKS,
    WRAP,
    render_section,
    render_section_packets,
    set_counter,
    set_pid,
)
from ouzel.formats.mpegts.psi import Program, Tables, TablesState
from ouzel.formats.mpegts.units import mark_next, unit_at

_FIRST_PID = 0x1D00
_FRAME = TICKS // 25
"""Length of a picture, until it is known."""
_FAR = 10 * TICKS
"""Sound further away than this from the picture is of another timeline."""
_OVERLAP = TICKS // 50
"""By how much the first sound after a splice may begin before the picture."""
Woven = tuple[memoryview, bytes]


@dataclass(slots=True)
class SoundUnit:
    """A PES packet of sound as transport packets; their PIDs and counters are set when they are handed on."""

    dts: int
    packets: bytearray


@dataclass(frozen=True, slots=True)
class WeaverState:
    tables: TablesState
    counters: tuple[int, int]
    flags: tuple[bool, bool]
    pid: int
    latest: int | None


class Weaver:
    """Stands between the framer and the shaper of the main stream.

    Until the first sound has come it is announced as AAC, which it nearly always is. Where its type turns out to be another,
    the PMT changes, and the shaper opens another file.

    Args:
        limit: bytes of sound kept waiting for its pictures; beyond, the oldest is dropped.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tables = Tables()
        self._queue: deque[SoundUnit] = deque()
        self._queued = 0
        self._taken: list[SoundUnit] = []  # since the last save
        self._type = AAC
        self._pid = _FIRST_PID
        self._sound_counter = 0
        self._pmt_counter = 0
        self._fed = False  # packets of this chunk were seen
        self._begun = False  # a picture of this chunk was seen
        self._joined = True  # the first picture since a splice was seen
        self._latest: int | None = None  # the last picture
        self._step = _FRAME
        self.over = False
        """No pictures will come any more: the next `end` takes all sound."""
        self.dropped_bytes = 0
        """Sound that belongs to no picture. The reader of this figure sets it back to 0."""

    # -- sound --------------------------------------------------------------------------------------------------------

    def add(self, kind: SoundType, units: Iterable[SoundUnit]) -> None:
        """Queue sound, in the order of its time."""
        self._type = kind
        for unit in units:
            self._queue.append(unit)
            self._queued += len(unit.packets)
        while self._queued > self._limit:
            self.dropped_bytes += len(self._pop().packets)

    def _pop(self) -> SoundUnit:
        unit = self._queue.popleft()
        self._queued -= len(unit.packets)
        self._taken.append(unit)
        return unit

    def _due(self, now: int, ahead: int) -> list[SoundUnit]:
        """What is to be heard up to `ahead` ticks after the picture at `now`."""
        due: list[SoundUnit] = []
        while self._queue:
            distance = _distance(self._queue[0].dts, now)
            if abs(distance) > _FAR:
                near = (number for number, unit in enumerate(self._queue) if abs(_distance(unit.dts, now)) <= _FAR)
                skip = next(near, 0)
                if not skip:
                    break
                for _ in range(skip):
                    self.dropped_bytes += len(self._pop().packets)
            elif distance > ahead:
                break
            else:
                due.append(self._pop())
        return due

    def _join(self, now: int) -> None:
        """Sound from before the first picture after a splice has no place: what it would be heard with is missing."""
        self._joined = True
        while self._queue and -_FAR <= _distance(self._queue[0].dts, now) < -_OVERLAP:
            self.dropped_bytes += len(self._pop().packets)

    # -- packets ------------------------------------------------------------------------------------------------------

    def push(self, block: memoryview, headers: bytes) -> Iterator[Woven]:
        """Yield the packets of the block, with the sound between them and the PMT replaced."""
        tables, start = self._tables, 0
        self._fed = True
        marks = starts_of(headers)
        if tables.waiting:
            marks = mark_next(marks, headers, tables.waiting, 0)
        number = marks.find(1)
        while number >= 0:
            pid = pid_at(headers, number)
            if pid in tables.pids:
                before = tables.program
                tables.look(block, number * SIZE)
                program = tables.program
                if pid in tables.waiting:
                    marks = mark_next(marks, headers, (pid,), number + 1)
                if pid != PAT_PID and program is not None and pid in {program.pmt_pid, (before or program).pmt_pid}:
                    if start < number:
                        yield _part(block, headers, start, number)
                    if pid not in tables.waiting:
                        yield _whole(self._render_pmt(program))
                    start = number + 1
            elif pid == self._lead():
                unit = unit_at(block, number * SIZE)
                if unit is not None and unit.dts is not None:
                    sound = self._at_picture(unit.dts)
                    if sound:
                        if start < number:
                            yield _part(block, headers, start, number)
                        yield _whole(sound)
                        start = number
            number = marks.find(1, number + 1)
        if start < len(headers) // 4:
            yield _part(block, headers, start, len(headers) // 4)

    def end(self) -> Iterator[Woven]:
        """The chunk is over: the sound of its last picture. One with packets, but without pictures, takes all that is near;
        one without packets what came late."""
        if self._latest is not None:
            without = self._fed and not self._begun
            units = self._due(self._latest, _FAR if without or self.over else self._step + _OVERLAP)
            while self.over and self._queue and (more := self._due(units[-1].dts if units else self._latest, _FAR)):
                units += more
            sound = self._render(units)
            if sound:
                yield _whole(sound)
        self._fed = self._begun = False

    def splice(self) -> None:
        self._tables.forget_partials()
        self._fed = self._begun = self._joined = False
        self._latest = None

    def save(self) -> WeaverState:
        """Sound that was handed on up to here will not be asked for again."""
        self._taken.clear()
        return WeaverState(
            self._tables.save(),
            (self._sound_counter, self._pmt_counter),
            (self._begun, self._joined),
            self._pid,
            self._latest,
        )

    def restore(self, state: WeaverState) -> None:
        self._queue.extendleft(reversed(self._taken))
        self._queued = sum(len(unit.packets) for unit in self._queue)
        self._taken.clear()
        self._tables.restore(state.tables)
        self._sound_counter, self._pmt_counter = state.counters
        self._begun, self._joined = state.flags
        self._pid = state.pid
        self._latest = state.latest
        self._fed = False

    def _lead(self) -> int | None:
        program = self._tables.program
        if program is None:
            return None
        return next((stream.pid for stream in program.streams if stream.kind == "video"), None)

    def _at_picture(self, dts: int) -> bytearray:
        """The sound that goes in front of this picture. The first one of a chunk comes first, so that it opens it."""
        if not self._joined:
            self._join(dts)
        if self._latest is not None and 0 < _distance(dts, self._latest) < TICKS:
            self._step = _distance(dts, self._latest)
        self._latest = dts
        if not self._begun:
            self._begun = True
            return bytearray()
        return self._render(self._due(dts, self._step))

    def _render(self, units: list[SoundUnit]) -> bytearray:
        out = bytearray()
        for unit in units:
            packets = bytearray(unit.packets)
            for at in range(0, len(packets), SIZE):
                set_pid(packets, at, self._pid)
                if packets[at + 3] & 0x10:
                    self._sound_counter = (self._sound_counter + 1) & 0x0F
                set_counter(packets, at, self._sound_counter)
            out += packets
        return out

    def _render_pmt(self, program: Program) -> bytearray:
        """The programme's PMT with the sound in it."""
        taken = {*(stream.pid for stream in program.streams), *self._tables.pids, program.pcr_pid}
        if self._pid in taken:
            self._pid = next(pid for pid in range(_FIRST_PID, 0x1FFF) if pid not in taken)
        section, kind = program.section, self._type
        extra = bytes((kind.type,)) + (0xE000 | self._pid).to_bytes(2, "big")
        extra += (0xF000 | len(kind.descriptors)).to_bytes(2, "big") + kind.descriptors
        version = section[5] >> 1 & 0x1F
        packets = bytearray(
            render_section_packets(
                program.pmt_pid,
                render_section(0x02, program.number, version, section[8:-4] + extra),
                self._pmt_counter,
            )
        )
        self._pmt_counter = (self._pmt_counter + len(packets) // SIZE) & 0x0F
        return packets


def _distance(stamp: int, now: int) -> int:
    return (stamp - now + WRAP // 2) % WRAP - WRAP // 2


def _part(block: memoryview, headers: bytes, start: int, stop: int) -> Woven:
    return block[start * SIZE : stop * SIZE], headers[start * 4 : stop * 4]


def _whole(packets: bytearray) -> Woven:
    block = memoryview(packets)
    return block, headers_of(block)
