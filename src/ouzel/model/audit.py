"""What a ledger says of itself: whether its lines fit together. Pure; the media is not looked at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ouzel.model.flow import TrackScope
from ouzel.model.ledger import Ledger, tiling_holes
from ouzel.model.verdict import Finding, FindingCode, code_of

_SAME_PLACE_S = 0.001


def audit(ledger: Ledger) -> Iterator[Finding]:
    """Contradictions in a ledger, and holes in the numbering of its chunks that no gap accounts for."""
    if ledger.torn:
        yield torn(ledger)
    if ledger.damaged:  # what is missing there explains the rest
        yield from noted_damage(ledger)
        return
    chunks = ledger.chunks
    if ledger.opening.download:
        yield from _placed(ledger)
        yield from noted_damage(ledger)
        yield from _closing(ledger)
        return
    for place, chunk in enumerate(chunks):
        if chunk.index != place:
            yield Finding(
                FindingCode.LEDGER_WRONG, f"chunk {place} is numbered {chunk.index}", chunk.start_s, chunk.offset
            )
            return
    for index in tiling_holes(chunks):
        chunk = chunks[index]
        yield Finding(
            FindingCode.LEDGER_WRONG,
            f"chunk {index} does not begin where the one before it ends",
            chunk.start_s,
            chunk.offset,
        )
    head = ledger.head
    if chunks and head is not None and chunks[0].offset != head.offset + head.length:
        yield Finding(FindingCode.LEDGER_WRONG, "the first chunk does not begin behind the head", 0.0, chunks[0].offset)
    yield from noted_damage(ledger)
    yield from _closing(ledger)
    for scope in ("all", "audio"):
        yield from _sequences(ledger, scope)


def _placed(ledger: Ledger) -> Iterator[Finding]:
    """Of a download: pieces do not overlap, and each that is missing has a gap; its room, if it has any, may be of any size."""
    before, end = -1, ledger.media_start
    for chunk in ledger.chunks:
        behind_it = chunk.index == before + 1
        if chunk.offset < end or (behind_it and chunk.offset > end):
            detail = f"piece {chunk.index} does not begin where the one before it ends"
            yield Finding(FindingCode.LEDGER_WRONG, detail, chunk.start_s, chunk.offset)
        before, end = chunk.index, chunk.offset + chunk.length
    if ledger.closing is not None and (missing := before + 1 - len(ledger.chunks)) > len(ledger.gaps):
        yield Finding(FindingCode.LEDGER_WRONG, f"{missing} pieces are missing, and {len(ledger.gaps)} gaps are told")


def torn(ledger: Ledger) -> Finding:
    """Something in it cannot be read."""
    at = ledger.good_bytes
    return Finding(
        FindingCode.LEDGER_TORN,
        f"unreadable at its byte {at}: it may have told of more"
        if ledger.damaged
        else f"unreadable from its byte {at} on",
        None if ledger.damaged else ledger.media_s,
    )


def noted_damage(ledger: Ledger) -> Iterator[Finding]:
    """What the ledger says is wrong with its chunks: as they came from the source, or, if it was made from the media afterwards,
    as they then were. How that came about is not known."""
    for chunk in ledger.chunks:
        if chunk.damage:
            code = code_of(chunk.damage) if ledger.opening.rebuilt else FindingCode.NOTED_DAMAGE
            yield Finding(code, chunk.damage, chunk.start_s, chunk.offset)


def _closing(ledger: Ledger) -> Iterator[Finding]:
    closing = ledger.closing
    if closing is None:
        return
    if (closing.chunks, closing.gaps) != (len(ledger.chunks), len(ledger.gaps)):
        told = f"{closing.chunks} chunks and {closing.gaps} gaps"
        yield Finding(
            FindingCode.LEDGER_WRONG,
            f"the closing line tells of {told}, there are {len(ledger.chunks)} and {len(ledger.gaps)}",
        )
    ends_there = closing.size == ledger.media_end + closing.tail
    if ledger.opening.download and ledger.chunks:
        last = ledger.chunks[-1]
        ends_there = closing.size >= last.offset + last.length
    if not ends_there or abs(closing.duration_s - ledger.media_s) > _SAME_PLACE_S:
        yield Finding(FindingCode.LEDGER_WRONG, "the closing line gives another size or length than the chunks")


def _sequences(ledger: Ledger, scope: TrackScope) -> Iterator[Finding]:
    """Within one run a source's numbers rise by one from chunk to chunk, or stay while one segment holds several chunks; where
    they leave some out, a gap must stand in between. Numbers that go back were begun anew by the source."""
    places = [gap.at_s for gap in ledger.gaps if gap.scope == scope]
    for before, chunk in pairwise(chunk for chunk in ledger.chunks if chunk.scope == scope):
        if before.sequence is None or chunk.sequence is None or chunk.sequence - before.sequence <= 1:
            continue
        if any(before.index < start <= chunk.index for start in ledger.run_starts):
            continue
        if any(abs(at_s - chunk.start_s) <= _SAME_PLACE_S for at_s in places):
            continue
        yield Finding(
            FindingCode.SEQUENCE_HOLE, f"{before.sequence} is followed by {chunk.sequence}", chunk.start_s, chunk.offset
        )
