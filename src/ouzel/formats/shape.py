"""What the engine sees of a container: bytes go in as they arrive, bytes to keep and chunk edges come out.

A *shaper* follows one stream of container bytes. It never buffers a whole chunk: it hands on what it was fed (patched in
place where time stamps must move), tells where chunks end, and what was in them. It does no I/O, has no clock and no log.

    for op in shaper.feed(piece):       # piece: memoryview over a writable buffer, any size, any alignment
        match op:
            case Head():  ...           # open a file (the first), or close the running one and open the next
            case Edge():  ...           # everything since the last Edge is one whole Chunk; its Span is inside
            case TakeBack(): ...        # the chunk before is void: remove its bytes
            case _:       write(op)     # bytes-like; valid until the iterator is advanced past the next feed

Between two ops the consumer may call `restart()` (right after an Edge: the next bytes go into a new file).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

Container = Literal["ts", "mp4", "flv", "raw"]
"""`raw`: bytes of any kind, which Ouzel does not look into."""
TrackKind = Literal["video", "audio", "other"]
RepairCode = Literal["start", "splice", "jump", "clamp", "wrap", "metadata"]
Buffer: TypeAlias = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Track:
    """One elementary stream. Two heads whose tracks differ may not share a file."""

    id: int
    """PID in TS, track_ID in MP4, tag type (8, 9) in FLV."""
    kind: TrackKind
    codec: str
    """Lower-case common name: h264, hevc, av1, vp9, aac, mp3, opus, ac3, eac3, pcm_alaw, pcm_mulaw, … or `0x1b`-like."""
    width: int | None = None
    height: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    config: bytes = b""
    """What a decoder must know before the first frame, in the container's own form, without the parts that may vary
    harmlessly (FLV: the configuration record; MP4: the sample entry; TS: profile, level and chroma of the SPS)."""


@dataclass(frozen=True, slots=True)
class Head:
    """The bytes that open a file, and what its tracks are. Emitted before the first bytes and again when tracks change."""

    container: Container
    tracks: tuple[Track, ...]
    data: bytes = field(repr=False)
    """To be written at the start of the file; empty where the container needs none (TS)."""
    preamble: bytes = field(default=b"", repr=False)
    """What a player needs before any chunk of this file when it does not start at the top (TS: PAT and PMT; else = data)."""

    @property
    def video(self) -> Track | None:
        return next((t for t in self.tracks if t.kind == "video"), None)

    @property
    def audio(self) -> Track | None:
        return next((t for t in self.tracks if t.kind == "audio"), None)


@dataclass(frozen=True, slots=True)
class Repair:
    """A change that was made to the time stamps, so that what came over the wire can be told again.

    `metadata` changes none: the server announced the stream anew in mid-stream, which it does when it lost its own source for
    a while, so that media may be missing here.
    """

    at_s: float
    """Position in the file's media time."""
    code: RepairCode
    by_s: float
    """What is now added to the source's time stamps, in seconds."""


class KeyPoint(NamedTuple):
    """A random access point inside a chunk."""

    offset: int
    """Bytes from the first byte of the chunk, as emitted."""
    at_s: float
    """Presentation time of the key frame, in the file's media time."""


