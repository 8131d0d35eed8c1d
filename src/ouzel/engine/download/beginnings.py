"""Where tracks of one programme begin, by the clock that they share; and subtitles, set to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ouzel.engine import ledgers
from ouzel.engine.sinks.file import storage_error
from ouzel.formats import id3, webvtt

_APART_S = 60.0
"""Tracks that begin further apart do not share a clock."""
_ALIKE_S = 0.001
_TAG_BYTES = 1 << 16


def delays(starts: Sequence[float | None]) -> tuple[list[float], bool]:
    """How much later than the first of them each track begins, in seconds; and whether all of them share one clock.

    Args:
        starts: time stamps at which they begin; None where there is no clock. Those without one, and those whose clock is
            another, begin with the first in the list.
    """
    origin = starts[0] or 0.0
    away = [0.0 if start is None else webvtt.near(start - origin) for start in starts]
    shared = all(abs(each) <= _APART_S for each in away)
    away = [each if _ALIKE_S < abs(each) <= _APART_S else 0.0 for each in away]
    first = min(away)
    return [each - first for each in away], shared


def packed_start(path: Path) -> float | None:
    """What the ID3 tag in front of packed audio says, in seconds; None when there is none. Blocking. Raises: StorageError."""
    try:
        with path.open("rb") as file:
            head = file.read(_TAG_BYTES)
    except OSError as exc:
        raise storage_error(exc, path) from exc
    size = id3.tag_size(head) if len(head) >= id3.HEADER_SIZE else 0
    stamp = id3.transport_timestamp(head[:size]) if size else None
    return None if stamp is None else stamp / 90_000


def clean_subtitles(track: Path, origin_s: float, begins_s: float, out: Path) -> int:
    """Write one clean file of a raw track of WebVTT segments. Blocking.

    Args:
        origin_s: what the media's own clock says where the product begins.
        begins_s: where that is in the programme.
    Returns: the number of cues; nothing is written where there are none.
    Raises: StorageError.
    """
    held = ledgers.find(track)
    try:
        raw = track.read_bytes()
        chunks = held.ledger.chunks if held is not None else ()
        places = [(chunk.offset, chunk.offset + chunk.length) for chunk in chunks] or [(0, len(raw))]
        found = webvtt.parse((raw[at:end].decode("utf-8", "replace") for at, end in places), origin_s, begins_s)
        if found.cues:
            out.write_text(webvtt.render(found), encoding="utf-8")
    except OSError as exc:
        raise storage_error(exc, out) from exc
    return len(found.cues)
