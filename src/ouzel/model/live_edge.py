"""Where in a playlist to begin."""

from __future__ import annotations

from ouzel.formats.m3u8 import MediaPlaylist, Segment
from ouzel.model.alignment import tolerance_s


def start_index(
    playlist: MediaPlaylist, *, from_start: bool = False, beside: Segment | None = None, after: int | None = None
) -> int:
    """Position in `playlist.segments` at which to begin.

    A list that is complete is taken from its first segment. A live one from where EXT-X-START says, else from the last segment
    that begins at least HOLD-BACK, or three target durations, before the end; from the first, if there is not so much.

    Args:
        from_start: the first segment in any case.
        beside: the segment with which another rendition began: the one that was on air then; `len(segments)` if that is still
            to come.
        after: media sequence number of the last segment that a recording has which was broken off: it goes on with the next,
            or with the oldest that is still listed. A number that the list has not reached is another numbering, and ignored.

    Source: draft-pantos-hls-rfc8216bis-20 sections 4.4.2.2, 4.4.3.8 and 6.3.3.
    """
    segments = playlist.segments
    if beside is not None and (at := _beside(playlist, beside)) is not None:
        return at
    if after is not None and segments and segments[0].media_sequence <= after + 1 <= segments[-1].media_sequence + 1:
        return after + 1 - segments[0].media_sequence
    if after is not None and segments and after < segments[0].media_sequence:
        return 0
    if from_start or playlist.end_list or playlist.playlist_type == "VOD" or not segments:
        return 0
    if playlist.start is not None:
        offset_s = playlist.start.offset_s
        return _containing(segments, offset_s if offset_s >= 0 else playlist.duration_s + offset_s)
    control = playlist.server_control
    hold_back_s = control.hold_back_s if control is not None else None
    before_end_s = hold_back_s if hold_back_s is not None else 3 * playlist.target_duration_s
    for at in range(len(segments) - 1, -1, -1):
        before_end_s -= segments[at].duration_s
        if before_end_s <= 1e-6:
            return at
    return 0


def _containing(segments: tuple[Segment, ...], offset_s: float) -> int:
    """The segment in which an offset from the beginning lies; the first or the last when it lies outside."""
    for at, segment in enumerate(segments):
        offset_s -= segment.duration_s
        if offset_s < 0:
            return at
    return max(0, len(segments) - 1)


def _beside(playlist: MediaPlaylist, other: Segment) -> int | None:
    """Where the other rendition's segment is in this list, by the wall clock, else by number; None when it is not known."""
    segments = playlist.segments
    if other.starts_at is not None and segments and segments[0].starts_at is not None:
        for at, segment in enumerate(segments):
            if segment.starts_at is None:
                continue
            begins_s = (segment.starts_at - other.starts_at).total_seconds()
            if begins_s + segment.duration_s > min(tolerance_s(playlist), segment.duration_s / 2):
                return at
        return len(segments)
    for at, segment in enumerate(segments):
        if segment.media_sequence == other.media_sequence:
            return at
    return None
