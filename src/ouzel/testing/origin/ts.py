"""MPEG-TS pieces: ffmpeg's segments, made endlessly repeatable.

Continuity counters are made periodic once, so that they need no patching: every PID gets a multiple of 16 packets with
payload (tables are sent once more, a packet is split into several), so that each piece counts from 0 to 15 and any piece may
follow any other.

Written apart from `ouzel.formats.mpegts` on purpose. Source: ISO/IEC 13818-1 sections 2.4.3.2 to 2.4.3.7.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ouzel.testing.clips import Clip, Tracks
from ouzel.testing.markers import MARK_BYTES, PICTURE_ID, blank_packet
from ouzel.testing.origin.pieces import TICKS, Part

PACKET = 188
_NULL_PID = 0x1FFF
_WRAP = (1 << 33) - 1


@dataclass(frozen=True, slots=True)
class TsPiece:
    data: bytes
    duration_90k: int
    parts: tuple[Part, ...]
    stamps: tuple[tuple[int, int], ...]
    """Offset of each PTS or DTS field of 5 bytes, and its value in the clip's time."""
    clocks: tuple[tuple[int, int], ...]
    """The same for each PCR base."""
    marks: tuple[tuple[int, int, int], ...]
    """Offset in the data, and start and end in the mark, of each stretch of a mark's text."""

    @property
    def size(self) -> int:
        return len(self.data)

    def stamped(self, base_90k: int, mark: bytes, sequence: int) -> bytearray:
        del sequence  # TS counts nothing that is not periodic here
        data = bytearray(self.data)
        for at, value in self.stamps:
            put_stamp(data, at, value + base_90k)
        for at, value in self.clocks:
            ticks = (value + base_90k) & _WRAP
            data[at : at + 4] = (ticks >> 1).to_bytes(4, "big")
            data[at + 4] = data[at + 4] & 0x7F | (ticks & 1) << 7
        for at, start, end in self.marks:
            data[at : at + end - start] = mark[start:end]
        return data


def get_stamp(data: bytes | bytearray, at: int) -> int:
    """The 33 bits of a PTS or DTS field."""
    a, b, c, d, e = data[at : at + 5]
    return (a & 0x0E) << 29 | b << 22 | (c & 0xFE) << 14 | d << 7 | e >> 1


def put_stamp(data: bytearray, at: int, ticks: int) -> None:
    """Write a PTS or DTS field (modulo 2**33), keeping the four bits that say which it is."""
    ticks &= _WRAP
    head = data[at] & 0xF0
    bits = (head | ticks >> 29 & 0x0E | 1) << 32 | (ticks >> 22 & 0xFF) << 24 | (ticks >> 14 & 0xFE | 1) << 16
    data[at : at + 5] = (bits | (ticks >> 7 & 0xFF) << 8 | (ticks << 1 & 0xFE) | 1).to_bytes(5, "big")


