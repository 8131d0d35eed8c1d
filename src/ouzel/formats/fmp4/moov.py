"""The init segment: reading what a source's `moov` says, and writing the one that opens our file.

Ours is that of the source with four changes: all durations are 0 and 64 bits wide, so that they can be filled in at the end
(`finish`); a `mehd` box is there for the same purpose; every track has a `trex`; edit lists keep their delays only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ouzel.base.errors import FormatError, Unsupported
from ouzel.formats.fmp4.boxes import Box, Fields, box, first, full_box, inside, u32, u64, wanted
from ouzel.formats.fmp4.entry import describe_track
from ouzel.formats.shape import Head, Track

MAX_TRACKS = 64
_LONGEST_DELAY_S = 10
"""An edit list that cuts off more than this moves a clock that we set anew; less is the delay of B-frames or of an encoder."""
_DROPPED = frozenset({b"mvhd", b"trak", b"mvex", b"pssh", b"free", b"skip"})


@dataclass(frozen=True, slots=True)
class Trex:
    """Defaults for the samples of a track (ISO/IEC 14496-12 section 8.8.3)."""

    description: int = 1
    duration: int = 0
    size: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class TrackInit:
    """One track of an init segment."""

    track: Track
    timescale: int
    """Ticks a second."""
    trex: Trex
    delay_ms: int
    """Empty edit: the track is shown this much later than its time stamps say."""
    media_time: int
    """Ticks that the edit list cuts off at the start."""
    trak: bytes
    """The source's box."""

    def with_id(self, track_id: int) -> TrackInit:
        return replace(self, track=replace(self.track, id=track_id))


@dataclass(frozen=True, slots=True)
class Init:
    """What an init segment says. Two that agree in `signature` can share a file."""

    brands: tuple[bytes, ...]
    movie: bytes
    """The part of mvhd behind its duration: rate, volume, matrix."""
    tracks: tuple[TrackInit, ...]
    extras: bytes
    """Boxes of the moov that are kept as they are: udta, meta, iods."""

    @property
    def signature(self) -> object:
        return tuple((t.track, t.timescale, t.trex, t.delay_ms, t.media_time) for t in self.tracks)

    @property
    def trex(self) -> Mapping[int, Trex]:
        return {t.track.id: t.trex for t in self.tracks}


def parse_init(ftyp: bytes, moov: bytes) -> Init:
    """Read a whole `ftyp` box (empty when there was none) and a whole `moov` box.

    Raises: FormatError; Encrypted; Unsupported for files whose samples are described by the moov itself.
    """
    top = Box(b"moov", 0, 16 if moov[:4] == u32(1) else 8, len(moov))
    mvhd = wanted(moov, top, b"mvhd")
    _, _, timescale, tail = _times(moov, mvhd)
    if len(tail) < 80:
        raise FormatError("mvhd is cut short")
    defaults = _defaults(moov, top)
    traks = [child for child in inside(moov, top) if child.kind == b"trak"]
    tracks = [_track(moov, trak, defaults, timescale or 1000) for trak in traks]
    if any(_has_samples(moov, trak) for trak in traks):  # asked last: what is encrypted is that, fragmented or not
        raise Unsupported("MP4 that is not fragmented: its index stands in the moov")
    if not tracks or len(tracks) > MAX_TRACKS or len({t.track.id for t in tracks}) < len(tracks):
        raise FormatError("moov without usable tracks", tracks=len(tracks))
    extras = b"".join(moov[child.start : child.end] for child in inside(moov, top) if child.kind not in _DROPPED)
    return Init(_brands(ftyp), tail[:80], tuple(tracks), extras)


def _brands(ftyp: bytes) -> tuple[bytes, ...]:
    brands = [ftyp[at : at + 4] for at in (8, *range(16, min(len(ftyp) - 3, 80), 4))]
    return tuple(dict.fromkeys(b for b in brands if len(b) == 4 and b.isascii()))


def _times(data: bytes, header: Box) -> tuple[int, int, int, bytes]:
    """Creation, modification, timescale and what follows the duration: the common start of mvhd and mdhd."""
    fields = Fields(data, header)
    version, _ = fields.version_and_flags()
    width = 8 if version == 1 else 4
    created, modified, timescale = fields.u(width), fields.u(width), fields.u(4)
    fields.take(width)
    return created, modified, timescale, fields.rest()


def _defaults(data: bytes, top: Box) -> dict[int, Trex]:
    mvex = first(data, top, b"mvex")
    found: dict[int, Trex] = {}
    for child in inside(data, mvex) if mvex else ():
        if child.kind == b"trex":
            fields = Fields(data, child)
            fields.version_and_flags()
            track_id = fields.u(4)
            found[track_id] = Trex(fields.u(4), fields.u(4), fields.u(4), fields.u(4))
    return found


