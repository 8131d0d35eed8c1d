"""Giving a fragment its place in the file, and what a Span tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ouzel.formats.fmp4.fragment import Fragment, Traf
from ouzel.formats.fmp4.moov import TrackInit
from ouzel.formats.fmp4.timeline import Timeline


@dataclass(slots=True)
class Placed:
    """A fragment's place. Of the leading track, unless said otherwise."""

    times: list[int] = field(default_factory=list[int])
    """Decode time of the first sample of each part that is left, in its track's ticks. Empty: nothing is left."""
    frames: int = 0
    is_sync: bool = False
    """Its first sample is a key frame (sound: always)."""
    shown_s: float = 0.0
    """Presentation time of its first sample in the file."""
    source_s: float | None = None
    """The source's time stamp of the first sample, of whichever track."""
    end_s: float | None = None
    beside_s: dict[int, float] = field(default_factory=dict[int, float])
    """Length of the parts of the other tracks, by the file's ids."""


def place_fragment(
    fragment: Fragment,
    timeline: Timeline,
    tracks: Mapping[int, TrackInit],
    ids: Mapping[int, int],
    *,
    leading: int | None,
    leads: bool,
) -> Placed:
    """Place each track's part; what begins too early is trimmed, and parts of which nothing is left are taken out.

    Args:
        tracks: of the source, by its ids.
        ids: the file's ids for them.
        leading: the file's id of the track that the Span is about.
        leads: this input sets the offset after a break.
    """
    firsts: dict[int, int] = {}
    for traf in fragment.trafs:
        firsts.setdefault(ids[traf.track], _raw(traf, timeline, ids))
    if firsts:
        timeline.arrange(firsts, leads=leads)
    placed = Placed()
    kept: list[Traf] = []
    for traf in fragment.trafs:
        track, init = ids[traf.track], tracks[traf.track]
        raw = _raw(traf, timeline, ids)
        raw_end, last = raw + traf.duration, traf.runs[-1].last_duration
        placement = timeline.place(track, raw, trimmable=init.track.kind != "video")
        start = placement.start + (traf.trim(placement.surplus) if placement.surplus else 0)
        if not traf.runs:
            timeline.skip(track, raw_end)
            continue
        end = start + traf.duration
        timeline.advance(track, raw_end, start, end, last)
        kept.append(traf)
        placed.times.append(start)
        if placed.source_s is None:
            placed.source_s = raw / init.timescale
        if track == leading:
            _tell(placed, traf, init, start, end)
        else:
            placed.beside_s[track] = placed.beside_s.get(track, 0.0) + (end - start) / init.timescale
    fragment.trafs[:] = kept
    return placed


def _raw(traf: Traf, timeline: Timeline, ids: Mapping[int, int]) -> int:
    return timeline.expected(ids[traf.track]) if traf.time is None else traf.time


def _tell(placed: Placed, traf: Traf, init: TrackInit, start: int, end: int) -> None:
    first = traf.runs[0]
    if not placed.frames:
        placed.is_sync = first.first_is_sync or init.track.kind != "video"
        shown = max(0, start + first.first_cts - init.media_time)
        placed.shown_s = shown / init.timescale + init.delay_ms / 1000
    placed.frames += traf.samples
    placed.end_s = end / init.timescale
