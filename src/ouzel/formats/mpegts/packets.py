"""Transport stream packets: read them, patch them in place, render them. Pure functions over bytes.

`at` is always the position of a packet's sync byte inside `buf`. Nothing here checks the sync byte: whoever calls has
aligned the packets. Time stamps are 33-bit ticks of 90 kHz, clock references (PCR) ticks of 27 MHz, both as they stand in the
stream, that is modulo 2^33 (times 300).

Source: ISO/IEC 13818-1, sections 2.4.3.3 (packet), 2.4.3.5 (adaptation field), 2.4.3.7 (PES), 2.4.4 (tables).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import TypeAlias

Readable: TypeAlias = bytes | bytearray | memoryview
Writable: TypeAlias = bytearray | memoryview

SIZE = 188
SYNC = 0x47
PAT_PID = 0
NULL_PID = 0x1FFF
TICKS = 90_000
"""Ticks of a time stamp in one second."""
WRAP = 1 << 33
"""Time stamps count modulo this."""

_ERROR, _START, _PAYLOAD, _ADAPTATION = 0x80, 0x40, 0x10, 0x20
_DISCONTINUITY, _RANDOM_ACCESS, _PCR = 0x80, 0x40, 0x10
_ROOM = SIZE - 4
_STAMP = Struct(">BHH")
_STAMPS = Struct(">BHHBHH")
_CLOCK = Struct(">IB")  # 33 bits of the clock reference's base, and 7 others
_NO_EXTENSION = frozenset((0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF))
"""Stream ids whose PES packets have no flags and no time stamps (table 2-22)."""


# -- the four bytes of the header ---------------------------------------------------------------------------------------


def pid_of(buf: Readable, at: int = 0) -> int:
    return (buf[at + 1] & 0x1F) << 8 | buf[at + 2]


def set_pid(buf: Writable, at: int, pid: int) -> None:
    buf[at + 1] = buf[at + 1] & 0xE0 | pid >> 8
    buf[at + 2] = pid & 0xFF


def starts_unit(buf: Readable, at: int = 0) -> bool:
    """A PES packet or a table section starts in this packet (payload_unit_start_indicator)."""
    return bool(buf[at + 1] & _START)


def has_error(buf: Readable, at: int = 0) -> bool:
    """The receiver could not correct this packet (transport_error_indicator)."""
    return bool(buf[at + 1] & _ERROR)


def has_payload(buf: Readable, at: int = 0) -> bool:
    return bool(buf[at + 3] & _PAYLOAD)


def counter_of(buf: Readable, at: int = 0) -> int:
    """Continuity counter, 0 to 15. It stands still over packets without payload."""
    return buf[at + 3] & 0x0F


def set_counter(buf: Writable, at: int, counter: int) -> None:
    buf[at + 3] = buf[at + 3] & 0xF0 | counter & 0x0F


def payload_at(buf: Readable, at: int = 0) -> int:
    """Where the payload begins; `at + SIZE` when the packet has none or its adaptation field is malformed."""
    control = buf[at + 3]
    if not control & _PAYLOAD:
        return at + SIZE
    if not control & _ADAPTATION:
        return at + 4
    return min(at + 5 + buf[at + 4], at + SIZE)


# -- the adaptation field -----------------------------------------------------------------------------------------------


def _flags(buf: Readable, at: int) -> int:
    return buf[at + 5] if buf[at + 3] & _ADAPTATION and buf[at + 4] else 0


def is_random_access(buf: Readable, at: int = 0) -> bool:
    return bool(_flags(buf, at) & _RANDOM_ACCESS)


def set_random_access(buf: Writable, at: int, on: bool) -> None:
    """Raises: ValueError when the packet has no adaptation field that could hold the flag."""
    if not (buf[at + 3] & _ADAPTATION and buf[at + 4]):
        raise ValueError("no adaptation field")
    buf[at + 5] = buf[at + 5] & ~_RANDOM_ACCESS & 0xFF | (_RANDOM_ACCESS if on else 0)


def is_discontinuity(buf: Readable, at: int = 0) -> bool:
    return bool(_flags(buf, at) & _DISCONTINUITY)


def pcr_of(buf: Readable, at: int = 0) -> int | None:
    """Program clock reference in ticks of 27 MHz (base * 300 + extension); None when the packet carries none."""
    if not _flags(buf, at) & _PCR or buf[at + 4] < 7:
        return None
    word = int.from_bytes(buf[at + 6 : at + 12], "big")
    return (word >> 15) * 300 + (word & 0x1FF)


def set_pcr(buf: Writable, at: int, pcr: int) -> None:
    """Overwrite the clock reference of a packet that has one. `pcr` is taken modulo its range."""
    base, extension = divmod(pcr, 300)
    buf[at + 6 : at + 12] = ((base % WRAP) << 15 | 0x7E00 | extension).to_bytes(6, "big")


def shift_pcr(buf: Writable, at: int, ticks: int) -> None:
    """Move the clock reference, where there is one, by `ticks` of 90 kHz."""
    pcr = pcr_of(buf, at)
    if pcr is not None:
        set_pcr(buf, at, pcr + ticks * 300)


def move_clock(buf: Writable, at: int, ticks: int) -> None:
    """`shift_pcr` of a packet that is known to have a clock reference."""
    high, low = _CLOCK.unpack_from(buf, at + 6)
    base = (high << 1 | low >> 7) + ticks
    _CLOCK.pack_into(buf, at + 6, base >> 1 & 0xFFFF_FFFF, base << 7 & 0x80 | low & 0x7F)


# -- the PES header -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pes:
    """The start of a PES packet, as far as it stands in one transport packet."""

    stream_id: int
    length: int
    """Bytes that follow the length field; 0 = until the next unit starts (video only)."""
    pts: int | None
    dts: int | None
    """Equal to `pts` where the header gives only that."""
    data_at: int
    """Position of the first byte of the elementary stream; it may lie beyond this packet when the header is long."""


def read_stamp(buf: Readable, at: int) -> int:
    """The five bytes of a time stamp at position `at`."""
    high, middle, low = _STAMP.unpack_from(buf, at)
    return (high & 0x0E) << 29 | (middle & 0xFFFE) << 14 | low >> 1


def write_stamp(buf: Writable, at: int, ticks: int) -> None:
    """Overwrite the five bytes of a time stamp, but for the four bits in front, which say what it is. `ticks`: any."""
    _STAMP.pack_into(
        buf, at, buf[at] & 0xF0 | ticks >> 29 & 0x0E | 1, ticks >> 14 & 0xFFFE | 1, ticks << 1 & 0xFFFE | 1
    )


def write_stamps(buf: Writable, at: int, first: int, pts: int, second: int, dts: int) -> None:
    """`write_stamp` for two in a row, of which the first byte of each is known."""
    _STAMPS.pack_into(
        buf,
        at,
        first & 0xF0 | pts >> 29 & 0x0E | 1,
        pts >> 14 & 0xFFFE | 1,
        pts << 1 & 0xFFFE | 1,
        second & 0xF0 | dts >> 29 & 0x0E | 1,
        dts >> 14 & 0xFFFE | 1,
        dts << 1 & 0xFFFE | 1,
    )


def read_pes(buf: Readable, at: int = 0) -> Pes | None:
    """The PES header at the start of this packet's payload; None when there is no start code, or it does not fit in."""
    start, end = payload_at(buf, at), at + SIZE
    if start + 9 > end or buf[start] or buf[start + 1] or buf[start + 2] != 1:
        return None
    stream_id = buf[start + 3]
    length = buf[start + 4] << 8 | buf[start + 5]
    if stream_id in _NO_EXTENSION:
        return Pes(stream_id, length, None, None, start + 6)
    data_at = start + 9 + buf[start + 8]
    which = buf[start + 7] >> 6
    pts = dts = None
    if which >= 2 and start + 14 <= min(end, data_at):
        pts = dts = read_stamp(buf, start + 9)
        if which == 3 and start + 19 <= min(end, data_at):
            dts = read_stamp(buf, start + 14)
    return Pes(stream_id, length, pts, dts, data_at)


