"""A fragmented MP4 source made of hand-written boxes, and a reader that takes every sample out of a file again.

Both are written apart from `ouzel.formats.fmp4` on purpose: they must not share a mistake with what they test.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

from ouzel.formats.shape import Edge, Head, Op, Shaper, Span

SYNC, NOT_SYNC = 0x02000000, 0x01010000
AVCC = bytes.fromhex("0142c00bffe100186742c00bda0b378893011000000300100000030320f142aa01000468ce0fc8")
ASC = bytes.fromhex("1190")


def box(kind: str, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def large(data: bytes) -> bytes:
    """The same box with a 64-bit size."""
    return struct.pack(">I4sQ", 1, data[4:8], len(data) + 8) + data[8:]


@dataclass(frozen=True)
class Source:
    """A track of the source."""

    id: int
    kind: Literal["vide", "soun", "text"]
    timescale: int
    entry: bytes = b""
    trex: tuple[int, int, int, int] = (1, 0, 0, 0)
    edits: tuple[tuple[int, int], ...] = ()

    @property
    def sample_entry(self) -> bytes:
        return self.entry or {"vide": avc1(), "soun": mp4a(), "text": box("wvtt", bytes(6), b"\0\1")}[self.kind]


def avc1(width: int = 162, height: int = 90, *extra: bytes, kind: str = "avc1", name: bytes = b"") -> bytes:
    fields = struct.pack(">6xH16xHH14x32s4x", 1, width, height, name)
    return box(kind, fields, box("avcC", AVCC), *extra)


def mp4a(*extra: bytes, asc: bytes = ASC, bitrate: int = 128000, kind: str = "mp4a", object_type: int = 0x40) -> bytes:
    config = struct.pack(">BB3xII", object_type, 0x15, bitrate, bitrate) + bytes([5, len(asc)]) + asc
    esds = b"\3" + bytes([3 + 2 + len(config) + 3]) + b"\0\1\0" + b"\4" + bytes([len(config)]) + config + b"\6\1\2"
    return box(kind, struct.pack(">6xH8xHH4xI", 1, 2, 16, 48000 << 16), box("esds", bytes(4), esds), *extra)


def init(
    sources: Sequence[Source],
    *,
    created: int = 0,
    brand: str = "iso5",
    mvex: bool = True,
    movie_timescale: int = 600,
    samples: int = 0,
    extra: bytes = b"",
) -> bytes:
    """An init segment. `created` fills fields that mean nothing; `samples` makes it a plain MP4."""
    mvhd = box("mvhd", struct.pack(">IIIII", 0, created, created, movie_timescale, created), bytes(76), b"\0\0\0\x7f")
    traks: list[bytes] = []
    for source in sources:
        tkhd = box("tkhd", struct.pack(">IIIIIII", 3, created, created, source.id, 0, created, 0), bytes(56))
        edits = b"".join(struct.pack(">Iii", duration, media, 0x10000) for duration, media in source.edits)
        edts = box("edts", box("elst", struct.pack(">II", 0, len(source.edits)), edits)) if edits else b""
        mdhd = box("mdhd", struct.pack(">IIIIII", 0, created, created, source.timescale, created, 0x55C40000))
        hdlr = box("hdlr", struct.pack(">II4s12x", 0, 0, source.kind.encode()), b"name\0")
        stsd = box("stsd", struct.pack(">II", 0, 1), source.sample_entry)
        tables = [box("stts", bytes(8)), box("stsc", bytes(8)), box("stsz", struct.pack(">III", 0, 0, samples))]
        stbl = box("stbl", stsd, *tables, box("stco", bytes(8)))
        traks.append(box("trak", tkhd, edts, box("mdia", mdhd, hdlr, box("minf", stbl))))
    trex = [box("trex", struct.pack(">IIIIII", 0, source.id, *source.trex)) for source in sources]
    ftyp = box("ftyp", brand.encode(), bytes(4), b"iso5mp42")
    return ftyp + box("moov", mvhd, *traks, box("mvex", *trex) if mvex else b"", extra)


class Sample(NamedTuple):
    duration: int
    data: bytes
    sync: bool = True
    cts: int = 0


@dataclass
class Part:
    """One track's part of a fragment."""

    source: Source
    time: int | None
    samples: list[Sample]
    runs: int = 1
    default_duration: bool = False
    """Durations are in the tfhd instead of in each run (all must be alike)."""


Base = Literal["moof", "absolute", "payload", "first", "vague"]


def fragment(
    parts: Sequence[Part], *, base: Base = "moof", at: int = 0, version: int = 1, between: bytes = b""
) -> bytes:
    """A moof and its mdat.

    Args:
        base: how offsets are told: from the moof; from the start of a file in which the moof is at `at`; likewise, but from
            each track's data; from the moof for the first track and then from the end of the track before; not at all.
        between: boxes between moof and mdat.
    """
    moof = _moof(parts, [0] * len(parts), base, at, version)
    offsets: list[int] = []
    position = len(moof) + len(between) + 8
    for part in parts:
        offsets.append(position)
        position += sum(len(sample.data) for sample in part.samples)
    moof = _moof(parts, offsets, base, at, version)
    return moof + between + box("mdat", *(sample.data for part in parts for sample in part.samples))


