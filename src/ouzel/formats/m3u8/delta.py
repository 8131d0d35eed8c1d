"""Completing a playlist delta update (draft section 6.2.5.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from ouzel.formats.m3u8.models import InitSegment, Key, MediaPlaylist, Segment


def complete(delta: MediaPlaylist, before: MediaPlaylist) -> MediaPlaylist | None:
    """The whole playlist that a delta update stands for, or None when `before` does not hold what it skips.

    What stays in force (keys, map, bit rate, discontinuities, the wall clock) runs on from the skipped segments into the listed
    ones, since the tags that say it were skipped with them.

    Args:
        delta: as it was read; returned unchanged when it skips nothing.
        before: the playlist before it, itself whole.
    """
    if delta.skip is None:
        return delta
    first, count = delta.media_sequence - before.media_sequence, delta.skip.segments
    skipped = before.segments[first : first + count] if first >= 0 and before.skip is None else ()
    if len(skipped) != count:
        return None
    listed = delta.segments if delta.open_segment is None else (*delta.segments, delta.open_segment)
    if skipped:
        listed = tuple(_carried_on(listed, skipped[-1], delta.discontinuity_sequence))
    open_segment = None if delta.open_segment is None else listed[-1]
    removed = frozenset(delta.skip.removed_date_ranges)
    kept = tuple(_without(each, removed) for each in skipped)
    return replace(delta, segments=(*kept, *listed[: len(delta.segments)]), open_segment=open_segment, skip=None)


def _carried_on(listed: Iterable[Segment], last: Segment, stated: int) -> Iterable[Segment]:
    """`listed` as it reads after `last`; `stated` is the discontinuity sequence from which `listed` was counted."""
    shift = last.discontinuity_sequence - stated
    map_, bitrate = last.map, last.bitrate_bps
    clock, since_s = last.starts_at, last.duration_s
    for each in listed:
        keys = _in_force(last.keys, each.keys)
        if each.map is not None:
            map_ = _with_keys(each.map, map_, last.keys)
        bitrate = bitrate if each.bitrate_bps is None else each.bitrate_bps
        starts_at = each.starts_at
        if each.program_date_time is not None:
            clock = None  # from here on it has been reckoned rightly
        elif clock is not None:
            starts_at = clock + timedelta(seconds=since_s)
        since_s += each.duration_s
        yield each._replace(
            discontinuity_sequence=each.discontinuity_sequence + shift,
            map=map_,
            keys=keys,
            bitrate_bps=bitrate if each.byte_range is None else None,
            starts_at=starts_at,
        )


def _in_force(before: tuple[Key, ...], stated: tuple[Key, ...]) -> tuple[Key, ...]:
    if not stated:
        return before
    if stated[0].method == "NONE":
        return stated
    return tuple(({key.keyformat: key for key in before} | {key.keyformat: key for key in stated}).values())


def _with_keys(init: InitSegment, before: InitSegment | None, keys: tuple[Key, ...]) -> InitSegment:
    """A map that is stated with no key before it is under the keys of the skipped segments."""
    if init.keys or not keys:
        return init
    carried = replace(init, keys=keys)
    return before if before is not None and before == carried else carried


def _without(segment: Segment, removed: frozenset[str]) -> Segment:
    if not segment.date_ranges or not removed:
        return segment
    return segment._replace(date_ranges=tuple(each for each in segment.date_ranges if each.id not in removed))
