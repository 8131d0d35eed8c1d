"""Where the reader of a media playlist stands: what the header said, what is in force, what waits for the next segment."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ouzel.formats.m3u8.models import (
    ByteRange,
    DateRange,
    InitSegment,
    Key,
    Part,
    PlaylistType,
    PreloadHint,
    RenditionReport,
    Segment,
    ServerControl,
    Skip,
)
from ouzel.formats.m3u8.reading import Reading


@dataclass(slots=True)
class MediaState:
    """Changed by the tags of `media_header` and `media_segment`, turned into segments by `MediaReader`."""

    reading: Reading
    segments: list[Segment] = field(default_factory=list[Segment])

    # what the header says
    target_s: float | None = None
    media_sequence: int = 0
    """Of the first listed segment: EXT-X-MEDIA-SEQUENCE and what was skipped."""
    late_sequence: bool = False
    """EXT-X-MEDIA-SEQUENCE came after segments had been numbered."""
    stated_discontinuity: int = 0
    """EXT-X-DISCONTINUITY-SEQUENCE."""
    end_list: bool = False
    playlist_type: PlaylistType | None = None
    i_frames_only: bool = False
    server_control: ServerControl | None = None
    part_target_s: float | None = None
    skip: Skip | None = None
    hints: list[PreloadHint] = field(default_factory=list[PreloadHint])
    reports: list[RenditionReport] = field(default_factory=list[RenditionReport])
    top_tags: list[str] = field(default_factory=list[str])

    # what stays in force
    keys: tuple[Key, ...] = ()
    map: InitSegment | None = None
    bitrate_bps: int | None = None
    discontinuity_sequence: int = 0
    """Of the next segment."""
    anchor: datetime | None = None
    """The last program date-time …"""
    since_anchor_s: float = 0.0
    """… and the durations since."""

    # what belongs to the next segment only
    duration_s: float | None = None
    title: str = ""
    pending: bool = False
    """Something of what follows was said."""
    discontinuity: bool = False
    gap: bool = False
    byte_range: tuple[int, int | None] | None = None
    """Length and, if given, offset."""
    program_date_time: datetime | None = None
    parts: list[Part] = field(default_factory=list[Part])
    date_ranges: list[DateRange] = field(default_factory=list[DateRange])
    tags: list[str] = field(default_factory=list[str])

    def fork(self) -> MediaState:
        """A copy that goes its own way."""
        twin = copy(self)
        twin.reading = self.reading.fork()
        twin.segments = self.segments.copy()
        twin.hints, twin.reports, twin.top_tags = self.hints.copy(), self.reports.copy(), self.top_tags.copy()
        twin.parts, twin.date_ranges, twin.tags = self.parts.copy(), self.date_ranges.copy(), self.tags.copy()
        return twin

    def take(self, uri: str, duration_s: float, byte_range: ByteRange | None) -> Segment:
        """The next segment, with all that waited for it."""
        if self.program_date_time is not None:
            self.anchor, self.since_anchor_s = self.program_date_time, 0.0
        segment = Segment(
            uri,
            duration_s,
            self.media_sequence + len(self.segments),
            self.discontinuity_sequence,
            self.title,
            self.map,
            self.keys,
            self.bitrate_bps if byte_range is None else None,
            None if self.anchor is None else self.on_air(duration_s),
            self.discontinuity,
            self.gap,
            byte_range,
            self.program_date_time,
            tuple(self.parts),
            tuple(self.date_ranges),
            tuple(self.tags),
        )
        self.duration_s, self.title, self.pending = None, "", False
        self.discontinuity = self.gap = False
        self.byte_range = self.program_date_time = None
        self.parts, self.date_ranges, self.tags = [], [], []
        return segment

    def on_air(self, duration_s: float) -> datetime | None:
        """When the segment in hand begins, reckoned from the last program date-time; moves on by its duration."""
        assert self.anchor is not None
        try:
            moment = self.anchor + timedelta(seconds=self.since_anchor_s)
        except OverflowError:  # year 10,000
            return None
        self.since_anchor_s += duration_s
        return moment
