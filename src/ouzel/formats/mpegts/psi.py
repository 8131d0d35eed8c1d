"""The tables of a transport stream: which programmes there are, and which elementary streams one consists of.

Source: ISO/IEC 13818-1 section 2.4.4 (PAT, PMT) and 2.6 (descriptors); ETSI EN 300 468 annex D and section 6.2 (DVB
descriptors); registered stream types as collected by SMPTE-RA and used by Apple's "HTTP Live Streaming" authoring documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ouzel.base.errors import Encrypted, FormatError
from ouzel.formats.mpegts.packets import (
    PAT_PID,
    SIZE,
    Readable,
    crc32_mpeg,
    payload_at,
    pid_of,
    render_section_packets,
    starts_unit,
)
from ouzel.formats.shape import TrackKind

MAX_SECTION = 4096
"""Bytes of a section at most (private sections; PAT and PMT have 1,024)."""

_TYPES: dict[int, tuple[TrackKind, str]] = {
    0x01: ("video", "mpeg1video"),
    0x02: ("video", "mpeg2video"),
    0x03: ("audio", "mp3"),
    0x04: ("audio", "mp3"),
    0x0F: ("audio", "aac"),
    0x10: ("video", "mpeg4"),
    0x11: ("audio", "aac_latm"),
    0x15: ("other", "id3"),
    0x1B: ("video", "h264"),
    0x24: ("video", "hevc"),
    0x33: ("video", "vvc"),
    0x42: ("video", "cavs"),
    0x80: ("audio", "pcm_bluray"),
    0x81: ("audio", "ac3"),
    0x82: ("audio", "dts"),
    0x83: ("audio", "truehd"),
    0x86: ("other", "scte35"),
    0x87: ("audio", "eac3"),
    0xD1: ("video", "dirac"),
    0xD2: ("video", "avs2"),
    0xD4: ("video", "avs3"),
    0xEA: ("video", "vc1"),
}
_SAMPLE_AES = frozenset((0xC1, 0xC2, 0xCF, 0xDB))
_REGISTERED: dict[bytes, tuple[TrackKind, str]] = {
    b"AC-3": ("audio", "ac3"),
    b"EAC3": ("audio", "eac3"),
    b"Opus": ("audio", "opus"),
    b"DTS1": ("audio", "dts"),
    b"DTS2": ("audio", "dts"),
    b"DTS3": ("audio", "dts"),
    b"BSSD": ("audio", "s302m"),
    b"HEVC": ("video", "hevc"),
    b"AV01": ("video", "av1"),
    b"VVC ": ("video", "vvc"),
    b"VC-1": ("video", "vc1"),
    b"drac": ("video", "dirac"),
    b"ID3 ": ("other", "id3"),
    b"KLVA": ("other", "klv"),
    b"CUEI": ("other", "scte35"),
}
_DVB: dict[int, tuple[TrackKind, str]] = {
    0x6A: ("audio", "ac3"),
    0x7A: ("audio", "eac3"),
    0x7B: ("audio", "dts"),
    0x7C: ("audio", "aac"),
    0x56: ("other", "teletext"),
    0x59: ("other", "dvb_subtitle"),
}
_REGISTRATION, _EXTENSION, _OPUS_EXTENSION = 0x05, 0x7F, 0x80


@dataclass(frozen=True, slots=True)
class Stream:
    """One elementary stream of a programme, as the PMT lists it."""

    pid: int
    type: int
    kind: TrackKind
    codec: str
    descriptors: bytes = b""


@dataclass(frozen=True, slots=True)
class Program:
    """One programme of the transport stream."""

    number: int
    pmt_pid: int
    pcr_pid: int
    """0x1FFF when it has no clock of its own."""
    streams: tuple[Stream, ...]
    section: bytes = b""
    """The PMT section it was read from, CRC included."""

    @property
    def has_video(self) -> bool:
        return any(stream.kind == "video" for stream in self.streams)

    @property
    def media(self) -> tuple[Stream, ...]:
        """Picture and sound only."""
        return tuple(stream for stream in self.streams if stream.kind != "other")


def descriptors_of(data: Readable) -> Iterator[tuple[int, bytes]]:
    """Yield tag and body of each descriptor; one that is cut off ends the list."""
    at = 0
    while at + 2 <= len(data) and at + 2 + data[at + 1] <= len(data):
        yield data[at], bytes(data[at + 2 : at + 2 + data[at + 1]])
        at += 2 + data[at + 1]


def name_stream(kind: int, descriptors: bytes) -> tuple[TrackKind, str]:
    """Track kind and codec of a stream type with its descriptors. Raises: Encrypted for SAMPLE-AES."""
    if kind in _SAMPLE_AES:
        raise Encrypted("the stream is encrypted with SAMPLE-AES", stream_type=kind)
    known = _TYPES.get(kind)
    if known is not None and known[0] != "other":
        return known
    for tag, body in descriptors_of(descriptors):
        if tag == _REGISTRATION and (found := _REGISTERED.get(body[:4])):
            return found
        if tag == _EXTENSION and body[:1] == bytes((_OPUS_EXTENSION,)):
            return "audio", "opus"
        if found := _DVB.get(tag):
            return found
    return known or ("other", "data" if kind == 0x06 else f"0x{kind:02x}")


def opus_channels(descriptors: bytes) -> int | None:
    """Channels as the Opus extension descriptor gives them; None where it is missing or leaves them to the payload.

    Source: "Opus in MPEG-2 transport streams" (channel_config_code), as libavcodec implements it.
    """
    for tag, body in descriptors_of(descriptors):
        if tag == _EXTENSION and len(body) >= 2 and body[0] == _OPUS_EXTENSION and 1 <= body[1] <= 8:
            return body[1]
    return None


def parse_pat(section: Readable) -> dict[int, int]:
    """Programme number to PID of its PMT, in the order of the table (the network entry is left out). Raises: FormatError."""
    body = _body(section, 0x00)
    pairs = (body[at : at + 4] for at in range(0, len(body) - 3, 4))
    return {
        number: pid
        for pair in pairs
        if (number := int.from_bytes(pair[:2], "big")) and (pid := int.from_bytes(pair[2:], "big") & 0x1FFF)
    }


def parse_pmt(section: Readable, pmt_pid: int) -> Program:
    """Raises: FormatError; Encrypted for SAMPLE-AES."""
    body = _body(section, 0x02)
    if len(body) < 4:
        raise FormatError("PMT: cut short")
    pcr_pid = int.from_bytes(body[:2], "big") & 0x1FFF
    at = 4 + (int.from_bytes(body[2:4], "big") & 0x0FFF)
    streams: list[Stream] = []
    while at + 5 <= len(body):
        size = int.from_bytes(body[at + 3 : at + 5], "big") & 0x0FFF
        extra = bytes(body[at + 5 : at + 5 + size])
        kind, codec = name_stream(body[at], extra)
        streams.append(Stream(int.from_bytes(body[at + 1 : at + 3], "big") & 0x1FFF, body[at], kind, codec, extra))
        at += 5 + size
    number = int.from_bytes(section[3:5], "big")
    return Program(number, pmt_pid, pcr_pid, tuple(streams), bytes(section))


def _body(section: Readable, table_id: int) -> Readable:
    if len(section) < 12 or section[0] != table_id:
        raise FormatError("not a table section", table_id=section[0] if len(section) else None)
    return section[8:-4]


class SectionReader:
    """Puts the sections of one PID together from its packets."""

    __slots__ = ("partial",)

    def __init__(self) -> None:
        self.partial: bytes | None = None
        """What is there of a section that is not whole yet."""

    def push(self, buf: Readable, at: int = 0) -> list[bytes]:
        """Take the packet at `at`. Returns the sections that it completes, CRC included and not checked."""
        payload = bytes(buf[payload_at(buf, at) : at + SIZE])
        whole: list[bytes] = []
        if starts_unit(buf, at):
            pointer = payload[0] if payload else 0
            self._extend(payload[1 : 1 + pointer], whole)
            self.partial = b""
            payload = payload[1 + pointer :]
        self._extend(payload, whole)
        return whole

    def _extend(self, payload: bytes, whole: list[bytes]) -> None:
        if self.partial is None:
            return
        data = self.partial + payload
        while len(data) >= 3 and data[0] != 0xFF:
            size = 3 + (int.from_bytes(data[1:3], "big") & 0x0FFF)
            if len(data) < size:
                break
            whole.append(data[:size])
            data = data[size:]
        done = not data or data[0] == 0xFF or len(data) > MAX_SECTION
        self.partial = None if done else data


@dataclass(frozen=True, slots=True)
class TablesState:
    program: Program | None
    programs: dict[int, int]
    pat: dict[int, bytes]
    pmts: dict[int, Program]
    settled: dict[int, bytes]
    partials: dict[int, bytes | None]


class Tables:
    """Follows PAT and PMT and chooses one programme: the first in the PAT's order that has a picture.

    Packets of the PIDs in `pids` must be shown to `look`: those that start a unit, and
    the others too while the PID is in `waiting`.
    """

    __slots__ = ("_pat", "_pmts", "_programs", "_saved", "bad_sections", "pids", "program", "settled", "waiting")

    def __init__(self) -> None:
        self.program: Program | None = None
        self.waiting: set[int] = set()
        """PIDs with a section that is not whole yet."""
        self.bad_sections = 0
        """Sections that were ignored because their CRC is wrong."""
        self._saved: TablesState | None = None  # unless something has changed since
        self._programs: dict[int, int] = {}
        self._pat: dict[int, bytes] = {}
        self._pmts: dict[int, Program] = {}
        self.settled: dict[int, bytes] = {}
        """By PID, what stands behind the header of a packet that was read already: another like it need not be shown."""
        self.pids: dict[int, SectionReader] = {PAT_PID: SectionReader()}

    def look(self, buf: Readable, at: int) -> bool:
        """Read a packet of one of `pids`. Returns: whether the chosen programme is another than before, or lists another
        set of streams. Raises: Encrypted for SAMPLE-AES."""
        pid = pid_of(buf, at)
        raw = bytes(buf[at + 4 : at + SIZE])
        if raw == self.settled.get(pid) and starts_unit(buf, at):
            return False
        self._saved = None
        reader = self.pids[pid]
        before = self.program
        for section in reader.push(buf, at):
            self._section(pid, section)
        if reader.partial is None:
            self.waiting.discard(pid)
            if starts_unit(buf, at):
                self.settled[pid] = raw
        else:
            self.waiting.add(pid)
            self.settled.pop(pid, None)
        return self._choose(before)

    def settle(self) -> bool:
        """No more tables will come in time: take the first programme that is known, with or without a picture."""
        if self.program is None:
            self._saved = None
            self.program = next((self._pmts[n] for n in self._programs if n in self._pmts), None)
        return self.program is not None

    def render(self, counters: dict[int, int] | None = None) -> bytes:
        """PAT and PMT of the chosen programme as packets. `counters`: by PID, the continuity counter of the last packet."""
        if self.program is None:
            return b""
        last = counters or {}
        out = b""
        for pid, sections in ((PAT_PID, list(self._pat.values())), (self.program.pmt_pid, [self.program.section])):
            packets = sum(-(-(1 + len(section)) // (SIZE - 4)) for section in sections)
            counter = (last[pid] - packets + 1) % 16 if pid in last else 0
            for section in sections:
                out += render_section_packets(pid, section, counter)
                counter += -(-(1 + len(section)) // (SIZE - 4))
        return out

    def save(self) -> TablesState:
        if self._saved is not None:
            return self._saved
        partials = {pid: reader.partial for pid, reader in self.pids.items()}
        self._saved = TablesState(
            self.program, dict(self._programs), dict(self._pat), dict(self._pmts), dict(self.settled), partials
        )
        return self._saved

    def restore(self, state: TablesState) -> None:
        self._saved = state
        self.program = state.program
        self._programs, self._pat, self._pmts = dict(state.programs), dict(state.pat), dict(state.pmts)
        self.settled = dict(state.settled)
        self.pids = {pid: SectionReader() for pid in state.partials}
        for pid, partial in state.partials.items():
            self.pids[pid].partial = partial
        self.waiting = {pid for pid, partial in state.partials.items() if partial is not None}

    def forget_partials(self) -> None:
        """What follows does not continue: sections that are not whole never will be."""
        self._saved = None
        for reader in self.pids.values():
            reader.partial = None
        self.waiting.clear()

    def _section(self, pid: int, section: bytes) -> None:
        if len(section) < 12 or not section[1] & 0x80:
            return
        if crc32_mpeg(section):
            self.bad_sections += 1
            return
        if not section[5] & 1:  # announced for later (current_next_indicator)
            return
        if pid == PAT_PID and section[0] == 0x00:
            self._take_pat(section)
        elif pid != PAT_PID and section[0] == 0x02:
            number = int.from_bytes(section[3:5], "big")
            known = self._pmts.get(number)
            if self._programs.get(number) == pid and (known is None or known.section != section):
                self._pmts[number] = parse_pmt(section, pid)

    def _take_pat(self, section: bytes) -> None:
        number, last = section[6], section[7]
        versions = {part[5] for part in self._pat.values()}
        if versions - {section[5]}:
            self._pat.clear()
        self._pat[number] = section
        if len(self._pat) <= last:
            return
        programs: dict[int, int] = {}
        for part in sorted(self._pat):
            programs.update(parse_pat(self._pat[part]))
        if programs != self._programs:
            self.settled.clear()  # a PMT that was of no interest may be so now
        self._programs = programs
        self._pmts = {n: program for n, program in self._pmts.items() if programs.get(n) == program.pmt_pid}
        wanted = {PAT_PID, *programs.values()}
        self.pids = {pid: self.pids.get(pid) or SectionReader() for pid in sorted(wanted)}
        self.waiting &= wanted

    def _choose(self, before: Program | None) -> bool:
        current = self._pmts.get(before.number) if before else None
        if before is None or current is None:
            best: Program | None = None
            for number in self._programs:
                found = self._pmts.get(number)
                if found is None:
                    break  # a programme in front of those that are known: it may have a picture
                if found.has_video:
                    best = found
                    break
            else:
                best = next((self._pmts[n] for n in self._programs), None)
            current = best
        if current is None:
            return False  # what was chosen is no longer listed: it stays until another is known
        self.program = current
        return before is None or before.media != current.media or before.number != current.number
