"""Writes transport streams for tests, unit by unit. Pictures and sounds are noise: only their headers are real."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ouzel.formats.mpegts.packets import (
    SIZE,
    render_pat,
    render_pes,
    render_pmt,
)
from ouzel.formats.shape import Edge, Head, Shaper, Span, TakeBack

SPS_160 = bytes.fromhex("674d400beca146fc9808800000030080000019078a14cb")
SPS_320 = bytes.fromhex("6742c00cda05067e7c0440000003004000000c83c50aa8")
HEVC_SPS_160 = bytes.fromhex("42010101600000030090000003000003001ea0142061f26595952930bc05a02000000300200000030321")
PMT, VIDEO, AUDIO = 0x1000, 0x100, 0x101
FRAME = 3600
"""Ticks of a picture: 25 a second."""
AAC_FRAME = 1920
"""Ticks of 1,024 samples at 48 kHz."""


def noise(seed: int, size: int) -> bytes:
    """Bytes without start codes and without sync bytes of any kind."""
    return bytes(b if b not in {0, 1, 0x47, 0xFF, 0x0B} else 0x55 for b in random.Random(seed).randbytes(size))


def picture(seed: int, *, key: bool, size: int = 900, sps: bytes = SPS_160, sei: int = 0) -> bytes:
    """An H.264 access unit; `sei`: bytes of supplemental information in front of the parameter set."""
    parts = [b"\x09\x10"]
    if sei:
        parts.append(b"\x06\x05" + noise(seed, sei))
    if key:
        parts += [sps, b"\x68\xce\x0f\xc8"]
    parts.append((b"\x65" if key else b"\x41") + noise(seed, size))
    return b"".join(b"\0\0\0\1" + part for part in parts)


def adts(seed: int, *, size: int = 60, rate: int = 3, channels: int = 2) -> bytes:
    """One AAC frame. `rate`: sampling_frequency_index (3 = 48 kHz, 4 = 44.1 kHz)."""
    length = size + 7
    header = (
        0xFF,
        0xF1,
        1 << 6 | rate << 2 | channels >> 2,
        (channels & 3) << 6 | length >> 11,
        length >> 3 & 0xFF,
        (length & 7) << 5 | 0x1F,
        0xFC,
    )
    return bytes(header) + noise(seed, size)


@dataclass
class Show:
    """A programme that goes on: each call renders what comes next. Time stamps are ticks of 90 kHz, modulo 2^33."""

    dts: int = 126_000
    """Of the next picture."""
    sound: int = 126_000
    """Of the next unit of sound."""
    sps: bytes = SPS_160
    rate: int = 3
    channels: int = 2
    video: int | None = VIDEO
    audio: int | None = AUDIO
    gop: int = 10
    frames_per_unit: int = 3
    indicator: bool = True
    sei: int = 0
    size: int = 900
    """Bytes of a picture."""
    counters: dict[int, int] = field(default_factory=dict[int, int])
    number: int = 0
    version: int = 0

    def counted(self, pid: int, render: Callable[[int], bytes]) -> bytes:
        packets = render(self.counters.get(pid, 0))
        self.counters[pid] = (self.counters.get(pid, 0) + len(packets) // SIZE) & 15
        return packets

    def tables(self) -> bytes:
        streams: list[tuple[int, int, bytes]] = []
        if self.video is not None:
            streams.append((0x1B, self.video, b""))
        if self.audio is not None:
            streams.append((0x0F, self.audio, b""))
        pcr = streams[0][1]
        return self.counted(0, lambda c: render_pat([(1, PMT)], counter=c)) + self.counted(
            PMT, lambda c: render_pmt(PMT, streams, pcr_pid=pcr, counter=c, version=self.version)
        )

    def picture(self, *, key: bool | None = None) -> bytes:
        """The next picture; a key frame each `gop`."""
        assert self.video is not None
        pid = self.video
        key = self.number % self.gop == 0 if key is None else key
        data = picture(self.number, key=key, sps=self.sps, sei=self.sei, size=self.size)
        dts = self.dts
        self.dts += FRAME
        self.number += 1
        return self.counted(
            pid,
            lambda c: render_pes(
                pid,
                0xE0,
                data,
                pts=dts + 2 * FRAME,
                dts=dts,
                counter=c,
                random_access=key and self.indicator,
                pcr=(dts - 9000) * 300,
                sized=False,
            ),
        )

    def sounds(self, frames: int | None = None) -> bytes:
        """The next unit of sound."""
        assert self.audio is not None
        pid, count, at = self.audio, frames or self.frames_per_unit, self.sound
        data = b"".join(adts(self.number + n, rate=self.rate, channels=self.channels) for n in range(count))
        self.sound += count * AAC_FRAME
        clock = at * 300 if self.video is None else None
        return self.counted(
            pid, lambda c: render_pes(pid, 0xC0, data, pts=at, counter=c, pcr=clock, random_access=True)
        )

    def play(self, pictures: int, *, tables: bool = True) -> bytes:
        """So many pictures, with the sound that belongs between them."""
        out = [self.tables()] if tables else []
        for _ in range(pictures):
            if self.video is not None:
                out.append(self.picture())
            else:
                self.dts += FRAME
            while self.audio is not None and (self.sound - self.dts) < 0:
                out.append(self.sounds())
        return b"".join(out)

    def jump(self, ticks: int) -> None:
        self.dts += ticks
        self.sound += ticks


def filled_up(data: bytes, pid: int = VIDEO) -> bytes:
    """The last unit of a track gets zero bytes behind it (H.264 allows them) in place of the stuffing in its last packet, so that
    it exactly fills its packets."""
    at = max(at for at in range(0, len(data), SIZE) if (data[at + 1] & 0x1F) << 8 | data[at + 2] == pid)
    packet = data[at : at + SIZE]
    assert not packet[1] & 0x40, "more than one packet"
    payload = packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
    filled = packet[:3] + bytes([packet[3] & ~0x20]) + payload + bytes(SIZE - 4 - len(payload))
    return data[:at] + filled + data[at + SIZE :]


@dataclass
class Take:
    """What a consumer that does everything right ends up with."""

    out: bytearray = field(default_factory=bytearray)
    """All bytes, with the data of the heads in their places."""
    files: list[bytes] = field(default_factory=list[bytes])
    heads: list[Head] = field(default_factory=list[Head])
    spans: list[Span] = field(default_factory=list[Span])
    chunks: list[bytes] = field(default_factory=list[bytes])
    replays: list[Span] = field(default_factory=list[Span])
    taken_back: list[Span] = field(default_factory=list[Span])
    running: bytearray = field(default_factory=bytearray)
    log: list[object] = field(default_factory=list[object])
    """Heads, spans, and the bytes between them."""

    def take(self, ops: Iterable[object]) -> None:
        for op in ops:
            match op:
                case Head():
                    assert not self.running, "a head in the middle of a chunk"
                    self.open(op)
                case Edge(span) if span.replay:
                    self.running.clear()
                    self.replays.append(span)
                case Edge(span) if span.excess == len(self.running) > 0:
                    self.running.clear()
                    self.log.append(span)
                case TakeBack():
                    assert not self.running, "in the middle of a chunk"
                    size = len(self.chunks.pop())
                    self.out = self.out[: len(self.out) - size]
                    self.files[-1] = self.files[-1][: len(self.files[-1]) - size]
                    self.taken_back.append(self.spans.pop())
                case Edge(span):
                    chunk = bytes(self.running[: len(self.running) - span.excess])
                    self.running.clear()
                    self.out += chunk
                    self.chunks.append(chunk)
                    self.files[-1] += chunk
                    self.spans.append(span)
                    self.log += [chunk, span]
                case _:
                    assert self.heads, "bytes before any head"
                    self.running += op  # type: ignore[arg-type]

    def open(self, head: Head) -> None:
        self.heads.append(head)
        self.files.append(head.data)
        self.out += head.data
        self.log.append(head)

    def feed(self, shaper: Shaper, data: bytes, sizes: Sequence[int] = (1 << 30,)) -> None:
        """Feed in pieces of these sizes, again and again; the buffer is overwritten after each, as a reader would."""
        at = turn = 0
        while at < len(data):
            piece = memoryview(bytearray(data[at : at + sizes[turn % len(sizes)]]))
            at += len(piece)
            turn += 1
            self.take(shaper.feed(piece))
            self.running = bytearray(self.running)
            piece[:] = b"\xee" * len(piece)

    def cut(self, shaper: Shaper, *, broken: bool = False) -> None:
        self.take(shaper.cut(broken=broken))


def shaped(shaper: Shaper, *segments: bytes, sizes: Sequence[int] = (1 << 30,)) -> Take:
    """Feed and cut each segment."""
    take = Take()
    for segment in segments:
        take.feed(shaper, segment, sizes)
        take.cut(shaper)
    return take
