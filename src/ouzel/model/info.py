"""All that is known of a recording, as `ouzel info` tells it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from ouzel.formats.shape import Track
from ouzel.model.audit import torn
from ouzel.model.flow import Gap
from ouzel.model.ledger import Ledger, stamp
from ouzel.model.report import gap_fields

State = Literal["recording", "unfinished", "downloading", "interrupted", "closed", "product", "foreign"]
"""`unfinished`: its recorder died, and it was never closed; `interrupted`: a download that can go on; `product`: made of a
recording; `foreign`: there is no ledger."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One connection, and what came of it."""

    number: int
    wall: datetime
    protocol: str
    source: str
    quality: str
    chunks: int
    media_s: float


@dataclass(frozen=True, slots=True)
class Info:
    """Times in seconds, sizes in bytes. What a file without a ledger cannot tell is None or empty."""

    path: str
    state: State
    format: str
    bytes: int
    media_s: float
    tracks: tuple[Track, ...] = ()
    ledger: str | None = None
    source: str = ""
    software: str = ""
    part: int | None = None
    rebuilt: bool = False
    wall_start: datetime | None = None
    wall_end: datetime | None = None
    """Of the last media, on air."""
    end_reason: str = ""
    chunks: int = 0
    runs: tuple[RunInfo, ...] = ()
    gaps: tuple[Gap, ...] = ()
    repairs: tuple[tuple[str, int], ...] = ()
    """How often each kind of change was made to the time stamps."""
    damaged_chunks: int = 0
    """Came damaged from the source."""
    clock_steps_s: tuple[float, ...] = ()
    products: tuple[str, ...] = ()
    """Files that were made of it."""
    ledger_damage: str = ""
    """What in its ledger cannot be read; all that is told here is then perhaps not all there is."""

    @property
    def bitrate_bps(self) -> float:
        return self.bytes * 8 / self.media_s if self.media_s else 0.0

    @property
    def missing_s(self) -> float:
        return sum(gap.missing_s for gap in self.gaps)

    def fields(self) -> dict[str, Any]:
        """JSON object."""
        return {
            "path": self.path,
            "state": self.state,
            "format": self.format,
            "bytes": self.bytes,
            "media_s": round(self.media_s, 3),
            "bitrate_bps": round(self.bitrate_bps),
            "tracks": [_track_fields(track) for track in self.tracks],
            "ledger": self.ledger,
            "source": self.source,
            "software": self.software,
            "part": self.part,
            "rebuilt": self.rebuilt,
            "wall_start": stamp(self.wall_start) if self.wall_start else None,
            "wall_end": stamp(self.wall_end) if self.wall_end else None,
            "end_reason": self.end_reason or None,
            "chunks": self.chunks,
            "runs": [_run_fields(run) for run in self.runs],
            "missing_s": round(self.missing_s, 3),
            "gaps": [gap_fields(gap) for gap in self.gaps],
            "repairs": dict(self.repairs),
            "damaged_chunks": self.damaged_chunks,
            "clock_steps_s": [round(step, 3) for step in self.clock_steps_s],
            "products": list(self.products),
            "ledger_damage": self.ledger_damage or None,
        }


def info_of(ledger: Ledger, *, path: str, ledger_path: str, state: State, bytes_: int) -> Info:
    """What a ledger tells of a file; `bytes_` is its size."""
    chunks = [chunk for chunk in ledger.chunks if chunk.scope == "all"]
    end = chunks[-1].wall + timedelta(seconds=chunks[-1].duration_s) if chunks else None
    product = ledger.product(path.rpartition("/")[2]) if state == "product" else None
    return Info(
        path=path,
        state=state,
        format=product.format if product else ledger.opening.container,
        bytes=bytes_,
        media_s=product.duration_s if product else ledger.media_s,
        tracks=ledger.head.tracks if ledger.head else (),
        ledger=ledger_path,
        source=ledger.opening.source,
        software=ledger.opening.software,
        part=ledger.opening.part,
        rebuilt=ledger.opening.rebuilt,
        wall_start=chunks[0].wall if chunks else ledger.opening.started,
        wall_end=end,
        end_reason=ledger.closing.reason if ledger.closing else "",
        chunks=len(ledger.chunks),
        runs=_runs(ledger),
        gaps=tuple(ledger.gaps),
        repairs=tuple(sorted(Counter(repair.code for repair in ledger.repairs if repair.code != "start").items())),
        damaged_chunks=sum(1 for chunk in ledger.chunks if chunk.damage),
        clock_steps_s=tuple(step.by_s for step in ledger.clock_steps),
        products=tuple(dict.fromkeys(p.file for p in ledger.products)),
        ledger_damage=torn(ledger).detail if ledger.damaged or (ledger.torn and state != "recording") else "",
    )


def _runs(ledger: Ledger) -> tuple[RunInfo, ...]:
    ends = [*ledger.run_starts[1:], len(ledger.chunks)]
    told: list[RunInfo] = []
    for run, start, end in zip(ledger.runs, ledger.run_starts, ends, strict=False):
        media_s = sum(chunk.duration_s for chunk in ledger.chunks[start:end] if chunk.scope == "all")
        told.append(RunInfo(run.number, run.wall, run.protocol, run.source, run.quality, end - start, media_s))
    return tuple(told)


def _track_fields(track: Track) -> dict[str, Any]:
    names = ("kind", "codec", "width", "height", "sample_rate", "channels")
    return {name: value for name in names if (value := getattr(track, name)) is not None}


def _run_fields(run: RunInfo) -> dict[str, Any]:
    return {
        "number": run.number,
        "at": stamp(run.wall),
        "protocol": run.protocol,
        "source": run.source,
        "quality": run.quality,
        "chunks": run.chunks,
        "media_s": round(run.media_s, 3),
    }
