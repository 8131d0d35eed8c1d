"""Ordinary units: nearly all that pass. Written for speed: no object is made for a unit.

A unit is ordinary when nothing has to be decided because of it: its PES header is of the usual form, its time stamp follows the
one before it, and it cannot change the tracks or end a chunk. Everything else is left to `flow`.
"""

from __future__ import annotations

from struct import Struct

from ouzel.formats.mpegts.counters import Columns
from ouzel.formats.mpegts.lanes import Lane
from ouzel.formats.mpegts.outlet import Outlet
from ouzel.formats.mpegts.packets import SIZE, WRAP, write_stamp, write_stamps
from ouzel.formats.mpegts.psi import Tables
from ouzel.formats.mpegts.timeline import Timeline

_HEADER = Struct(">IHHBBHHBHH")  # start code and stream id, length, flags, header length, PTS, DTS
_FORM, _ONE, _BOTH = 0xC0C0, 0x8080, 0x80C0
"""Of the flags: the bits that tell the form, and the two usual forms: with one time stamp, with both."""
_LATEST_START = SIZE - 19 - 5
"""Longest adaptation field behind which such a header fits in."""
_SOUND = 16
"""Bytes of sound that must be there."""
_MASK = WRAP - 1
_NEVER = 1 << 62


class Follower:
    """Takes note of units and moves their stamps, exactly as `Flow` does it one by one.

    Args:
        max_chunk_s: no unit that may end a chunk of this length is ordinary; None: chunks end elsewhere.
    """

    def __init__(self, time: Timeline, out: Outlet, tables: Tables, max_chunk_s: float | None) -> None:
        self._time = time
        self._out = out
        self._tables = tables
        self._max_chunk_s = max_chunk_s

    def follow(self, block: memoryview, columns: Columns, starts: bytes, number: int, base: int) -> int:
        """Go through the units from packet `number` on, as long as they are ordinary. A picture must lead.

        Args:
            columns: the headers.
            starts: 1 for each packet that starts a unit.
            base: bytes of the chunk in front of the block.
        Returns: the packet of the first unit that is not ordinary; -1 when there is none.
        """
        time, out, lanes, lead = self._time, self._out, self._out.lanes, self._time.lead
        shown, span, retimer = time.shown, time.span, time.retimer
        if time.raw is None or shown is None or span.source_s is None:
            return number  # it has not begun yet, in this chunk or since the last break
        lane = lanes.get(lead)
        if lane is None or not lane.indicator:
            return number
        (raw, step, offset), shift, tolerance = retimer.so_far(lead), out.shift, retimer.tolerance
        find, unpack, settled = starts.find, _HEADER.unpack_from, self._tables.settled
        second, third, fourth = columns
        limit = _NEVER if self._max_chunk_s is None else time.latest(self._max_chunk_s) - offset - 2
        pictures, latest, last, length = 0, shown - offset, number, 0
        while number >= 0:
            at = number * SIZE
            pid = (second[number] & 0x1F) << 8 | third[number]
            if pid == lead:
                control = fourth[number] & 0x30
                if control == 0x30:
                    field = block[at + 4]
                    if (field and block[at + 5] & 0x40) or field > _LATEST_START:
                        break
                    start = at + 5 + field
                elif control == 0x10:
                    start = at + 4
                else:
                    break
                code, size, flags, room, a, b, c, d, e, f = unpack(block, start)
                form = flags & _FORM
                pts = dts = (a & 0x0E) << 29 | (b & 0xFFFE) << 14 | c >> 1
                if form == _BOTH and room >= 10:
                    dts = (d & 0x0E) << 29 | (e & 0xFFFE) << 14 | f >> 1
                elif form != _ONE or room < 5:
                    break
                if code >> 8 != 1 or not raw < dts <= raw + tolerance or raw + step > limit:
                    break
                step, raw, last, length = dts - raw, dts, number, size
                pictures += 1
                if pts >= dts:
                    if pts > latest:
                        latest = pts
                elif dts + (pts - dts & _MASK) > latest:
                    latest = dts + (pts - dts & _MASK)
                if shift:
                    if form == _BOTH:
                        write_stamps(block, start + 9, a, pts + shift, d, dts + shift)
                    else:
                        write_stamp(block, start + 9, pts + shift)
            elif pid in lanes:
                if limit != _NEVER and time.lag_s(pid) >= (self._max_chunk_s or 0):
                    break
                if not self._pass_other(block, fourth[number], number, pid, span.frames + pictures):
                    break
                lanes[pid].unit_at, lanes[pid].since = base + at, number
            elif (table := settled.get(pid)) is not None:
                if bytes(block[at + 4 : at + SIZE]) != table:
                    break
            elif pid in self._tables.pids:
                break
            number = find(1, number + 1)
        if pictures:
            lane.declared, lane.packets, lane.since = length, 0, last
            lane.unit_at, lane.frames_before = base + last * SIZE, span.frames + pictures - 1
            retimer.went_on(lead, raw, step)
            time.raw, time.shown = raw, latest + offset
            time.units += pictures
            span.frames += pictures
        return number

    def _pass_other(self, block: memoryview, control: int, number: int, pid: int, frames: int) -> bool:
        """A unit of a track that does not lead. False, and nothing is done, if it is not ordinary."""
        lane = self._out.lanes[pid]
        if lane.kind == "other":
            return not self._out.shift
        at = number * SIZE
        start, video = at + 4, lane.kind == "video"
        if control & 0x20:
            field = block[start]
            start += 1 + field
            if video and field and block[at + 5] & 0x40:
                return False
        if not control & 0x10 or start > at + 5 + _LATEST_START or (video and not lane.indicator):
            return False
        code, length, flags, room, a, b, c, d, e, f = _HEADER.unpack_from(block, start)
        form = flags & _FORM
        if code >> 8 != 1 or not ((form == _ONE and room >= 5) or (form == _BOTH and room >= 10)):
            return False
        if not video and not _is_usual(lane, block, start + 9 + room, at + SIZE, length):
            return False
        pts = dts = (a & 0x0E) << 29 | (b & 0xFFFE) << 14 | c >> 1
        if form == _BOTH:
            dts = (d & 0x0E) << 29 | (e & 0xFFFE) << 14 | f >> 1
        retimer = self._time.retimer
        raw, _, offset = retimer.so_far(pid)
        if not raw < dts <= raw + retimer.tolerance:
            return False
        retimer.went_on(pid, dts, dts - raw)
        if not video:
            lane.usual = length
        lane.declared, lane.packets, lane.frames_before = length, 0, frames
        self._time.units += 1
        self._time.others.add(pid)
        if offset & _MASK:
            write_stamp(block, start + 9, pts + offset)
            if form == _BOTH:
                write_stamp(block, start + 14, dts + offset)
        return True


def _is_usual(lane: Lane, block: memoryview, data: int, end: int, length: int) -> bool:
    """Whether a unit of sound begins with a frame header like all others, and is not shorter than they are."""
    mark = lane.raw
    if not lane.known or data + _SOUND > end or length * 5 < lane.usual * 4:
        return False
    if not mark:
        return True
    if lane.stream.codec == "aac":
        return block[data + 2] & 0xFD == mark[0] and block[data + 3] & 0xC0 == mark[1]
    return bytes(block[data : data + len(mark)]) == mark
