"""Where tracks of one programme begin, by the clock that they share; and subtitles, set to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ouzel.base.errors import Unsupported
from ouzel.engine import ledgers
from ouzel.engine.sinks.file import storage_error
from ouzel.formats import id3, ttml, webvtt, wvtt
from ouzel.formats.fmp4.samples import init_of, samples

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
    """Write one clean WebVTT file of a raw track of subtitles. Blocking.

    Args:
        origin_s: what the media's own clock says where the product begins.
        begins_s: where that is in the programme.
    Returns: the number of cues; nothing is written where there are none.
    Raises: FormatError, Encrypted, Unsupported; StorageError.
    """
    held = ledgers.find(track)
    try:
        raw = track.read_bytes()
        head = held.ledger.media_start if held is not None else 0
        chunks = held.ledger.chunks if held is not None else ()
        places = [(chunk.offset, chunk.offset + chunk.length) for chunk in chunks] or [(head, len(raw))]
        pieces = [raw[at:end] for at, end in places]
        match track.suffix:
            case ".mp4":
                found = _of_mp4(raw[:head], pieces, origin_s)
            case ".ttml":
                ends_s = begins_s + (chunks[-1].end_s if chunks else 0.0)
                found = _counted([cue for piece in pieces for cue in ttml.parse(piece, ends_s)], -begins_s)
            case _:
                found = webvtt.parse((piece.decode("utf-8", "replace") for piece in pieces), origin_s, begins_s)
        if found:
            out.write_text(webvtt.render(found), encoding="utf-8")
    except OSError as exc:
        raise storage_error(exc, out) from exc
    return len(found)


def _of_mp4(head: bytes, pieces: Sequence[bytes], origin_s: float) -> tuple[webvtt.Cue, ...]:
    """Raises: FormatError, Encrypted; Unsupported for what is neither WebVTT nor TTML."""
    init = init_of(head)
    kind = init.tracks[0].track.codec
    texts = [*samples(init, pieces)]
    if not texts:
        return ()
    shift_s = webvtt.near(texts[0].start_s - origin_s) - texts[0].start_s
    match kind:
        case "wvtt":
            return _counted(wvtt.parse_cues(texts), shift_s)
        case "stpp":
            cues = [cue for each in texts for cue in ttml.shown(each.data, each.start_s, each.end_s)]
            return _counted(cues, shift_s)
        case other:
            raise Unsupported(f"subtitles of the kind {other}")


def _counted(cues: Iterable[webvtt.Cue], shift_s: float) -> tuple[webvtt.Cue, ...]:
    """Times as the product has them; what is over before it begins is left out."""
    moved = (replace(cue, start_s=cue.start_s + shift_s, end_s=cue.end_s + shift_s) for cue in cues)
    return webvtt.joined(cue for cue in moved if cue.end_s > max(cue.start_s, 0))
