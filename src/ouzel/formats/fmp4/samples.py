"""The samples of a track of little data, such as text, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ouzel.base.errors import FormatError
from ouzel.formats.fmp4.boxes import Box, children
from ouzel.formats.fmp4.fragment import RUN_CTS, RUN_DURATION, RUN_SIZE, Run, Traf, parse_moof
from ouzel.formats.fmp4.moov import Init, TrackInit, parse_init


@dataclass(frozen=True, slots=True)
class Sample:
    """Times in seconds, as the track's clock says."""

    start_s: float
    end_s: float
    data: bytes


def init_of(head: bytes) -> Init:
    """Read a whole init segment. Raises: FormatError; Encrypted; Unsupported."""
    found = {each.kind: head[each.start : each.end] for each in children(head, 0, len(head))}
    if b"moov" not in found:
        raise FormatError("an init segment without moov")
    return parse_init(found.get(b"ftyp", b""), found[b"moov"])


def samples(init: Init, pieces: Iterable[bytes]) -> Iterator[Sample]:
    """Of the first track.

    Args:
        pieces: one whole fragment or more each.
    Raises: FormatError; TooLarge.
    """
    track = init.tracks[0]
    for piece in pieces:
        for moof in children(piece, 0, len(piece)):
            if moof.kind == b"moof":
                yield from _of_fragment(init, track, piece, moof)


def _of_fragment(init: Init, track: TrackInit, piece: bytes, moof: Box) -> Iterator[Sample]:
    fragment = parse_moof(piece[moof.start : moof.end], init.trex)
    for traf in fragment.trafs:
        if traf.track == track.track.id:
            yield from _of_track(track, traf, memoryview(piece)[moof.start :])


def _of_track(track: TrackInit, traf: Traf, data: memoryview) -> Iterator[Sample]:
    """Raises: FormatError for a fragment without a time, or whose data are not there."""
    if traf.time is None:
        raise FormatError("a fragment without tfdt")
    ticks, delay_s = traf.time - track.media_time, track.delay_ms / 1000
    for run in traf.runs:
        at = run.position
        if at + run.size > len(data):
            raise FormatError("a fragment is cut short", wanted=at + run.size, size=len(data))
        for duration, size, cts in _fields(run):
            start_s = (ticks + cts) / track.timescale + delay_s
            yield Sample(start_s, start_s + duration / track.timescale, bytes(data[at : at + size]))
            at, ticks = at + size, ticks + duration


def _fields(run: Run) -> Iterator[tuple[int, int, int]]:
    """Duration, size, and by how much it is shown later than it is decoded, of each sample."""
    durations, sizes, shifts = (run.column(flag) for flag in (RUN_DURATION, RUN_SIZE, RUN_CTS))
    for number in range(run.count):
        shift = shifts[number] if shifts is not None else 0
        yield (
            run.defaults.duration if durations is None else durations[number],
            run.defaults.size if sizes is None else sizes[number],
            shift - (1 << 32) if run.version and shift >> 31 else shift,
        )
