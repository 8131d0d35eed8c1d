"""A run of packets on its way through, and the two things that are done to it: clocks are moved, joints are announced."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ouzel.formats.mpegts.counters import Counters, Survey, announced, pid_at
from ouzel.formats.mpegts.packets import SIZE, is_discontinuity, render_packet, shift_pcr
from ouzel.formats.mpegts.units import adapted


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
    survey: Survey
    joints: list[Joint]
    size: int
    """Packets."""
    start: int = 0
    counted: int = 0
    """Packets whose payload the frame counter has seen."""

    def distance(self, number: int) -> int:
        """Bytes that will be handed on before packet `number`."""
        before = sum(1 for joint in self.joints if joint.at <= number) if self.joints else 0
        return (number - self.start + before) * SIZE


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


def move_clocks(region: Region, stop: int, pids: Collection[int], shift: int) -> None:
    """Patch the clock references of these PIDs in the packets up to number `stop`: `shift` ticks of 90 kHz are added."""
    block, headers = region.block, region.headers
    marks = adapted(headers)
    number = marks.find(1, region.start, stop)
    while number >= 0:
        at = number * SIZE
        if block[at + 5] & 0x10 and pid_at(headers, number) in pids:
            shift_pcr(block, at, shift)
        number = marks.find(1, number + 1, stop)
