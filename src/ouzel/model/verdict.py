"""What `ouzel verify` finds. `docs/reference/verify.md` lists the codes; their spelling is a promise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from ouzel.model.flow import Gap
from ouzel.model.report import gap_fields

Status = Literal["clean", "gaps", "damaged"]
_ORDER: tuple[Status, ...] = ("clean", "gaps", "damaged")


class FindingCode(StrEnum):
    """The comment says what is seen; `_LEVELS` what it amounts to."""

    REBUILT = "rebuilt"  # there was no ledger: one was made from the media
    LEDGER_NOT_SAVED = "ledger_not_saved"  # … and could not be written beside it
    NO_LEDGER = "no_ledger"  # and there cannot be one in this container
    RUNNING = "running"  # it is being recorded: checked up to its last whole chunk
    SEQUENCE_HOLE = "sequence_hole"  # numbers of the source are missing, and no gap tells of it
    NOTED_DAMAGE = "noted_damage"  # came damaged from the source, as the ledger says
    NOT_CLOSED = "not_closed"  # the recorder died: `ouzel recover` closes it
    LEDGER_TORN = "ledger_torn"  # something in the ledger cannot be read
    LEDGER_WRONG = "ledger_wrong"  # its lines contradict each other
    BYTES_CHANGED = "bytes_changed"  # a chunk, the head or the index is not what was written
    BYTES_MISSING = "bytes_missing"  # the file is shorter than its ledger says
    BYTES_EXTRA = "bytes_extra"  # at its end are bytes of which the ledger knows nothing
    CONTINUITY = "continuity"  # packets of the transport stream are missing, or doubled
    GARBAGE = "garbage"  # bytes that are no media
    TRUNCATED = "truncated"  # a unit is not whole
    NO_MEDIA = "no_media"  # a chunk without a picture or sound
    STAMPS = "stamps"  # time stamps step back, or jump
    TRACKS_CHANGED = "tracks_changed"  # in the middle of the file
    DURATION = "duration"  # the media does not last as long as the ledger says
    UNREADABLE = "unreadable"  # from some point on nothing can be read
    PRODUCT_CHANGED = "product_changed"  # not what was made of the recording


_C = FindingCode
_DAMAGE = {"garbage": _C.GARBAGE, "continuity": _C.CONTINUITY, "truncated": _C.TRUNCATED, "no_media": _C.NO_MEDIA}
_LEVELS: dict[FindingCode, Status] = {
    _C.REBUILT: "clean",
    _C.LEDGER_NOT_SAVED: "clean",
    _C.NO_LEDGER: "clean",
    _C.RUNNING: "clean",
    _C.SEQUENCE_HOLE: "gaps",
    _C.NOTED_DAMAGE: "gaps",
}  # all others: damaged


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is to be said of a file. Its place in seconds of media time, and in bytes; None where it has none."""

    code: FindingCode
    detail: str = ""
    """One line for people."""
    at_s: float | None = None
    offset: int | None = None

    @property
    def level(self) -> Status:
        """The best that can be said of a file with this finding."""
        return _LEVELS.get(self.code, "damaged")

    def fields(self) -> dict[str, Any]:
        at_s = None if self.at_s is None else round(self.at_s, 3)
        return {
            "code": self.code.value,
            "level": self.level,
            "detail": self.detail,
            "at_s": at_s,
            "offset": self.offset,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that was found in one file."""

    path: str
    ledger: str | None
    """Path of the ledger that it was compared with."""
    bytes: int
    media_s: float
    chunks: int
    gaps: tuple[Gap, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def status(self) -> Status:
        return worst(["gaps" if self.gaps else "clean", *(f.level for f in self.findings)])

    def fields(self) -> dict[str, Any]:
        """JSON object; times in seconds, sizes in bytes."""
        return {
            "path": self.path,
            "status": self.status,
            "ledger": self.ledger,
            "bytes": self.bytes,
            "media_s": round(self.media_s, 3),
            "chunks": self.chunks,
            "missing_s": round(sum(gap.missing_s for gap in self.gaps), 3),
            "gaps": [gap_fields(gap) for gap in self.gaps],
            "findings": [finding.fields() for finding in self.findings],
        }


def code_of(damage: str) -> FindingCode:
    """The code for what a shaper says of a chunk (`Span.damage`)."""
    return _DAMAGE.get(damage, FindingCode.UNREADABLE)


def worst(levels: Iterable[Status]) -> Status:
    seen = set(levels)
    for level in reversed(_ORDER):
        if level in seen:
            return level
    return "clean"


@dataclass(slots=True)
class Findings:
    """Collects findings; of one kind only the first few are told one by one."""

    most: int = 20
    kept: list[Finding] = field(default_factory=list[Finding])
    _counts: dict[FindingCode, int] = field(default_factory=dict[FindingCode, int])

    def add(self, finding: Finding) -> None:
        count = self._counts[finding.code] = self._counts.get(finding.code, 0) + 1
        if count <= self.most:
            self.kept.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.add(finding)

    @property
    def has_damage(self) -> bool:
        return any(finding.level == "damaged" for finding in self.kept)

    def all(self) -> tuple[Finding, ...]:
        """Those kept, and for each kind of which there are more a line that says how many."""
        more = [(code, count - self.most) for code, count in self._counts.items() if count > self.most]
        return (*self.kept, *(Finding(code, f"{count} more of this kind") for code, count in more))