@lru_cache(maxsize=64)
def ts_pieces(clip: Clip, tracks: Tracks, part_frames: int = 0) -> tuple[TsPiece, ...]:
    """The pieces of a clip; with `part_frames` > 0 each is divided into parts of so many pictures."""
    raw = [path.read_bytes() for path in clip.ts_segments(tracks)]
    if len(raw) != clip.gops:
        raise ValueError(f"{len(raw)} TS segments were cut from {clip.gops} groups of pictures")
    even = [blank_packet() + _make_periodic(data) for data in raw]
    zero = _first_shown(even[0])
    starts = [_first_shown(data) for data in even] + [zero + clip.length_90k]
    pieces: list[TsPiece] = []
    for data, start, end in zip(even, starts[:-1], starts[1:], strict=True):
        stamps = tuple((at, get_stamp(data, at) - zero) for at in _stamps(data))
        clocks = tuple((at, (int.from_bytes(data[at : at + 5], "big") >> 7) - zero) for at in _clocks(data))
        parts = tuple(_parts(data, part_frames, TICKS // clip.rate)) if part_frames else ()
        pieces.append(TsPiece(data, end - start, parts, stamps, clocks, tuple(_marks(data))))
    return tuple(pieces)


@dataclass(frozen=True, slots=True)
class _Packet:
    at: int
    pid: int
    starts: bool
    payload: int
    """Offset of the payload; `at + 188` when there is none."""
    clock: int
    """Offset of the PCR; 0 when there is none."""


def _packets(data: bytes | bytearray) -> Iterator[_Packet]:
    for at in range(0, len(data), PACKET):
        if data[at] != 0x47:
            raise ValueError(f"no sync byte at {at}")
        control, payload, clock = data[at + 3] >> 4 & 3, at + 4, 0
        if control & 2:
            payload += 1 + data[at + 4]
            clock = at + 6 if data[at + 4] and data[at + 5] & 0x10 else 0
        pid = (data[at + 1] & 0x1F) << 8 | data[at + 2]
        yield _Packet(at, pid, bool(data[at + 1] & 0x40), payload if control & 1 else at + PACKET, clock)


def _is_pes(data: bytes | bytearray, packet: _Packet) -> bool:
    head = data[packet.payload : packet.payload + 4]
    return packet.starts and head[:3] == b"\0\0\1" and 0xC0 <= head[3] <= 0xEF


def _make_periodic(raw: bytes) -> bytes:
    """The same stream with a multiple of 16 payload packets on each PID, counted from 0."""
    by_pid: dict[int, list[_Packet]] = defaultdict(list)
    for packet in _packets(raw):
        if packet.payload < packet.at + PACKET:
            by_pid[packet.pid].append(packet)
    extra: dict[int, list[bytes]] = {}  # packets that take the place of the one at this offset
    for packets in by_pid.values():
        missing = -len(packets) % 16
        if _is_pes(raw, packets[0]):
            victim = max(packets[1:], key=lambda packet: packet.at + PACKET - packet.payload)
            extra[victim.at] = list(_split(raw[victim.at : victim.at + PACKET], missing + 1))
        else:
            extra[packets[0].at] = [raw[packets[0].at : packets[0].at + PACKET]] * (missing + 1)
    out = bytearray()
    for at in range(0, len(raw), PACKET):
        for packet in extra.get(at, [raw[at : at + PACKET]]):
            out += packet
    _recount(out)
    return bytes(out)


def _split(packet: bytes, number: int) -> Iterator[bytes]:
    """A full packet without adaptation field as `number` packets with the same payload between them."""
    if packet[3] & 0x20 or packet[1] & 0x40:
        raise ValueError("no packet without an adaptation field to split: the groups of this clip are too small")
    if number == 1:
        yield packet
        return
    payload = packet[4:]
    for index in range(number):
        piece = payload[len(payload) * index // number : len(payload) * (index + 1) // number]
        stuffing = PACKET - 5 - len(piece)  # bytes of the adaptation field after its length
        yield packet[:3] + bytes([packet[3] | 0x30, stuffing, 0]) + b"\xff" * (stuffing - 1) + piece


def _recount(data: bytearray) -> None:
    counters: dict[int, int] = defaultdict(int)
    for packet in _packets(data):
        carries = packet.payload < packet.at + PACKET
        counter = counters[packet.pid] if carries else counters[packet.pid] - 1
        data[packet.at + 3] = data[packet.at + 3] & 0xF0 | counter & 0x0F
        counters[packet.pid] += carries


def _stamps(data: bytes) -> Iterator[int]:
    for packet in _packets(data):
        if _is_pes(data, packet):
            flags = data[packet.payload + 7]
            if flags & 0x80:
                yield packet.payload + 9
            if flags & 0x40:
                yield packet.payload + 14


def _clocks(data: bytes) -> Iterator[int]:
    return (packet.clock for packet in _packets(data) if packet.clock)


def _first_shown(data: bytes) -> int:
    """Presentation time of the first picture; of the first sound where there is no picture."""
    heads = [packet for packet in _packets(data) if _is_pes(data, packet)]
    pictures = [packet for packet in heads if data[packet.payload + 3] >= 0xE0]
    return get_stamp(data, (pictures or heads)[0].payload + 9)


def _marks(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Where the texts of the marks are: in the null packet at the front, and in the key frame's SEI message."""
    text = MARK_BYTES - len(PICTURE_ID)
    yield 4 + len(PICTURE_ID), 0, text
    video = next((p.pid for p in _packets(data) if _is_pes(data, p) and data[p.payload + 3] >= 0xE0), _NULL_PID)
    if video == _NULL_PID:
        return
    runs = [packet for packet in _packets(data) if packet.pid == video]
    stream = b"".join(data[packet.payload : packet.at + PACKET] for packet in runs)
    first = stream.index(PICTURE_ID) + len(PICTURE_ID)
    passed = 0
    for packet in runs:  # the text may go over the edge of a packet
        length = packet.at + PACKET - packet.payload
        start, end = max(first, passed), min(first + text, passed + length)
        if start < end:
            yield packet.payload + start - passed, start - first, end - first
        passed += length


def _parts(data: bytes, frames: int, frame_90k: int) -> Iterator[Part]:
    """Cuts at the packets where every so many-th picture begins."""
    heads = [packet.at for packet in _packets(data) if _is_pes(data, packet) and data[packet.payload + 3] >= 0xE0]
    cuts = [0, *heads[frames::frames], len(data)]
    counts: Sequence[int] = [min(frames, len(heads) - first) for first in range(0, len(heads), frames)]
    for index, count in enumerate(counts):
        yield Part(cuts[index], cuts[index + 1] - cuts[index], count * frame_90k, index == 0)
