"""A run of packets on its way through, and the two things that are done to it: clocks are moved, joints are announced."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ouzel.formats.mpegts.counters import Columns, Counters, Followed, Survey, announced, pid_at
from ouzel.formats.mpegts.packets import SIZE, is_discontinuity, move_clock, render_packet

_FLAGS_AT = 5
_CLOCK_SIZE = 7
"""Least length of an adaptation field with a clock reference."""
_ADAPTED = bytes(1 if value & 0x20 else 0 for value in range(256))
_CLOCKS = bytes(1 if value & 0x10 else 0 for value in range(256))


@dataclass(frozen=True, slots=True)
class Joint:
    """A packet to be inserted where a PID's continuity counter does not go on: it announces that, and carries nothing."""

    at: int
    """Number of the packet in front of which it goes."""
    pid: int
    counter: int
    """Of that packet."""

    def render(self) -> bytes:
        return render_packet(self.pid, self.counter - 1, discontinuity=True)


@dataclass(slots=True)
class Region:
    """Whole packets, of which those from number `start` on were not handed on yet."""

    block: memoryview
    headers: bytes
    columns: Columns
    counters: Counters
    size: int
    """Packets."""
    found: list[Followed] | None
    """What is in it, if every PID simply goes on and all packets are handed on at once."""
    joints: list[Joint] = field(default_factory=list[Joint])
    start: int = 0
    counted: int = 0
    """Packets whose payload the frame counter has seen."""
    _survey: Survey | None = None

    @property
    def survey(self) -> Survey:
        """Made when it is needed, which is seldom."""
        if self._survey is None:
            self._survey = self.counters.survey(self.headers)
        return self._survey

    def look_anew(self) -> None:
        """Other PIDs are followed from here on."""
        self.found = self._survey = None

    def distance(self, number: int) -> int:
        """Bytes that will be handed on before packet `number`."""
        before = sum(1 for joint in self.joints if joint.at <= number) if self.joints else 0
        return (number - self.start + before) * SIZE


def without(block: memoryview, headers: bytes, numbers: Collection[int]) -> tuple[memoryview, bytes]:
    """The block without these packets, and its headers."""
    kept, kept_headers = bytearray(block), bytearray(headers)
    for number in sorted(numbers, reverse=True):
        del kept[number * SIZE : (number + 1) * SIZE]
        del kept_headers[number * 4 : number * 4 + 4]
    return memoryview(kept), bytes(kept_headers)


def find_joints(
    block: memoryview, survey: Survey, counters: Counters, unjoined: Collection[int], *, always: bool
) -> list[Joint]:
    """Where the first packets after a break do not follow on the last ones before it. `always`: none of them does."""
    joints: list[Joint] = []
    for pid in unjoined:
        first = counters.first(survey, pid)
        last = counters.last.get(pid)
        if first is None or last is None:
            continue
        at, counter = first
        if not always and counter == (last + 1) & 0x0F:
            continue
        if not is_discontinuity(block, at * SIZE) and pid not in announced(block, survey, 0, at):
            joints.append(Joint(at, pid, counter))
    joints.sort(key=lambda joint: joint.at)
    return joints


def move_clocks(block: memoryview, headers: bytes, start: int, stop: int, pids: Collection[int], shift: int) -> None:
    """Patch the clock references of these PIDs in the packets from number `start` up to `stop`: `shift` ticks of 90 kHz are
    added."""
    size = stop - start
    adapted = int.from_bytes(headers[4 * start + 3 : 4 * stop : 4].translate(_ADAPTED), "little")
    flags = block[start * SIZE + _FLAGS_AT : stop * SIZE : SIZE].tobytes()
    marks = (adapted & int.from_bytes(flags.translate(_CLOCKS), "little")).to_bytes(size, "little")
    number = marks.find(1)
    while number >= 0:
        at = start + number
        if pid_at(headers, at) in pids and block[at * SIZE + 4] >= _CLOCK_SIZE:
            move_clock(block, at * SIZE, shift)
        number = marks.find(1, number + 1)