def _moof(parts: Sequence[Part], offsets: Sequence[int], base: Base, at: int, version: int) -> bytes:
    trafs: list[bytes] = []
    for number, (part, offset) in enumerate(zip(parts, offsets, strict=True)):
        flags = {"moof": 0x20000, "absolute": 1, "payload": 1}.get(base, 0)
        fields = struct.pack(">Q", at if base == "absolute" else at + offset) if flags & 1 else b""
        if part.default_duration:
            flags |= 8
            fields += struct.pack(">I", part.samples[0].duration)
        tfhd = box("tfhd", struct.pack(">II", flags, part.source.id), fields)
        time = b"" if part.time is None else _time(part.time, version)
        truns = _truns(part, offset, explicit=base in {"moof", "absolute"} or (base == "first" and not number))
        trafs.append(box("traf", tfhd, box("tfdt", time) if time else b"", *truns))
    return box("moof", box("mfhd", struct.pack(">II", 0, 77)), *trafs)


def _time(time: int, version: int) -> bytes:
    return struct.pack(">IQ", 1 << 24, time) if version or time >> 32 else struct.pack(">II", 0, time)


def _truns(part: Part, offset: int, *, explicit: bool) -> Iterator[bytes]:
    share = max(1, -(-len(part.samples) // part.runs))
    for start in range(0, len(part.samples), share):
        samples = part.samples[start : start + share]
        with_offset = explicit and not start  # later runs follow the one before
        flags = 0x01000000 | 0xE00 | with_offset | (0 if part.default_duration else 0x100)
        fields = struct.pack(">II", flags, len(samples)) + (struct.pack(">i", offset) if with_offset else b"")
        for sample in samples:
            fields += b"" if part.default_duration else struct.pack(">I", sample.duration)
            fields += struct.pack(">IIi", len(sample.data), SYNC if sample.sync else NOT_SYNC, sample.cts)
        yield box("trun", fields)


def segment(*fragments: bytes, sidx: bool = True) -> bytes:
    return box("styp", b"msdh", bytes(4), b"msdhmsix") + (box("sidx", bytes(44)) if sidx else b"") + b"".join(fragments)


@dataclass
class Writer:
    """Makes one source's successive fragments: rising times, samples whose bytes say who they are."""

    source: Source
    time: int = 0
    number: int = 0

    def part(self, count: int, duration: int, *, size: int = 12, key_first: bool = True, runs: int = 1) -> Part:
        samples: list[Sample] = []
        start = self.time
        for index in range(count):
            self.number += 1
            data = struct.pack(">BI", self.source.id, self.number).ljust(size, b".")
            sync = self.source.kind != "vide" or (key_first and index == 0)
            samples.append(Sample(duration, data, sync))
            self.time += duration
        return Part(self.source, start, samples, runs)


VIDEO, AUDIO = Source(1, "vide", 90000), Source(2, "soun", 48000)


def second(video: Writer, audio: Writer | None = None, *, fps: int = 5) -> list[Part]:
    """One second of pictures, and about as much sound: what begins before its end."""
    parts = [video.part(fps, video.source.timescale // fps)]
    if audio:
        end = video.time * audio.source.timescale // video.source.timescale
        parts.append(audio.part(-(-(end - audio.time) // 1024), 1024))
    return parts


@dataclass
class Written:
    """One file that a consumer of ops has written, and what it was told."""

    head: Head
    data: bytearray
    spans: list[Span] = field(default_factory=list[Span])
    replays: list[Span] = field(default_factory=list[Span])
    offsets: list[int] = field(default_factory=list[int])
    """Where the chunks begin, and where the last one ends."""

    def take(self, op: bytes | bytearray | memoryview) -> None:
        self.data += op

    def edge(self, span: Span) -> None:
        if span.replay:
            del self.data[self.offsets[-1] :]
            self.replays.append(span)
            return
        if span.excess:
            del self.data[-span.excess :]
        self.spans.append(span)
        self.offsets.append(len(self.data))

    def key_points(self) -> list[tuple[int, float]]:
        starts = zip(self.offsets, self.spans, strict=False)
        return [(start + key.offset, key.at_s) for start, span in starts for key in span.keys]


class Consumer:
    """Does with ops what a recorder does."""

    def __init__(self, shaper: Shaper) -> None:
        self.shaper = shaper
        self.files: list[Written] = []

    def feed(self, data: bytes, cuts: Iterable[int] = ()) -> None:
        """Feed `data` in pieces that end at the given offsets."""
        edges = [0, *sorted(c for c in cuts if 0 < c < len(data)), len(data)]
        for start, end in pairwise(edges):
            self.take(self.shaper.feed(memoryview(bytearray(data[start:end]))))

    def cut(self) -> None:
        self.take(self.shaper.cut())

    def segment(self, data: bytes, cuts: Iterable[int] = ()) -> None:
        self.feed(data, cuts)
        self.cut()

    def restart(self) -> None:
        self.open(self.shaper.restart())

    def rollback(self) -> None:
        self.shaper.rollback()
        if self.files:
            file = self.files[-1]
            del file.data[file.offsets[-1] :]

    def open(self, head: Head) -> None:
        self.files.append(Written(head, bytearray(head.data), offsets=[len(head.data)]))

    def take(self, ops: Iterable[Op]) -> None:
        for op in ops:
            match op:
                case Head():
                    self.open(op)
                case Edge(span):
                    self.files[-1].edge(span)
                case bytes() | bytearray() | memoryview():
                    self.files[-1].take(op)
                case _:
                    raise AssertionError(op)

    @property
    def file(self) -> Written:
        assert len(self.files) == 1
        return self.files[0]

    @property
    def span(self) -> Span:
        return self.files[-1].spans[-1]


class Read(NamedTuple):
    dts: int
    cts: int
    duration: int
    sync: bool
    data: bytes


@dataclass
class File:
    kinds: list[str]
    """Boxes at the top."""
    sequences: list[int]
    tracks: dict[int, list[Read]]

    def names(self, track: int) -> list[int]:
        """The numbers that `Writer` gave to the samples."""
        return [struct.unpack(">BI", read.data[:5])[1] for read in self.tracks[track]]


def boxes(data: bytes) -> Iterator[tuple[str, int, int, int]]:
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if size == 1:
            size, body = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        assert size >= body - at, (kind, size)
        assert at + size <= len(data), (kind, size)
        yield kind.decode(), at, body, at + size
        at += size


def child(data: bytes, *path: str) -> bytes:
    """The body of the first box on this path."""
    for kind in path:
        data = next(data[body:end] for name, _, body, end in boxes(data) if name == kind)
    return data


def read_file(data: bytes) -> File:
    """All samples of a file. Only what our own fragments use is understood; anything else is an assertion error."""
    found = File([], [], {})
    trex: dict[int, Sequence[int]] = {}
    for kind, start, body, end in boxes(data):
        found.kinds.append(kind)
        if kind == "moov":
            for name, _, b, _ in boxes(child(data[body:end], "mvex")):
                if name == "trex":
                    fields = struct.unpack_from(">4xIIIII", child(data[body:end], "mvex"), b)
                    trex[fields[0]] = fields[1:]
        if kind == "moof":
            _read_moof(data, start, body, end, trex, found)
    return found


def _read_moof(data: bytes, start: int, body: int, end: int, trex: Mapping[int, Sequence[int]], found: File) -> None:
    moof = data[body:end]
    found.sequences.append(struct.unpack(">4xI", child(moof, "mfhd"))[0])
    for name, _, b, e in boxes(moof):
        if name != "traf":
            continue
        traf = moof[b:e]
        tfhd = child(traf, "tfhd")
        flags, track = struct.unpack_from(">II", tfhd)
        assert flags & 0x20000, "default-base-is-moof"
        assert not flags & 1, "no base data offset"
        at, defaults = 8, list(trex[track])
        for number, flag in enumerate((2, 8, 16, 32)):
            if flags & flag:
                defaults[number] = struct.unpack_from(">I", tfhd, at)[0]
                at += 4
        version, time = struct.unpack(">IQ", child(traf, "tfdt"))
        assert version == 1 << 24
        for kind, _, rb, re in boxes(traf):
            if kind == "trun":
                time = _read_trun(data, start, traf[rb:re], defaults, time, found.tracks.setdefault(track, []))


def _read_trun(data: bytes, moof: int, trun: bytes, defaults: Sequence[int], time: int, into: list[Read]) -> int:
    flags, count, offset = struct.unpack_from(">IIi", trun)
    assert flags & 1, "every run tells its offset"
    at, position, first = 12, moof + offset, None
    if flags & 4:
        first = struct.unpack_from(">I", trun, at)[0]
        at += 4
    for index in range(count):
        fields = [*defaults[1:], 0]
        for number, flag in enumerate((0x100, 0x200, 0x400, 0x800)):
            if flags & flag:
                fields[number] = struct.unpack_from(">i" if number == 3 else ">I", trun, at)[0]
                at += 4
        duration, size, marks, cts = fields
        if index == 0 and first is not None:
            marks = first
        assert position + size <= len(data)
        into.append(Read(time, cts, duration, not marks & 0x10000, bytes(data[position : position + size])))
        time += duration
        position += size
    return time
