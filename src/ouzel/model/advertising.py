"""Segments that a platform has put in the place of the show. Pure.

Twitch stitches advertisements into the playlist of each viewer, and the show goes on behind them. It says so twice: by an
EXT-X-DATERANGE of the class `twitch-stitched-ad` (or with an id `stitched-ad-…`) around their program date-times, and by the
title `Amazon` or `Amazon|…` of each. Nothing else counts as an advertisement: what a stream does not call one is recorded.

Source: https://github.com/streamlink/streamlink/issues/2357 and 4106, https://github.com/dbvideostriketeam/wubloader/pull/182
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from ouzel.formats.m3u8 import DateRange, MediaPlaylist, Segment

_CLASS, _ID, _TITLE = "twitch-stitched-ad", "stitched-ad-", "Amazon"
_OF_TWITCH = "#EXT-X-TWITCH-"


def advertising(playlist: MediaPlaylist) -> Callable[[Segment], bool]:
    """What tells of a segment of this playlist whether it is one."""
    ranges = playlist.date_ranges
    spans = [span for each in ranges if _is_stitched(each) and (span := _span(each)) is not None]
    if not spans and not _speaks_twitch(playlist, ranges):
        return _is_none

    def is_one(segment: Segment) -> bool:
        if segment.title.partition("|")[0].strip() == _TITLE:
            return True
        if segment.starts_at is None:
            return False
        middle = segment.starts_at + timedelta(seconds=segment.duration_s / 2)  # both ends are rounded
        return any(start <= middle < end for start, end in spans)

    return is_one


def _is_stitched(each: DateRange) -> bool:
    return each.class_ == _CLASS or each.id.startswith(_ID)


def _span(each: DateRange) -> tuple[datetime, datetime] | None:
    """None where it does not tell when it begins or ends."""
    length_s = each.duration_s if each.duration_s is not None else each.planned_duration_s
    if each.start is None or (each.end is None and length_s is None):
        return None
    return each.start, each.end or each.start + timedelta(seconds=length_s or 0.0)


def _speaks_twitch(playlist: MediaPlaylist, ranges: tuple[DateRange, ...]) -> bool:
    first = playlist.segments[0].tags if playlist.segments else ()
    return any(tag.startswith(_OF_TWITCH) for tag in (*playlist.tags, *first)) or any(
        (each.class_ or "").startswith("twitch-") for each in ranges
    )


def _is_none(_segment: Segment) -> bool:
    return False
