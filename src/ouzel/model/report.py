"""The final report of a recording: the shape is documented in `docs/reference/report.md`, and stable."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Self

from ouzel.model.flow import EndReason, Gap
from ouzel.model.ledger import stamp
from ouzel.model.stream import Stream


@dataclass(frozen=True, slots=True)
class FileReport:
    """One finished file. `media_s` in seconds, `bytes` of the file as it stands."""

    path: str
    ledger: str
    format: str
    bytes: int
    media_s: float
    gaps: int
    damaged_chunks: int = 0
    """Those in which something is wrong that came so from the source (`Chunk.damage`)."""
    error: str = ""
    """Why the file is not what was asked for (a conversion failed, it could not be closed); the media is kept."""


@dataclass(frozen=True, slots=True)
class StreamReport:
    """Which of several streams it was: without its address and headers, which let in whoever has them."""

    protocol: str | None
    label: str
    level: str | None
    height: int | None
    fps: float | None
    codec: str
    cdn: str

    @classmethod
    def of(cls, stream: Stream) -> Self:
        return cls(**{each.name: getattr(stream, each.name) for each in fields(cls)})


@dataclass(frozen=True, slots=True)
class Report:
    """What was kept of one address, what is missing, and why it ended."""

    source: str
    started: datetime
    ended: datetime
    end_reason: EndReason
    files: tuple[FileReport, ...] = ()
    gaps: tuple[Gap, ...] = ()
    media_s: float = 0.0
    bytes: int = 0
    runs: int = 0
    reconnects: int = 0
    replays_dropped: int = 0
    error: tuple[str, str] | None = None
    """(code, message) of the error that ended it, if one did."""
    unsent_bytes: int = 0
    """Of an answer whose length was announced: what never came of it."""
    stream: StreamReport | None = None
    """The last one that brought media."""

    @property
    def missing_s(self) -> float:
        return sum(gap.missing_s for gap in self.gaps)

    @property
    def damaged_chunks(self) -> int:
        return sum(file.damaged_chunks for file in self.files)

    def fields(self) -> dict[str, Any]:
        """JSON object; times in seconds, sizes in bytes, instants in ISO 8601 UTC."""
        return {
            "source": self.source,
            "started": stamp(self.started),
            "ended": stamp(self.ended),
            "end_reason": self.end_reason.value,
            "media_s": round(self.media_s, 3),
            "missing_s": round(self.missing_s, 3),
            "bytes": self.bytes,
            "damaged_chunks": self.damaged_chunks,
            "files": [_file_fields(f) for f in self.files],
            "gaps": [gap_fields(g) for g in self.gaps],
            "stream": None if self.stream is None else asdict(self.stream),
            "runs": self.runs,
            "reconnects": self.reconnects,
            "replays_dropped": self.replays_dropped,
            "error": None if self.error is None else {"code": self.error[0], "message": self.error[1]},
        }


def _file_fields(f: FileReport) -> dict[str, Any]:
    doc: dict[str, Any] = {
        "path": f.path,
        "ledger": f.ledger,
        "format": f.format,
        "bytes": f.bytes,
        "media_s": round(f.media_s, 3),
        "gaps": f.gaps,
        "damaged_chunks": f.damaged_chunks,
    }
    if f.error:
        doc["error"] = f.error
    return doc


def gap_fields(gap: Gap) -> dict[str, Any]:
    """The gap as events and reports show it."""
    return {
        "at_s": round(gap.at_s, 3),
        "code": gap.code.value,
        "why": gap.why,
        "start": stamp(gap.wall_start),
        "end": stamp(gap.wall_end),
        "missing_s": round(gap.missing_s, 3),
        "first_sequence": gap.first_sequence,
        "last_sequence": gap.last_sequence,
        "scope": gap.scope,
    }
