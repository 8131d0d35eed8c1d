"""The tags that say something of a media playlist as a whole (draft sections 4.4.3 and 4.4.5).

Each function returns False when the tag could not be read; it is then kept as written, like an unknown one.
"""

from __future__ import annotations

from collections.abc import Callable

from ouzel.formats.m3u8 import attributes
from ouzel.formats.m3u8.media_state import MediaState
from ouzel.formats.m3u8.models import PreloadHint, RenditionReport, ServerControl, Skip


def _target_duration(state: MediaState, value: str) -> bool:
    state.reading.once("EXT-X-TARGETDURATION")
    target = attributes.seconds(value)
    if not target:
        state.reading.warn("target_duration", "EXT-X-TARGETDURATION is not a positive number and is ignored")
        return False
    state.target_s = target
    return True


def _media_sequence(state: MediaState, value: str) -> bool:
    state.reading.once("EXT-X-MEDIA-SEQUENCE")
    number = attributes.integer(value)
    if number is None:
        state.reading.warn("media_sequence", "EXT-X-MEDIA-SEQUENCE is not a number and is ignored")
        return False
    if number < 0:
        state.reading.warn("media_sequence", "EXT-X-MEDIA-SEQUENCE is negative")
    if state.segments:
        state.reading.warn("media_sequence", "EXT-X-MEDIA-SEQUENCE stands after a segment; it counts for all of them")
        state.late_sequence = True
    state.media_sequence = number + (state.skip.segments if state.skip else 0)
    return True


def _discontinuity_sequence(state: MediaState, value: str) -> bool:
    state.reading.once("EXT-X-DISCONTINUITY-SEQUENCE")
    number = attributes.integer(value)
    if number is None or number < 0:
        state.reading.warn("discontinuity_sequence", "EXT-X-DISCONTINUITY-SEQUENCE is not a number and is ignored")
        return False
    if state.segments or state.discontinuity:
        state.reading.warn("discontinuity_sequence", "EXT-X-DISCONTINUITY-SEQUENCE stands too late and is ignored")
        return False
    state.stated_discontinuity = state.discontinuity_sequence = number
    return True


def _playlist_type(state: MediaState, value: str) -> bool:
    state.reading.once("EXT-X-PLAYLIST-TYPE")
    match value.upper():
        case "EVENT" | "VOD" as type_:
            state.playlist_type = type_
            return True
        case _:
            state.reading.warn("playlist_type", "EXT-X-PLAYLIST-TYPE is neither EVENT nor VOD and is ignored")
            return False


def _end_list(state: MediaState, _: str) -> bool:
    state.end_list = True
    return True


def _i_frames_only(state: MediaState, _: str) -> bool:
    state.i_frames_only = True
    return True


def _part_inf(state: MediaState, value: str) -> bool:
    found = state.reading.attributes("EXT-X-PART-INF", value)
    target = found.seconds("PART-TARGET")
    if not target:
        state.reading.warn("part_inf", "EXT-X-PART-INF without a readable PART-TARGET is ignored")
        return False
    state.part_target_s = target
    return True


def _server_control(state: MediaState, value: str) -> bool:
    found = state.reading.attributes("EXT-X-SERVER-CONTROL", value)
    state.server_control = ServerControl(
        found.seconds("CAN-SKIP-UNTIL"),
        found.flag("CAN-SKIP-DATERANGES"),
        found.seconds("HOLD-BACK"),
        found.seconds("PART-HOLD-BACK"),
        found.flag("CAN-BLOCK-RELOAD"),
        found.rest(),
    )
    state.reading.unreadable("EXT-X-SERVER-CONTROL", found)
    return True


def _skip(state: MediaState, value: str) -> bool:
    """Raises: FormatError when it cannot be read or stands too late: every number after it would be wrong."""
    found = state.reading.attributes("EXT-X-SKIP", value)
    count = found.integer("SKIPPED-SEGMENTS")
    if count is None:
        raise state.reading.refuse("EXT-X-SKIP with SKIPPED-SEGMENTS")
    if state.segments or state.skip is not None:
        raise state.reading.refuse("EXT-X-SKIP only once, and before the first segment")
    removed = (found.string("RECENTLY-REMOVED-DATERANGES") or "").split("\t")
    state.skip = Skip(count, tuple(each for each in removed if each), found.rest())
    state.media_sequence += count
    return True


def _preload_hint(state: MediaState, value: str) -> bool:
    found = state.reading.attributes("EXT-X-PRELOAD-HINT", value)
    type_, uri = found.word("TYPE"), state.reading.address(found)
    if not type_ or uri is None:
        state.reading.warn("preload_hint", "EXT-X-PRELOAD-HINT without TYPE or URI is ignored")
        return False
    offset, length = found.integer("BYTERANGE-START"), found.integer("BYTERANGE-LENGTH")
    state.reading.unreadable("EXT-X-PRELOAD-HINT", found)
    state.hints.append(PreloadHint(type_, uri, offset or 0, length, found.rest()))
    return True


def _rendition_report(state: MediaState, value: str) -> bool:
    found = state.reading.attributes("EXT-X-RENDITION-REPORT", value)
    uri = state.reading.address(found)
    if uri is None:
        state.reading.warn("rendition_report", "EXT-X-RENDITION-REPORT without URI is ignored")
        return False
    state.reports.append(RenditionReport(uri, found.integer("LAST-MSN"), found.integer("LAST-PART"), found.rest()))
    state.reading.unreadable("EXT-X-RENDITION-REPORT", found)
    return True


HEADER_TAGS: dict[str, Callable[[MediaState, str], bool]] = {
    "#EXT-X-TARGETDURATION": _target_duration,
    "#EXT-X-MEDIA-SEQUENCE": _media_sequence,
    "#EXT-X-DISCONTINUITY-SEQUENCE": _discontinuity_sequence,
    "#EXT-X-PLAYLIST-TYPE": _playlist_type,
    "#EXT-X-ENDLIST": _end_list,
    "#EXT-X-I-FRAMES-ONLY": _i_frames_only,
    "#EXT-X-PART-INF": _part_inf,
    "#EXT-X-SERVER-CONTROL": _server_control,
    "#EXT-X-SKIP": _skip,
    "#EXT-X-PRELOAD-HINT": _preload_hint,
    "#EXT-X-RENDITION-REPORT": _rendition_report,
}
