"""What is in a media file, as a demuxer sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

_HDR = frozenset({16, 18})


@dataclass(slots=True)
class StreamFound:
    """One stream of a file. Times in seconds, as they stand in the file; None where nothing of the kind was found.

    From `packets` on: counted only if packets were looked at; from `frames` on: only if they were decoded.
    """

    kind: str
    """video, audio, subtitle, data"""
    codec: str
    width: int | None = None
    height: int | None = None
    rate: float | None = None
    """Frames a second."""
    sample_rate: int | None = None
    channels: int | None = None
    pixels: str | None = None
    """How pictures are stored, as FFmpeg names it: yuv420p, yuv420p10le, …"""
    transfer: int | None = None
    """Transfer characteristics (ITU-T H.273): 16 is PQ, 18 is HLG, both of them HDR."""
    sets: str = ""
    """Digest of the parameter sets that stand before the pictures, in whichever form; empty: there are none."""
    framing: str = ""
    """Of pictures: `length` as in MP4, `start` with start codes as in MPEG-TS; empty: their codec knows no such thing."""
    packets: int = 0
    keys: int = 0
    first_s: float | None = None
    """Lowest presentation time."""
    end_s: float | None = None
    """Highest presentation time with its duration."""
    first_dts_s: float | None = None
    last_dts_s: float | None = None
    unordered: int = 0
    """Packets whose decode time lies before that of the one before."""
    corrupt: int = 0
    """Packets that the demuxer says are damaged."""
    frames: int = 0
    frames_unordered: int = 0
    frames_corrupt: int = 0
    errors: int = 0
    """Packets that could not be decoded."""

    @property
    def is_hdr(self) -> bool:
        return self.transfer in _HDR

    @property
    def duration_s(self) -> float:
        return 0.0 if self.first_s is None or self.end_s is None else self.end_s - self.first_s


@dataclass(slots=True)
class Found:
    """What is in a file."""

    container: str
    """As FFmpeg names the format: `mpegts`, `flv`, `mov,mp4,m4a,3gp,3g2,mj2`, `matroska,webm`."""
    duration_s: float | None
    """What the header says; of a file that was cut off it is wrong."""
    start_s: float | None
    streams: list[StreamFound] = field(default_factory=list[StreamFound])
    error: str = ""
    """Why reading ended before the end of the file."""

    @property
    def video(self) -> StreamFound | None:
        return self.first("video")

    @property
    def audio(self) -> StreamFound | None:
        return self.first("audio")

    def first(self, kind: str) -> StreamFound | None:
        return next((s for s in self.streams if s.kind == kind), None)

    @property
    def media_s(self) -> float:
        """From the first to the last presentation time of all streams, measured on the packets."""
        firsts = [s.first_s for s in self.streams if s.first_s is not None]
        ends = [s.end_s for s in self.streams if s.end_s is not None]
        return max(ends) - min(firsts) if firsts and ends else 0.0


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a file can be cut without re-encoding, in seconds from its start: at key frames (at any packet in sound only)."""

    start_s: float
    """The last at or before the wished start; the first of the file, if there is none."""
    delay_s: float
    """By how much its decode time comes before its presentation time."""
    end_s: float
    """The first at or after the wished end; where there is none, the end of the last picture (or sound)."""
    cut_s: float | None
    """Its decode time: all packets before it belong to the piece. None: the piece ends with the file."""
    is_first: bool
    """No key frame comes before `start_s`."""
