"""Reading a media playlist, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from datetime import timedelta

from ouzel.base.errors import NotMedia, TooLarge
from ouzel.formats.m3u8.attributes import MAX_SECONDS
from ouzel.formats.m3u8.media_header import HEADER_TAGS
from ouzel.formats.m3u8.media_segment import SEGMENT_TAGS
from ouzel.formats.m3u8.media_state import MediaState
from ouzel.formats.m3u8.models import ByteRange, MediaPlaylist, Segment
from ouzel.formats.m3u8.reading import Reading

FALLBACK_TARGET_S = 6.0
"""Target duration of a playlist that neither declares one nor lists anything: what Apple recommends to servers."""

MASTER_TAGS = frozenset(
    {
        "#EXT-X-STREAM-INF",
        "#EXT-X-I-FRAME-STREAM-INF",
        "#EXT-X-MEDIA",
        "#EXT-X-SESSION-DATA",
        "#EXT-X-SESSION-KEY",
        "#EXT-X-CONTENT-STEERING",
    }
)
CUE_TAGS = frozenset(
    {
        "#EXT-X-CUE",
        "#EXT-X-CUE-OUT",
        "#EXT-X-CUE-OUT-CONT",
        "#EXT-X-CUE-IN",
        "#EXT-X-CUE-SPAN",
        "#EXT-X-SCTE35",
        "#EXT-OATCLS-SCTE35",
        "#EXT-X-SPLICEPOINT-SCTE35",
        "#EXT-X-ASSET",
    }
)
"""Tags outside the draft that belong to the next segment even when they stand at the very top."""

_TAGS = HEADER_TAGS | SEGMENT_TAGS


class IsMaster(Exception):
    """Not an error: a tag of a master playlist turned up, and there are no segments. Start again with the other reader."""


class MediaReader:
    """Takes lines and builds segments.

    Args:
        reading: of this playlist.
        has_segments: tells whether an EXTINF stands anywhere in it, which decides what a tag of the other kind means.
    """

    __slots__ = ("_has_segments", "_reading", "_state")

    def __init__(self, reading: Reading, *, has_segments: Callable[[], bool]) -> None:
        self._reading = reading
        self._has_segments = has_segments
        self._state = MediaState(reading)

    def fork(self) -> MediaReader:
        """A reader that stands where this one stands and goes its own way."""
        twin = copy(self)
        twin._state = self._state.fork()
        twin._reading = twin._state.reading
        return twin

    def resume(self, reading: Reading) -> None:
        """The text has grown: `reading` is what is known of it before any line of it is read."""
        self._reading.substituting, self._reading.at_start = reading.substituting, reading.at_start

    def feed(self, lines: Iterable[str]) -> None:
        """Take whole lines, without their ends.

        Raises: FormatError, TooLarge; IsMaster when this is not a media playlist.
        """
        reading, state = self._reading, self._state
        segments, limit = state.segments, reading.limits.segments
        for line in lines:
            reading.line += 1
            line = line.strip()
            if line.startswith("#EXTINF:"):
                self._extinf(line)
            elif not line:
                continue
            elif line[0] != "#":
                duration = state.duration_s
                if duration is None or state.pending:
                    self._full_segment(line)
                else:  # nothing but a duration and an address: most segments of most playlists
                    segments.append(
                        Segment(
                            reading.join(line),
                            duration,
                            state.media_sequence + len(segments),
                            state.discontinuity_sequence,
                            state.title,
                            state.map,
                            state.keys,
                            state.bitrate_bps,
                            None if state.anchor is None else state.on_air(duration),
                        )
                    )
                    state.duration_s, state.title = None, ""
                if len(segments) > limit:
                    raise TooLarge(f"line {reading.line}: more than {limit} segments", limit=limit)
            elif line.startswith("#EXT"):
                self._tag(line)

    def _extinf(self, line: str) -> None:
        state = self._state
        seconds, _, title = line[8:].partition(",")
        try:
            duration = float(seconds)
        except ValueError:
            duration, title = -1.0, line[8:]  # kept whole, so that nothing is lost
        if not 0.0 <= duration < MAX_SECONDS:  # also when it is not a number
            self._reading.warn("duration", "EXTINF without a usable duration: the target duration stands in")
            duration = state.target_s or 0.0
        if state.duration_s is not None:
            self._reading.warn("extinf_without_uri", "the EXTINF before this one has no segment")
        state.duration_s = duration
        state.title = title.strip() if title else ""

    def _full_segment(self, line: str) -> None:
        """A segment with more than a duration, or without one."""
        state = self._state
        if state.duration_s is None:
            self._reading.warn("missing_extinf", "a segment without EXTINF: the target duration stands in")
            state.duration_s = state.target_s or 0.0
        uri = self._reading.join(line)
        state.segments.append(state.take(uri, state.duration_s, self._range(uri)))

    def _range(self, uri: str) -> ByteRange | None:
        """The sub-range of the segment in hand. Without an offset it continues the segment before, if of the same resource.

        If not, the draft wants a client to fail (section 4.4.4.2). It is taken from byte 0, with a warning: servers that
        leave the offset out mean the beginning of a resource that was not read before.
        """
        if self._state.byte_range is None:
            return None
        length, offset = self._state.byte_range
        if offset is None:
            before = self._state.segments[-1] if self._state.segments else None
            if before is not None and before.uri == uri and before.byte_range is not None:
                offset = before.byte_range.end
            else:
                self._reading.warn(
                    "byte_range", "a byte range without offset that continues nothing: taken from byte 0"
                )
        return ByteRange(offset or 0, length)

    def _tag(self, line: str) -> None:
        state = self._state
        name, _, value = line.partition(":")
        read = _TAGS.get(name)
        if read is not None:
            if read(state, value.strip()):
                return
        elif self._reading.header(name, value.strip()):
            return
        elif name in MASTER_TAGS:
            self._master_tag(name)
        if name in CUE_TAGS or state.segments or state.pending or state.duration_s is not None:
            state.tags.append(line)
            state.pending = True
        else:
            state.top_tags.append(line)

    def _master_tag(self, name: str) -> None:
        """The draft wants a client to fail at any mixture (section 4.4.6); only one that leaves no sense is refused."""
        if not self._has_segments():
            raise IsMaster
        if name == "#EXT-X-STREAM-INF":
            raise self._reading.refuse("either segments or variants, not both")
        self._reading.warn("master_tag", f"{name[1:]} has no place in a media playlist")

    def finish(self) -> MediaPlaylist:
        """The playlist, once all lines were fed.

        Raises: NotMedia for a list of channels or of other addresses; IsMaster when no segment came after all.
        """
        reading, state = self._reading, self._state
        segments, open_segment = state.segments, self._open_segment()
        if not segments and (open_segment is None or not (open_segment.duration_s or open_segment.title)):
            for tag in (*state.top_tags, *(open_segment.tags if open_segment else ())):
                if tag.partition(":")[0] in MASTER_TAGS:
                    raise IsMaster
        if state.target_s is None and segments and not any(each.duration_s for each in segments):
            raise NotMedia("a list of channels or other addresses (M3U), not an HLS playlist", entries=len(segments))
        if state.late_sequence:
            segments = [each._replace(media_sequence=state.media_sequence + at) for at, each in enumerate(segments)]
        return MediaPlaylist(
            url=reading.url,
            target_duration_s=self._target(),
            segments=tuple(segments if state.anchor is None else _dated_backwards(segments)),
            media_sequence=state.media_sequence - (state.skip.segments if state.skip else 0),
            discontinuity_sequence=state.stated_discontinuity,
            end_list=state.end_list,
            playlist_type=state.playlist_type,
            version=reading.version,
            independent_segments=reading.independent_segments,
            i_frames_only=state.i_frames_only,
            start=reading.start,
            server_control=state.server_control,
            part_target_s=state.part_target_s,
            skip=state.skip,
            open_segment=open_segment,
            preload_hints=tuple(state.hints),
            rendition_reports=tuple(state.reports),
            variables=tuple(reading.variables.defined.items()),
            tags=tuple(state.top_tags),
            warnings=reading.warnings(),
        )

    def _target(self) -> float:
        if self._state.target_s is not None:
            return self._state.target_s
        self._reading.warn("no_target_duration", "EXT-X-TARGETDURATION is missing", line=0)
        return max((each.duration_s for each in self._state.segments), default=0.0) or FALLBACK_TARGET_S

    def _open_segment(self) -> Segment | None:
        """What was said since the last segment, if anything."""
        state = self._state
        last = state.segments[-1] if state.segments else None
        in_force = (last.keys, last.map) if last is not None else ((), None)
        told = state.pending or state.duration_s or state.title or in_force != (state.keys, state.map)
        if not told:
            return None
        span = state.byte_range
        byte_range = None if span is None else ByteRange(span[1] or 0, span[0])
        return state.take("", state.duration_s or 0.0, byte_range)


def _dated_backwards(segments: list[Segment]) -> list[Segment]:
    """Segments before the first program date-time get theirs by going back from it (draft section 6.3.3)."""
    first = next((at for at, each in enumerate(segments) if each.starts_at is not None), 0)
    if not first:
        return segments
    anchor, behind_s = segments[first].starts_at, 0.0
    assert anchor is not None
    dated = segments.copy()
    for at in range(first - 1, -1, -1):
        behind_s += segments[at].duration_s
        try:
            dated[at] = segments[at]._replace(starts_at=anchor - timedelta(seconds=behind_s))
        except OverflowError:  # before year 1
            break
    return dated
