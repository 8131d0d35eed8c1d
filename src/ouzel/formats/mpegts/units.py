"""Access to the units (PES packets) inside a block of aligned packets, cheap enough for every unit of every channel."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from ouzel.formats.mpegts.counters import pid_at
from ouzel.formats.mpegts.packets import SIZE, payload_at, read_pes, write_stamp

_HEADER = Struct(">IHBBBBHHBHH")  # start code and stream id, length, two bytes of flags, header length, PTS, DTS


class Unit(NamedTuple):
    """The start of a PES packet. Positions count from the start of the block."""

    random_access: bool
    pts: int | None
    dts: int | None
    """Equal to `pts` where the header gives only that."""
    stamps_at: int
    data_at: int
    length: int
    """Bytes behind the length field; 0 = not told."""


def mark_next(marks: bytes, headers: bytes, pids: Collection[int], start: int) -> bytes:
    """`marks` with the next packet at or behind `start` of each of these PIDs marked as well."""
    marked = bytearray(marks)
    low = headers[2::4]
    for pid in pids:
        at = low.find(pid & 0xFF, start)
        while at >= 0 and pid_at(headers, at) != pid:
            at = low.find(pid & 0xFF, at + 1)
        if at >= 0:
            marked[at] = 1
    return bytes(marked)


def unit_at(block: memoryview, at: int) -> Unit | None:
    """The unit that starts in the packet at position `at`; None when there is no PES header."""
    control = block[at + 3]
    start = at + 4
    random_access = False
    if control & 0x20:
        start += 1 + block[at + 4]
        random_access = start > at + 5 and block[at + 5] & 0x40 != 0
    if not control & 0x10 or start + 19 > at + SIZE:
        return _slow_unit(block, at, random_access=random_access)
    code, length, first, flags, size, a, b, c, d, e, f = _HEADER.unpack_from(block, start)
    if code >> 8 != 1 or first & 0xC0 != 0x80 or size < (10 if flags & 0x40 else 5 if flags & 0x80 else 0):
        return _slow_unit(block, at, random_access=random_access)
    pts = dts = None
    if flags & 0x80:
        pts = dts = (a & 0x0E) << 29 | (b & 0xFFFE) << 14 | c >> 1
        if flags & 0x40:
            dts = (d & 0x0E) << 29 | (e & 0xFFFE) << 14 | f >> 1
    return Unit(random_access, pts, dts, start + 9, start + 9 + size, length)


def _slow_unit(block: memoryview, at: int, *, random_access: bool) -> Unit | None:
    """The rare forms: a header that does not fit in, streams without flags."""
    pes = read_pes(block, at)
    if pes is None:
        return None
    return Unit(random_access, pes.pts, pes.dts, payload_at(block, at) + 9, pes.data_at, pes.length)


def shift_unit(block: memoryview, unit: Unit, offset: int) -> None:
    """Move the time stamps of a unit, in place."""
    if unit.pts is None or unit.dts is None:
        return
    write_stamp(block, unit.stamps_at, unit.pts + offset)
    if block[unit.stamps_at - 2] & 0x40 and block[unit.stamps_at - 1] >= 10:
        write_stamp(block, unit.stamps_at + 5, unit.dts + offset)


@dataclass(frozen=True, slots=True)
class Gathered:
    data: bytes
    complete: bool
    """No more bytes can come: the unit ends here, or the limit is reached."""


def gather(block: memoryview, headers: bytes, number: int, unit: Unit, limit: int, reach: int) -> Gathered:
    """The first bytes of the elementary stream in the unit that starts in packet `number`.

    Args:
        limit: bytes at most.
        reach: packets that may be looked at, this one included; when the block has fewer, more may come.
    """
    if unit.length:
        limit = min(limit, max(0, unit.length - 3 - (unit.data_at - unit.stamps_at)))
    end = (number + 1) * SIZE
    data = bytearray(block[unit.data_at : end])
    skip = max(0, unit.data_at - end)  # of a header that goes on in the next packet
    low, pid = headers[2::4], pid_at(headers, number)
    high, pid_low = pid >> 8, pid & 0xFF
    stop = min(len(low), number + reach)
    at = low.find(pid_low, number + 1, stop)
    while at >= 0 and len(data) < limit:
        second = headers[4 * at + 1]
        if second & 0x1F == high:
            if second & 0x40:
                return Gathered(bytes(data[:limit]), True)
            if skip or headers[4 * at + 3] & 0x30 != 0x10:
                part = block[payload_at(block, at * SIZE) : (at + 1) * SIZE]
                data += part[skip:]
                skip = max(0, skip - len(part))
            else:
                data += block[at * SIZE + 4 : at * SIZE + SIZE]
        at = low.find(pid_low, at + 1, stop)
    return Gathered(bytes(data[:limit]), len(data) >= limit or stop == number + reach)


def payload_of(block: memoryview, headers: bytes, pid: int, start: int, stop: int) -> bytes:
    """All payload bytes of one PID from packet `start` up to `stop`."""
    low = headers[2::4]
    parts: list[memoryview] = []
    at = low.find(pid & 0xFF, start, stop)
    while at >= 0:
        if pid_at(headers, at) == pid:
            parts.append(block[payload_at(block, at * SIZE) : (at + 1) * SIZE])
        at = low.find(pid & 0xFF, at + 1, stop)
    return b"".join(parts)