def shift_pes(buf: Writable, at: int, ticks: int) -> None:
    """Move the time stamps of the PES header that starts in this packet, where there are any, by `ticks`."""
    pes = read_pes(buf, at)
    if pes is None or pes.pts is None or pes.dts is None:
        return
    start = payload_at(buf, at)
    write_stamp(buf, start + 9, pes.pts + ticks)
    if buf[start + 7] & 0x40 and start + 19 <= min(at + SIZE, pes.data_at):
        write_stamp(buf, start + 14, pes.dts + ticks)


# -- rendering ----------------------------------------------------------------------------------------------------------


def render_packet(
    pid: int,
    counter: int,
    payload: Readable = b"",
    *,
    start: bool = False,
    random_access: bool = False,
    discontinuity: bool = False,
    pcr: int | None = None,
) -> bytes:
    """One packet; what `payload` leaves free is filled by an adaptation field.

    Without payload it is an adaptation field only, and `counter` repeats that of the packet before it.
    Raises: ValueError when the payload does not fit.
    """
    flags = _DISCONTINUITY * discontinuity | _RANDOM_ACCESS * random_access | (_PCR if pcr is not None else 0)
    field = b""
    if flags or len(payload) < _ROOM:
        body = bytes((flags,)) + (_pcr_bytes(pcr) if pcr is not None else b"")
        room = _ROOM - 1 - len(payload)
        if room == 0 and not flags:
            body = b""  # a field of length 0: one byte of stuffing
        if len(body) > room:
            raise ValueError(f"payload of {len(payload)} bytes does not fit into a packet")
        field = bytes((room,)) + body.ljust(room, b"\xff")
    elif len(payload) > _ROOM:
        raise ValueError(f"payload of {len(payload)} bytes does not fit into a packet")
    control = _ADAPTATION * bool(field) | _PAYLOAD * bool(payload) | counter & 0x0F
    return bytes((SYNC, _START * start | pid >> 8, pid & 0xFF, control)) + field + payload


