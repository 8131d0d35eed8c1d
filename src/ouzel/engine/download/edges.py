"""What the head and the tail of a piece say: where its clock is, which numbers it begins and ends with. Pure.

A few packets at either end, or the boxes in front of the first samples: enough to see whether one piece belongs behind another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ouzel.base.errors import FormatError
from ouzel.formats.fmp4.boxes import Box, children, first, inside, wanted
from ouzel.formats.mpegts.packets import (
    counter_of,
    has_payload,
    is_discontinuity,
    pid_of,
    read_pes,
    starts_unit,
)
from ouzel.model.layout import TS_PACKET

HEAD_BYTES = 24 * TS_PACKET
TAIL_BYTES = 48 * TS_PACKET
_SYNC = 0x47
_NULL_PID = 0x1FFF
_LAST_TABLE_PID = 0x1F
_TS_HZ = 90_000
_TS_WRAP = 1 << 33


@dataclass(frozen=True, slots=True)
class Ends:
    """Of one piece."""

    clock: Mapping[int, int] = field(default_factory=dict[int, int])
    """By track, or PID: the first time stamp, in ticks."""
    firsts: Mapping[int, int] = field(default_factory=dict[int, int])
    """By PID: the first continuity counter."""
    lasts: Mapping[int, int] = field(default_factory=dict[int, int])
    tables: bytes = b""
    """What says which tracks there are, as far as it can be compared."""
    number: int | None = None
    """Of its first fragment."""
    garbage: int | None = None
    """Where in the piece something is that is no media; negative: counted from its end."""


def ts_ends(head: bytes, tail: bytes) -> Ends:
    """Of a transport stream; `head` and `tail` may overlap. `tail` ends where the piece ends."""
    clock: dict[int, int] = {}
    firsts: dict[int, int] = {}
    lasts: dict[int, int] = {}
    tables = b""
    for at in range(0, len(head) - TS_PACKET + 1, TS_PACKET):
        if head[at] != _SYNC:
            return Ends(garbage=at)
        pid = pid_of(head, at)
        if pid == _NULL_PID or not has_payload(head, at):
            continue
        if pid not in firsts:
            firsts[pid] = counter_of(head, at) if not is_discontinuity(head, at) else -1
            if pid <= _LAST_TABLE_PID:
                tables += head[at + 4 : at + TS_PACKET]
        if pid not in clock and starts_unit(head, at) and (pes := read_pes(head, at)) and pes.pts is not None:
            clock[pid] = pes.dts if pes.dts is not None else pes.pts
    start = len(tail) % TS_PACKET
    for at in range(start, len(tail), TS_PACKET):
        if tail[at] != _SYNC:
            return Ends(clock, firsts, lasts, tables, garbage=at - len(tail))
        pid = pid_of(tail, at)
        if pid != _NULL_PID and has_payload(tail, at):
            lasts[pid] = counter_of(tail, at)
    return Ends(clock, firsts, lasts, tables)


def mp4_ends(head: bytes) -> Ends:
    """Of fragments. `head`: the first `moof`, and what stands before it. Damaged ones tell where."""
    at = 0
    try:
        while at + 8 <= len(head) and head[at + 4 : at + 8] != b"moof":
            size = int.from_bytes(head[at : at + 4], "big")
            if size < 8 or not head[at + 4 : at + 8].isalnum():
                return Ends(garbage=at)
            at += size
        moof = next(iter(children(head, at, at + int.from_bytes(head[at : at + 4], "big"))), None)
        if moof is None or moof.end > len(head):
            return Ends()  # longer than what was read of it
        number, clock = None, dict[int, int]()
        for box in inside(head, moof):
            if box.kind == b"mfhd":
                number = _u32(head, box.body + 4)
            elif box.kind == b"traf":
                decode = first(head, box, b"tfdt")
                if decode is not None:
                    wide = head[decode.body] == 1
                    end = decode.body + (12 if wide else 8)
                    clock[_u32(head, wanted(head, box, b"tfhd").body + 4)] = int.from_bytes(
                        head[decode.body + 4 : end], "big"
                    )
        return Ends(clock, number=number)
    except FormatError:
        return Ends(garbage=at)


def timescales(head: bytes) -> dict[int, int]:
    """Ticks a second of each track of an init segment. Raises: FormatError."""
    found: dict[int, int] = {}
    moov = next((box for box in children(head, 0, len(head)) if box.kind == b"moov"), None)
    for trak in inside(head, moov) if moov is not None else ():
        if trak.kind == b"trak":
            found[_id(head, wanted(head, trak, b"tkhd"))] = _scale(head, wanted(head, trak, b"mdia", b"mdhd"))
    return found


def passed_s(before: Ends, after: Ends, scales: Mapping[int, int] | None) -> float | None:
    """Seconds between the beginnings of two pieces by their clock; None when no track tells.

    Args:
        scales: of an MP4, ticks a second; None for a transport stream, whose clock may go round.
    """
    for track, start in before.clock.items():
        if track not in after.clock:
            continue
        ticks = after.clock[track] - start
        if scales is not None:
            return ticks / scales[track] if scales.get(track) else None
        return ((ticks + _TS_WRAP // 2) % _TS_WRAP - _TS_WRAP // 2) / _TS_HZ
    return None


def is_continuous(before: Ends, after: Ends) -> bool | None:
    """Whether the packets of a transport stream are counted on; None where nobody can say."""
    told = [
        (after.firsts[pid] - last) % 16 == 1
        for pid, last in before.lasts.items()
        if pid > _LAST_TABLE_PID and after.firsts.get(pid, -1) >= 0
    ]
    return all(told) if told else None


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _id(data: bytes, tkhd: Box) -> int:
    return _u32(data, tkhd.body + (20 if data[tkhd.body] == 1 else 12))


def _scale(data: bytes, mdhd: Box) -> int:
    return _u32(data, mdhd.body + (20 if data[mdhd.body] == 1 else 12))
