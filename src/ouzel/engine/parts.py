"""What a tape knows: its counters, and each of its files."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ouzel.base.errors import FileRemoved
from ouzel.engine.sinks.file import FileSink
from ouzel.formats.shape import Track
from ouzel.model.flow import EndReason, Gap, GapCode
from ouzel.model.kept import kept_until
from ouzel.model.ledger import Ledger

_SLACK = 0.1
"""Of a segment, that a file may fall short of it: rather one twice than one never."""


@dataclass(slots=True)
class Counters:
    """What a progress line shows; plain numbers, read by a timer."""

    bytes: int = 0
    media_s: float = 0.0
    chunks: int = 0
    gaps: int = 0
    missing_s: float = 0.0
    runs: int = 0
    reconnects: int = 0
    replays: int = 0
    replayed_s: float = 0.0
    """Media time that came again and was dropped."""
    last_media: float = 0.0
    """Monotonic time at which the recording last became longer."""
    received: int = 0
    """Bytes that came from the network, also those that were not kept."""
    passed_over_s: float = 0.0
    """Of the programme, left out although it could be had."""

    def passed_over(self, seconds: float, now: float) -> None:
        """The source goes on, although nothing of it is kept."""
        self.passed_over_s += seconds
        self.last_media = now


@dataclass(frozen=True, slots=True)
class Broken:
    """A recording that was broken off, and is to go on in its next file."""

    parts: int
    """Files that it has."""
    until: datetime
    """Up to when its programme is kept. Aware UTC."""
    sequence: int | None = None
    """Media sequence number of its last chunk, in HLS: when the next one is still to be had nothing is missing."""
    why: str = "the recorder was stopped and started again"


def broken_off(parts: int, held: Iterable[tuple[Ledger | None, float]], otherwise: datetime) -> Broken:
    """Where a recording was broken off. What its ledgers tell as missing at the end of a file is not told again.

    Args:
        held: the ledger and the media time of each of its files, the last one first; None: it has no ledger any more.
        otherwise: up to when its programme is kept, where no ledger tells.
    """
    until: datetime | None = None
    unnumbered_s = 0.0
    for ledger, media_s in held:
        chunks = ledger.chunks if ledger else ()
        if ledger and until is None:
            until = kept_until(ledger)
        numbered = next((chunk for chunk in reversed(chunks) if chunk.sequence is not None), None)
        if numbered is not None and numbered.sequence is not None:
            behind = math.floor(unnumbered_s / numbered.duration_s + _SLACK) if numbered.duration_s else 0
            return Broken(parts, until or otherwise, numbered.sequence + behind)
        unnumbered_s += media_s  # its ledger was made anew, of media that have no numbers
    return Broken(parts, until or otherwise)


@dataclass(slots=True)
class Part:
    """One file of a recording: the running one, or one that takes no more chunks and waits to be finished off the loop."""

    sink: FileSink
    tracks: tuple[Track, ...]
    told: bool = False
    """It was announced: it has had a chunk."""
    reason: EndReason = EndReason.SPLIT
    """Why it takes no more chunks."""
    gaps: list[Gap] = field(default_factory=list[Gap])
    bytes: int = 0
    """In its chunks."""
    since: datetime | None = None
    """When its first chunk was on air, or what is missing before it."""
    lost: bool = False
    """Somebody removed it, or moved it away, before it was closed."""

    @property
    def media_s(self) -> float:
        """Seconds of the recording that are in this file."""
        return 0.0 if self.lost else self.sink.media_s

    def fields(self) -> dict[str, Any]:
        """What an event tells of it when it is announced."""
        names = ("kind", "codec", "width", "height", "sample_rate", "channels")
        tracks = [{name: value for name in names if (value := getattr(t, name)) is not None} for t in self.tracks]
        return {"path": str(self.sink.part_path), "part": self.sink.opening.part, "tracks": tracks}

    def removed(self) -> FileRemoved:
        """Why nothing of it is kept."""
        path = self.sink.part_path
        return FileRemoved(f"{path} was removed or moved away while it was being written", path=str(path))

    def as_gap(self, now: datetime) -> Gap:
        """All that it held, and what was missing in it, as one gap before whatever follows."""
        start = min(self.since or now, now)
        missing = self.sink.media_s + sum(gap.missing_s for gap in self.gaps if gap.scope == "all")
        end = min(now, start + timedelta(seconds=missing))
        return Gap(0.0, GapCode.FILE_REMOVED, str(self.removed()), start, end, missing)