def _pcr_bytes(pcr: int) -> bytes:
    base, extension = divmod(pcr, 300)
    return ((base % WRAP) << 15 | 0x7E00 | extension).to_bytes(6, "big")


NULL_PACKET = bytes((SYNC, NULL_PID >> 8, NULL_PID & 0xFF, _PAYLOAD)) + b"\xff" * _ROOM


def render_pes(
    pid: int,
    stream_id: int,
    data: Readable,
    *,
    pts: int,
    dts: int | None = None,
    counter: int = 0,
    random_access: bool = False,
    pcr: int | None = None,
    sized: bool = True,
) -> bytes:
    """One access unit (or a few frames of sound) as whole packets on `pid`.

    Args:
        dts: left out when equal to `pts`.
        counter: of the first packet; the next free one is `(counter + len(result) // SIZE) % 16`.
        pcr: clock reference for the first packet, ticks of 27 MHz.
        sized: write the PES length, if it fits into 16 bits (else it is 0, which is legal for video only).
    """
    both = dts is not None and dts != pts
    stamps = _stamp_bytes(0x31 if both else 0x21, pts) + (_stamp_bytes(0x11, dts) if both and dts is not None else b"")
    rest = 3 + len(stamps) + len(data)
    length = rest if sized and rest <= 0xFFFF else 0
    header = b"\0\0\1" + bytes((stream_id, length >> 8, length & 0xFF, 0x80, 0xC0 if both else 0x80, len(stamps)))
    unit = memoryview(header + stamps + bytes(data))
    out: list[bytes] = []
    room = _ROOM - (8 if pcr is not None else 2 if random_access else 0)
    first, unit = unit[:room], unit[room:]
    out.append(render_packet(pid, counter, first, start=True, random_access=random_access, pcr=pcr))
    while unit:
        counter += 1
        out.append(render_packet(pid, counter, unit[:_ROOM]))
        unit = unit[_ROOM:]
    return b"".join(out)


def _stamp_bytes(prefix: int, ticks: int) -> bytes:
    out = bytearray((prefix, 0, 0, 0, 0))
    write_stamp(out, 0, ticks)
    return bytes(out)


def crc32_mpeg(data: Readable) -> int:
    """CRC-32 of table sections: polynomial 0x04C11DB7, not reflected, no final inversion. 0 over a section with its CRC."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _CRC_TABLE[crc >> 24 ^ byte]
    return crc


def _crc_entry(byte: int) -> int:
    crc = byte << 24
    for _ in range(8):
        crc = (crc << 1) ^ (0x104C11DB7 if crc & 0x80000000 else 0)
    return crc


_CRC_TABLE = tuple(_crc_entry(byte) for byte in range(256))


def render_section(table_id: int, extension: int, version: int, body: bytes) -> bytes:
    """A table section (number 0 of 0, current) with its CRC. `extension` is the transport stream id or program number."""
    length = 5 + len(body) + 4
    head = bytes(
        (table_id, 0xB0 | length >> 8, length & 0xFF, extension >> 8, extension & 0xFF, 0xC1 | version << 1, 0, 0)
    )
    section = head + body
    return section + crc32_mpeg(section).to_bytes(4, "big")


def render_section_packets(pid: int, section: bytes, counter: int = 0) -> bytes:
    """A section as whole packets, filled up with 0xFF as tables are."""
    data = b"\0" + section
    data = data.ljust(-(-len(data) // _ROOM) * _ROOM, b"\xff")
    return b"".join(
        render_packet(pid, counter + number, data[number * _ROOM : (number + 1) * _ROOM], start=number == 0)
        for number in range(len(data) // _ROOM)
    )


def render_pat(programs: Iterable[tuple[int, int]], *, version: int = 0, counter: int = 0, stream_id: int = 1) -> bytes:
    """PAT packets. `programs`: pairs of program number and PID of its PMT."""
    body = b"".join(number.to_bytes(2, "big") + (0xE000 | pid).to_bytes(2, "big") for number, pid in programs)
    return render_section_packets(PAT_PID, render_section(0x00, stream_id, version, body), counter)


def render_pmt(
    pid: int,
    streams: Sequence[tuple[int, int, bytes]],
    *,
    pcr_pid: int,
    program: int = 1,
    version: int = 0,
    counter: int = 0,
    descriptors: bytes = b"",
) -> bytes:
    """PMT packets on `pid`. `streams`: stream type, PID and descriptors (may be empty) of each elementary stream."""
    body = (0xE000 | pcr_pid).to_bytes(2, "big") + (0xF000 | len(descriptors)).to_bytes(2, "big") + descriptors
    for kind, stream_pid, extra in streams:
        body += (
            bytes((kind,)) + (0xE000 | stream_pid).to_bytes(2, "big") + (0xF000 | len(extra)).to_bytes(2, "big") + extra
        )
    return render_section_packets(pid, render_section(0x02, program, version, body), counter)
