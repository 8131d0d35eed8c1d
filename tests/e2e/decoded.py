"""What a file gives when all of it is read: by FFmpeg's libraries, and by an ffmpeg that must stay silent."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from ouzel.model import ledger


@dataclass
class Track:
    """One stream of a file. Times in seconds."""

    kind: str
    codec: str
    frame_s: float
    """How long a frame lasts."""
    packets: int = 0
    frames: int = 0
    packets_back: int = 0
    """Packets whose decode time does not lie behind that of the one before."""
    frames_back: int = 0
    """The same for decoded frames and their presentation times."""
    steps: list[float] = field(default_factory=list)
    """From each decoded frame to the next."""
    first_s: float = 0.0
    last_s: float = 0.0

    @property
    def duration_s(self) -> float:
        return self.last_s - self.first_s + self.frame_s if self.frames else 0.0


def decode(path: Path) -> list[Track]:
    """Every stream, picture first."""
    with av.open(str(path)) as container:
        readers = [_Reader(stream) for stream in container.streams if stream.type in {"video", "audio"}]
        by_index = {reader.stream.index: reader for reader in readers}
        for packet in container.demux():
            if packet.stream_index in by_index:
                by_index[packet.stream_index].take(packet)
    return sorted((reader.track for reader in readers), key=lambda track: track.kind, reverse=True)


def check_stamps(path: Path) -> list[Track]:
    """Decode a file; all time stamps rise."""
    tracks = decode(path)
    check_tracks(path, tracks)
    return tracks


def check_tracks(path: Path, tracks: list[Track]) -> None:
    """As `check_stamps`, of what was decoded already."""
    for track in tracks:
        assert track.packets, (path, track.kind)
        assert track.packets_back == 0, (path, track.kind)
        assert track.frames_back == 0, (path, track.kind)


def check_ledger(path: Path, tracks: list[Track]) -> None:
    """The chunks add up to what was decoded of the leading track, within one frame for each run."""
    book = ledger.read(path.with_suffix(".ledger").read_bytes())
    told = sum(chunk.duration_s for chunk in book.chunks if chunk.scope == "all")
    allowed = max(1, len(book.runs)) * tracks[0].frame_s + 0.001
    assert abs(told - tracks[0].duration_s) <= allowed, (path, told, tracks[0].duration_s, allowed)


def complaints(path: Path, *, ffmpeg: str = "ffmpeg") -> str:
    """What ffmpeg says against a file that it decodes from start to end; nothing is right."""
    command = [ffmpeg, "-nostdin", "-v", "warning", "-xerror", "-i", str(path), "-map", "0", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


class _Reader:
    def __init__(self, stream: Any) -> None:
        self.stream = stream
        context = stream.codec_context
        frame = (
            1 / stream.average_rate if stream.type == "video" else Fraction(context.frame_size or 1024, context.rate)
        )
        self.track = Track(stream.type, context.name, float(frame))
        self._dts: int | None = None
        self._pts: int | None = None

    def take(self, packet: Any) -> None:
        track = self.track
        if packet.size:
            track.packets += 1
            if packet.dts is not None:
                track.packets_back += self._dts is not None and packet.dts <= self._dts
                self._dts = packet.dts
        for frame in packet.decode():
            at = float(frame.pts * self.stream.time_base)
            if self._pts is None:
                track.first_s = at
            else:
                track.frames_back += frame.pts <= self._pts
                track.steps.append(at - track.last_s)
            track.frames += 1
            track.last_s, self._pts = at, frame.pts