def _track(data: bytes, trak: Box, defaults: Mapping[int, Trex], movie_timescale: int) -> TrackInit:
    track_id = _track_id(data, wanted(data, trak, b"tkhd"))
    _, _, timescale, _ = _times(data, wanted(data, trak, b"mdia", b"mdhd"))
    if not timescale or not track_id:
        raise FormatError("track without an id or a timescale")
    hdlr = wanted(data, trak, b"mdia", b"hdlr")
    stbl = wanted(data, trak, b"mdia", b"minf", b"stbl")
    track = describe_track(data, wanted(data, stbl, b"stsd"), track_id, data[hdlr.body + 8 : hdlr.body + 12])
    delay_ms, media_time = _edits(data, first(data, trak, b"edts", b"elst"), movie_timescale)
    if media_time > _LONGEST_DELAY_S * timescale or delay_ms > _LONGEST_DELAY_S * 1000:
        delay_ms = media_time = 0
    return TrackInit(
        track, timescale, defaults.get(track_id, Trex()), delay_ms, media_time, data[trak.start : trak.end]
    )


def _has_samples(data: bytes, trak: Box) -> bool:
    """Whether the moov itself describes samples of this track."""
    stbl = wanted(data, trak, b"mdia", b"minf", b"stbl")
    tables = (first(data, stbl, kind) for kind in (b"stsz", b"stz2"))
    return any(int.from_bytes(data[table.body + 8 : table.body + 12], "big") for table in tables if table)


def _track_id(data: bytes, tkhd: Box) -> int:
    fields = Fields(data, tkhd)
    version, _ = fields.version_and_flags()
    fields.take(16 if version == 1 else 8)
    return fields.u(4)


def _edits(data: bytes, elst: Box | None, movie_timescale: int) -> tuple[int, int]:
    """Milliseconds of the empty edits at the start, and the media time of the first edit with media (section 8.6.6)."""
    if elst is None:
        return 0, 0
    fields = Fields(data, elst)
    version, _ = fields.version_and_flags()
    width = 8 if version == 1 else 4
    delay = 0
    for _ in range(min(fields.u(4), 16)):
        duration, media_time = fields.u(width), fields.i(width)
        fields.take(4)
        if media_time >= 0:
            return delay * 1000 // movie_timescale, media_time
        delay += duration
    return delay * 1000 // movie_timescale, 0


def build_head(init: Init) -> Head:
    """The bytes that open a file with these tracks."""
    brands = dict.fromkeys((b"iso6", b"mp41", *init.brands))
    ftyp = box(b"ftyp", b"iso6", u32(512), *brands)
    next_id = max(t.track.id for t in init.tracks) + 1
    mvhd = full_box(b"mvhd", 1, 0, bytes(16), u32(1000), bytes(8), init.movie[:76], u32(next_id))
    mehd = full_box(b"mehd", 1, 0, bytes(8))
    trex = [
        full_box(b"trex", 0, 0, *map(u32, (t.track.id, t.trex.description, t.trex.duration, t.trex.size, t.trex.flags)))
        for t in init.tracks
    ]
    moov = box(b"moov", mvhd, *map(_build_trak, init.tracks), box(b"mvex", mehd, *trex), init.extras)
    data = ftyp + moov
    return Head("mp4", tuple(t.track for t in init.tracks), data, data)


def _build_trak(init: TrackInit) -> bytes:
    """The source's trak with its id, durations and edit list replaced; references to other tracks are left out."""
    data = init.trak
    parts: list[bytes] = []
    for child in inside(data, Box(b"trak", 0, 16 if data[:4] == u32(1) else 8, len(data))):
        if child.kind == b"tkhd":
            parts.extend((_build_tkhd(data, child, init.track.id), _build_edits(init)))
        elif child.kind == b"mdia":
            media = [
                _build_mdhd(data, part) if part.kind == b"mdhd" else data[part.start : part.end]
                for part in inside(data, child)
            ]
            parts.append(box(b"mdia", *media))
        elif child.kind not in {b"edts", b"tref", b"free", b"skip"}:
            parts.append(data[child.start : child.end])
    return box(b"trak", *parts)


def _build_tkhd(data: bytes, tkhd: Box, track_id: int) -> bytes:
    fields = Fields(data, tkhd)
    version, flags = fields.version_and_flags()
    fields.take(32 if version == 1 else 20)
    return full_box(b"tkhd", 1, flags | 3, bytes(16), u32(track_id), bytes(4), bytes(8), fields.rest())


def _build_mdhd(data: bytes, mdhd: Box) -> bytes:
    _, _, timescale, tail = _times(data, mdhd)
    return full_box(b"mdhd", 1, 0, bytes(16), u32(timescale), bytes(8), tail)


def _build_edits(init: TrackInit) -> bytes:
    if not (init.delay_ms or init.media_time):
        return b""
    edits: list[bytes] = []
    if init.delay_ms:
        edits.append(u64(init.delay_ms) + b"\xff" * 8 + u32(0x10000))
    edits.append(u64(0) + u64(init.media_time) + u32(0x10000))  # duration 0: to the end of all fragments
    return box(b"edts", full_box(b"elst", 1, 0, u32(len(edits)), *edits))