class Span(NamedTuple):
    """What is known of one chunk once it is whole.

    Chunks tile the time line: `start_s` equals the `end_s` before it, also over a gap (a gap takes no media time), so that
    the durations add up to the decoded duration of the file within one frame.
    """

    start_s: float
    """File media time: 0 at the start of each file."""
    end_s: float
    source_s: float | None = None
    """The stream's own time stamp of the first sample, unwrapped, in seconds; None without any sample."""
    frames: int = 0
    """Samples of the leading track: video frames, or audio frames where there is no video."""
    independent: bool = False
    """Decoding can start at the first video frame of this chunk (always true for sound only)."""
    keys: tuple[KeyPoint, ...] = ()
    dropped_bytes: int = 0
    """Fed, but not handed on: garbage, an incomplete packet at the end, replayed groups."""
    replay: bool = False
    """Already written before (a CDN replays after a reconnect): the consumer takes the bytes of this chunk back."""
    damage: str = ""
    """Why the chunk is suspect (`truncated`, `garbage`, `continuity`, `no_media`); empty when it is fine. `stuck`: the server
    repeats itself without end, so that the connection had better be dropped."""
    repairs: tuple[Repair, ...] = ()
    excess: int = 0
    """Bytes at the end, already handed on, that are not a whole unit: the consumer cuts them off. When that is all the bytes
    of the chunk, nothing is left of it, and it counts for nothing."""
    beside_s: float = 0.0
    """How much longer the longest of the other tracks has become in this chunk: a picture may stand still while its sound goes
    on, and then the chunk ends with its last picture, and the next one makes up for it."""
    lost_s: float = 0.0
    """What is missing of the leading track in front of this chunk, by its own clock: the end of the last connection tore a
    unit, which was left out, and the source goes on behind it. 0 where nothing was left out, or it came again."""
    sound_lost_s: float = 0.0
    """The same for sound beside pictures."""

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


class Edge(NamedTuple):
    """The end of a chunk: all bytes handed on since the last Edge."""

    span: Span


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Remove the previous chunk, which was incomplete: what follows holds all of it again, with the same time stamps.

    Emitted after a `splice`, before any bytes are handed on.
    """


Op: TypeAlias = "Head | Edge | TakeBack | Buffer"


class Shaper(Protocol):
    """The contract of the three shapers; `tests/contract/test_shapers.py` holds them to it."""

    container: Container

    def feed(self, piece: memoryview) -> Iterator[Op]:
        """Take the next bytes of the stream. The iterator must be exhausted before the next call.

        `piece` is writable and may be patched and handed on in parts; whatever is not yet whole is copied and kept, bounded.

        Raises: FormatError when what arrives is not this container at all (after a bounded search for its start);
            TooLarge when a declared size is beyond the limit.
        """
        ...

    def cut(self, *, broken: bool = False) -> Iterator[Op]:
        """The segment, the file or the connection ended here: hand on what is whole, drop what is not, emit an Edge if any
        bytes were handed on since the last one.

        `broken`: nothing says that the source ends here as well: the connection broke, the reader was stopped, or the server
        closed a body whose length it had not announced. Then a unit that does not show that it is whole is dropped, too; what
        is left is whole, so that the chunk is not `truncated` for it.
        """
        ...

    def splice(self) -> None:
        """What follows does not continue what came before (a gap, a discontinuity, a new connection): the next samples are
        re-stamped to follow the last kept ones. Also drops carried bytes. Call it right after an Edge or `rollback`."""
        ...

    def rollback(self) -> None:
        """Forget all that was fed since the last Edge: the consumer takes those bytes back and will feed them again.

        An Edge counts once the iterator is advanced past it: a consumer that refuses the chunk stops there and calls this.
        """
        ...

    def restart(self) -> Head:
        """The next chunk opens a new file whose media time starts at 0. Call it right after an Edge."""
        ...


@dataclass(slots=True)
class SpanBuilder:
    """Collects what a Span needs while a chunk passes by."""

    source_s: float | None = None
    frames: int = 0
    independent: bool = False
    emitted: int = 0
    dropped_bytes: int = 0
    damage: str = ""
    beside_s: float = 0.0
    lost_s: float = 0.0
    sound_lost_s: float = 0.0
    keys: list[KeyPoint] = field(default_factory=list[KeyPoint])
    repairs: list[Repair] = field(default_factory=list[Repair])

    def build(self, start_s: float, end_s: float, *, replay: bool = False, excess: int = 0) -> Span:
        return Span(
            start_s,
            end_s,
            self.source_s,
            self.frames,
            self.independent,
            tuple(self.keys),
            self.dropped_bytes,
            replay,
            self.damage,
            tuple(self.repairs),
            excess,
            self.beside_s,
            self.lost_s,
            self.sound_lost_s,
        )
