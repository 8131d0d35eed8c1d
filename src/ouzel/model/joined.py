"""The ledger of one file that was joined of several: theirs, one after the other, in its own media time. Pure.

What it describes is the bytes of all of them in a row; the joined file is a product of these, as any other is of its original.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ouzel.formats.shape import KeyPoint
from ouzel.model.flow import Chunk, EndReason, Gap, GapCode
from ouzel.model.kept import kept_since, kept_until
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import Closing, Line, Opening

_SEAM_S = 2.0
"""Less than this between the end of a file and the beginning of the next is how exactly arrival tells the time."""
_WHY: dict[str, GapCode] = {
    EndReason.ENDED: GapCode.STREAM_ENDED,
    EndReason.GONE: GapCode.CONNECTION_LOST,
    EndReason.FAILED: GapCode.CONNECTION_LOST,
    EndReason.DISK: GapCode.DISK_FULL,
}
"""What lies behind a file that ended so; behind all others the recorder was stopped."""


@dataclass(frozen=True, slots=True)
class JoinedPart:
    """A file, and how long it is in the joined one. Seconds; not shorter than its ledger says."""

    ledger: Ledger
    lasts_s: float


def gap_between(before: Ledger, after: Ledger, at_s: float) -> Gap | None:
    """What is missing between two files, where neither ledger tells it already. None: nothing, or nobody knows."""
    end, start = kept_until(before), kept_since(after)
    reason = before.closing.reason if before.closing is not None else EndReason.RECOVERED.value
    guessed = before.opening.rebuilt or after.opening.rebuilt
    if end is None or start is None or guessed or reason == EndReason.SPLIT:
        return None
    missing_s = (start - end).total_seconds()
    if missing_s < _SEAM_S:
        return None
    why = f"between {before.opening.file} and {after.opening.file}: {reason}"
    return Gap(at_s, _WHY.get(reason, GapCode.RECORDER_STOPPED), why, end, start, missing_s)


def joined_lines(parts: Sequence[JoinedPart], opening: Opening) -> list[Line]:
    """The lines of the ledger, without that of the product.

    Args:
        parts: in their order, one at least.
        opening: the first line.
    """
    first, last = parts[0].ledger, parts[-1].ledger
    head = replace(first.heads[0], offset=0) if first.heads else None
    place = _Place(0.0, head.length if head else 0, 0)
    lines: list[Line] = [opening, *([head] if head else [])]
    before: Ledger | None = None
    for part in parts:
        gap = gap_between(before, part.ledger, place.at_s) if before is not None else None
        lines += [gap] if gap is not None else []
        lines += _moved(part, place)
        place = replace(place.behind(part.ledger), at_s=round(place.at_s + part.lasts_s, 6))
        before = part.ledger
    gaps = sum(isinstance(line, Gap) for line in lines)
    end, reason = last.closing, EndReason.RECOVERED.value
    wall = end.wall if end is not None else kept_until(last) or opening.started
    closing = Closing(wall, end.reason if end else reason, place.offset, place.at_s, place.index, gaps)
    return [*lines, closing]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the next file begins."""

    at_s: float
    offset: int
    index: int

    def behind(self, ledger: Ledger) -> _Place:
        length = sum(chunk.length for chunk in ledger.chunks)
        return _Place(self.at_s, self.offset + length, self.index + len(ledger.chunks))


def _moved(part: JoinedPart, place: _Place) -> Iterator[Line]:
    """Its lines in the time of the joined file."""
    ledger, at_s, offset = part.ledger, place.at_s, place.offset
    last = max((number for number, chunk in enumerate(ledger.chunks) if chunk.scope == "all"), default=-1)
    gaps = sorted(ledger.gaps, key=lambda gap: gap.at_s)
    for number, chunk in enumerate(ledger.chunks):
        yield from (run for run, start in zip(ledger.runs, ledger.run_starts, strict=True) if start == number)
        while gaps and gaps[0].at_s <= chunk.start_s:
            yield _later(gaps.pop(0), at_s)
        end_s = at_s + (part.lasts_s if number == last else chunk.end_s)
        yield _chunk(chunk, place.index + number, offset, at_s, end_s)
        offset += chunk.length
    for gap in gaps:
        at_end = gap.at_s >= ledger.media_s
        yield _later(replace(gap, at_s=part.lasts_s) if at_end else gap, at_s)
    yield from (replace(repair, at_s=round(repair.at_s + at_s, 6)) for repair in ledger.repairs)
    yield from ledger.clock_steps


def _later(gap: Gap, by_s: float) -> Gap:
    return replace(gap, at_s=round(gap.at_s + by_s, 6))


def _chunk(chunk: Chunk, index: int, offset: int, at_s: float, end_s: float) -> Chunk:
    keys = tuple(KeyPoint(key.offset, round(key.at_s + at_s, 6)) for key in chunk.keys)
    start_s = round(chunk.start_s + at_s, 6)
    return replace(chunk, index=index, offset=offset, start_s=start_s, end_s=round(end_s, 6), keys=keys)
