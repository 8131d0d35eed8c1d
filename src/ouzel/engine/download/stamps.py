"""Time stamps of one piece: when it begins and ends by its clock, and what stands where when the clock is moved. Pure.

All times are in ticks of 90 kHz; lanes are PIDs of a transport stream, tracks of an MP4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ouzel.base.errors import Unsupported
from ouzel.formats.fmp4.boxes import Box, children, first, inside, wanted
from ouzel.formats.fmp4.fragment import parse_moof
from ouzel.formats.fmp4.moov import Trex
from ouzel.formats.mpegts.packets import payload_at, pcr_of, pid_of, read_pes, shift_pcr, shift_pes
from ouzel.model.layout import TS_PACKET

HZ = 90_000
_WRAP = 1 << 33
_STARTS, _ADAPTATION = (1, 0x40), (3, 0x20)
"""Byte of a packet, and the bit in it."""
_PCR_AT, _PCR_BYTES = 6, 6
_STAMPS_AT, _STAMPS_BYTES = 9, 10

Span = tuple[int, int]


def ts_span(data: bytearray) -> dict[int, Span]:
    """By PID: the first decode time, and the end of the last unit, which may have gone round the wrap.

    A unit lasts as long as the one before it; where both tell their sizes, as of sound with several frames in each, in
    proportion.
    """
    seen: dict[int, list[tuple[int, int]]] = {}
    for at in _marked(data, *_STARTS):
        pes = read_pes(data, at)
        if pes is not None and pes.dts is not None:
            seen.setdefault(pid_of(data, at), []).append((pes.dts, pes.length))
    return {pid: (units[0][0], _end(*units[-2:])) for pid, units in seen.items() if len(units) > 1}


def _end(before: tuple[int, int], last: tuple[int, int]) -> int:
    lasted = (last[0] - before[0]) % _WRAP
    return last[0] + (lasted * last[1] // before[1] if before[1] and last[1] else lasted)


def ts_moved(data: bytearray, ticks: int) -> Iterator[tuple[int, bytes]]:
    """Yield what changes, and where in the piece. `data` is changed."""
    for at in _marked(data, *_ADAPTATION):
        if pcr_of(data, at) is not None:
            shift_pcr(data, at, ticks)
            yield at + _PCR_AT, bytes(data[at + _PCR_AT : at + _PCR_AT + _PCR_BYTES])
    for at in _marked(data, *_STARTS):
        pes = read_pes(data, at)
        if pes is not None and pes.pts is not None:
            shift_pes(data, at, ticks)
            start = payload_at(data, at) + _STAMPS_AT
            yield start, bytes(data[start : min(start + _STAMPS_BYTES, at + TS_PACKET)])


def mp4_span(data: bytes, scales: Mapping[int, int], trex: Mapping[int, Trex]) -> dict[int, Span]:
    """By track: the first decode time, and the end of the last sample. Raises: FormatError."""
    spans: dict[int, Span] = {}
    for box in children(data, 0, len(data)):
        if box.kind == b"moof":
            for traf in parse_moof(data[box.start : box.end], trex).trafs:
                if traf.time is not None:
                    scale = scales[traf.track]
                    end = (traf.time + traf.duration) * HZ // scale
                    start, _ = spans.get(traf.track, (traf.time * HZ // scale, 0))
                    spans[traf.track] = start, end
    return spans


def mp4_moved(data: bytearray, ticks: int, scales: Mapping[int, int]) -> Iterator[tuple[int, bytes]]:
    """As `ts_moved`. Raises: FormatError; Unsupported where a field cannot hold the time."""
    whole = bytes(data)
    for box in children(whole, 0, len(whole)):
        if box.kind == b"moof":
            for traf in inside(whole, box):
                if traf.kind == b"traf" and (decode := first(whole, traf, b"tfdt")) is not None:
                    track = _u32(whole, wanted(whole, traf, b"tfhd").body + 4)
                    yield _later(whole, decode, 4, ticks, scales[track])
        elif box.kind == b"sidx":
            yield _later(whole, box, 12, ticks, _u32(whole, box.body + 8))


def _later(data: bytes, box: Box, skip: int, ticks: int, scale: int) -> tuple[int, bytes]:
    at, size = box.body + skip, 8 if data[box.body] else 4
    time = int.from_bytes(data[at : at + size], "big") + round(ticks * scale / HZ)
    if not 0 <= time < 1 << 8 * size:
        raise Unsupported("a time stamp has no room for the time")
    return at, time.to_bytes(size, "big")


def _marked(data: bytearray, byte: int, mask: int) -> Iterator[int]:
    """Where the packets begin that have this bit, without looking at each."""
    column = data[byte::TS_PACKET].translate(bytes(bool(value & mask) for value in range(256)))
    at = column.find(1)
    while at >= 0:
        if (at + 1) * TS_PACKET <= len(data):
            yield at * TS_PACKET
        at = column.find(1, at + 1)


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
