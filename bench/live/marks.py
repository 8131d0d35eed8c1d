"""What recordings say about themselves: segments lost, repeated, and of another channel, read from the marks in the media."""

from __future__ import annotations

import mmap
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ouzel.testing.markers import read_markers


@dataclass(frozen=True)
class Kept:
    """Of one channel."""

    channel: str
    numbers: tuple[int, ...]
    """In the order of the file."""

    @property
    def segments(self) -> int:
        return len(set(self.numbers))

    @property
    def missing(self) -> list[int]:
        """Numbers between the first and the last that are not there."""
        there = set(self.numbers)
        return [number for number in range(min(there), max(there)) if number not in there] if there else []

    @property
    def repeated(self) -> int:
        return len(self.numbers) - self.segments


@dataclass(frozen=True)
class Verdict:
    """Of one run."""

    segments_min: int
    segments_max: int
    lost: int
    repeated: int
    foreign: int
    """Marks of another channel than the rest of their file."""
    files: int
    kept_bytes: int


def judge(recordings: Path, channels: Sequence[str], *, packets: bool) -> tuple[Verdict, dict[str, Kept]]:
    """Read all recordings of a run.

    Args:
        channels: names of the channels that were to be recorded; one without a recording has 0 segments.
        packets: the files are TS with its null packets; otherwise the marks in the pictures are read.
    """
    numbers: dict[str, list[int]] = defaultdict(list)
    foreign = size = 0
    files = sorted(path for path in recordings.iterdir() if path.suffix in (".ts", ".flv"))
    for path in files:
        size += path.stat().st_size
        marks = _read(path, packets=packets)
        name = _owner(marks)
        foreign += sum(channel != name for channel, _ in marks)
        numbers[name] += [number for channel, number in marks if channel == name]
    kept = {name: Kept(name, tuple(numbers.get(name, ()))) for name in channels}
    return sum_up(kept.values(), foreign=foreign, files=len(files), kept_bytes=size), kept


def sum_up(kept: Iterable[Kept], *, foreign: int, files: int, kept_bytes: int) -> Verdict:
    each = list(kept)
    segments = [one.segments for one in each]
    lost, repeated = sum(len(one.missing) for one in each), sum(one.repeated for one in each)
    return Verdict(min(segments), max(segments), lost, repeated, foreign, files, kept_bytes)


def _read(path: Path, *, packets: bool) -> list[tuple[str, int]]:
    if not path.stat().st_size:
        return []
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        memoryview(data) as view,
    ):
        return read_markers(view, "ts" if packets else "flv")


def _owner(marks: Sequence[tuple[str, int]]) -> str:
    """Whose recording it is: the channel that most of it shows."""
    names = [channel for channel, _ in marks]
    return max(set(names), key=names.count) if names else ""
