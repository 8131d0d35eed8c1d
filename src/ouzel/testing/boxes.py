"""The little of fragmented MP4 that the fakes need: samples out of a file that ffmpeg wrote, and fragments made of samples.

Written apart from `ouzel.formats.fmp4` on purpose: the fake must not share a mistake with what it tests.
Source: ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_SYNC_FLAGS = 0x0200_0000  # depends on no other sample
_OTHER_FLAGS = 0x0101_0000  # depends on others, is no sync sample
_CONTAINERS = (b"moof", b"traf", b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex")


class Sample(NamedTuple):
    """One frame. `dts` and `cts` (presentation minus decode time) in ticks of its track."""

    dts: int
    cts: int
    key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """Successive samples of one track; `end` is the decode time at which the next one would follow."""

    track: int
    samples: Sequence[Sample]
    end: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """One `moof` and its `mdat`, and where they are patched."""

    data: bytes
    sequence_at: int
    """Offset of the 32 bits of `mfhd.sequence_number`."""
    times_at: tuple[tuple[int, int, int], ...]
    """For each track its id, the offset of the 64 bits of `tfdt.baseMediaDecodeTime`, and the value that belongs there
    when the first frame of the clip is presented at 0 (may be below 0: the bytes hold 0)."""


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Every box: its type, and start and end of its body; containers first, then what is inside them."""
    stop = len(data) if end is None else end
    while start + 8 <= stop:
        size = int.from_bytes(data[start : start + 4], "big")
        kind, body = data[start + 4 : start + 8], start + 8
        if size == 1:
            size, body = int.from_bytes(data[start + 8 : start + 16], "big"), start + 16
        if not body - start <= size <= stop - start:
            raise ValueError(f"box {kind!r} at {start} of {size} bytes does not fit")
        yield kind, body, start + size
        if kind in _CONTAINERS:
            yield from walk(data, body, start + size)
        start += size


def init_segment(data: bytes) -> bytes:
    """`ftyp` and `moov` of a file."""
    moov = next(end for kind, _, end in walk(data) if kind == b"moov")
    return data[:moov]


def timescale(data: bytes) -> int:
    """Ticks a second of the first track."""
    body = next(body for kind, body, _ in walk(data) if kind == b"mdhd")
    at = body + (20 if data[body] == 1 else 12)
    return int.from_bytes(data[at : at + 4], "big")


def find_record(data: bytes, kind: bytes) -> bytes:
    """The body of the first box `kind`, wherever it is (sample entries hold boxes that `walk` does not enter)."""
    at = data.index(kind)
    return data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]


def read_samples(data: bytes) -> list[Sample]:
    """All samples of a fragmented file with one track, in decode order."""
    samples: list[Sample] = []
    for kind, body, end in walk(data):
        if kind == b"moof":
            samples += _read_fragment(data, body, end)
    return samples


def build_fragment(runs: Sequence[Run]) -> Fragment:
    """One fragment with one run for each track, in the given order."""
    heads = [_Traf(run) for run in runs]
    moof_size = 8 + 16 + sum(head.size for head in heads)
    moof = bytearray(struct.pack(">I4s", moof_size, b"moof") + struct.pack(">I4sII", 16, b"mfhd", 0, 0))
    times: list[tuple[int, int, int]] = []
    offset = moof_size + 8
    for head in heads:
        times.append((head.run.track, len(moof) + head.time_at, head.run.samples[0].dts))
        moof += head.render(offset)
        offset += head.payload
    body = b"".join(sample.data for run in runs for sample in run.samples)
    mdat = struct.pack(">I4s", 8 + len(body), b"mdat")
    return Fragment(b"".join((moof, mdat, body)), 8 + 12, tuple(times))


class _Traf:
    """One `traf` box with `tfhd`, `tfdt` and one `trun` that tells everything of each sample."""

    time_at = 8 + 16 + 12

    def __init__(self, run: Run) -> None:
        self.run = run
        self.size = 8 + 16 + 20 + 20 + 16 * len(run.samples)
        self.payload = sum(len(sample.data) for sample in run.samples)

    def render(self, data_offset: int) -> bytes:
        samples = self.run.samples
        parts = [struct.pack(">I4s", self.size, b"traf")]
        parts.append(struct.pack(">I4sII", 16, b"tfhd", 0x020000, self.run.track))  # default-base-is-moof
        parts.append(struct.pack(">I4sIQ", 20, b"tfdt", 1 << 24, 0))
        parts.append(struct.pack(">I4sII", 20 + 16 * len(samples), b"trun", 0x01000F01, len(samples)))
        parts.append(struct.pack(">i", data_offset))
        ends = [sample.dts for sample in samples[1:]] + [self.run.end]
        for sample, end in zip(samples, ends, strict=True):
            flags = _SYNC_FLAGS if sample.key else _OTHER_FLAGS
            parts.append(struct.pack(">IIIi", end - sample.dts, len(sample.data), flags, sample.cts))
        return b"".join(parts)


@dataclass(slots=True)
class _Defaults:
    duration: int = 0
    size: int = 0
    flags: int = 0


def _read_fragment(data: bytes, body: int, end: int) -> Iterator[Sample]:
    defaults, time = _Defaults(), 0
    for kind, at, _ in walk(data, body, end):
        if kind == b"tfhd":
            defaults = _read_tfhd(data, at)
        elif kind == b"tfdt":
            time = int.from_bytes(data[at + 4 : at + (12 if data[at] else 8)], "big")
        elif kind == b"trun":
            for sample, duration in _read_trun(data, at, base=body - 8, time=time, defaults=defaults):
                yield sample
                time += duration


def _read_tfhd(data: bytes, at: int) -> _Defaults:
    flags = int.from_bytes(data[at + 1 : at + 4], "big")
    if flags & 0x1:
        raise ValueError("fragments whose offsets count from the start of the file are not read here")
    at += 8 + (4 if flags & 0x2 else 0)
    found = _Defaults()
    for bit, name in ((0x8, "duration"), (0x10, "size"), (0x20, "flags")):
        if flags & bit:
            setattr(found, name, int.from_bytes(data[at : at + 4], "big"))
            at += 4
    return found


def _read_trun(data: bytes, at: int, *, base: int, time: int, defaults: _Defaults) -> Iterator[tuple[Sample, int]]:
    flags, number = int.from_bytes(data[at + 1 : at + 4], "big"), int.from_bytes(data[at + 4 : at + 8], "big")
    at += 8
    if not flags & 0x1:
        raise ValueError("a run without an offset is not read here")
    offset = base + int.from_bytes(data[at : at + 4], "big", signed=True)
    at += 4
    first_flags = None
    if flags & 0x4:
        first_flags = int.from_bytes(data[at : at + 4], "big")
        at += 4
    for index in range(number):
        fields = [defaults.duration, defaults.size, defaults.flags, 0]
        for place, bit in enumerate((0x100, 0x200, 0x400, 0x800)):
            if flags & bit:
                fields[place] = int.from_bytes(data[at : at + 4], "big", signed=place == 3)
                at += 4
        duration, size, marks, cts = fields
        if index == 0 and first_flags is not None:
            marks = first_flags
        yield Sample(time, cts, not marks & 0x10000, data[offset : offset + size]), duration
        time += duration
        offset += size
