"""The tags that say something of segments (draft section 4.4.4), and EXT-X-DATERANGE, which stands among them.

Each function returns False when the tag could not be read; it is then kept as written, like an unknown one. Where reading on
would mean recording something wrong (a key, a map or a byte range that cannot be read) it raises FormatError instead.
"""

from __future__ import annotations

from collections.abc import Callable

from ouzel.formats.m3u8 import attributes
from ouzel.formats.m3u8.media_state import MediaState
from ouzel.formats.m3u8.models import ByteRange, DateRange, InitSegment, Part


def _discontinuity(state: MediaState, _: str) -> bool:
    state.discontinuity_sequence += 1
    state.discontinuity = state.pending = True
    return True


def _gap(state: MediaState, _: str) -> bool:
    state.gap = state.pending = True
    return True


def _byte_range(state: MediaState, value: str) -> bool:
    state.byte_range = attributes.byte_range(value)
    if state.byte_range is None:
        raise state.reading.refuse("EXT-X-BYTERANGE as length[@offset]")
    state.pending = True
    return True


def _key(state: MediaState, value: str) -> bool:
    key = state.reading.key("EXT-X-KEY", value)
    if key.method == "NONE":
        state.keys = (key,)
    else:
        in_force = {each.keyformat: each for each in state.keys}
        in_force[key.keyformat] = key
        state.keys = tuple(in_force.values())
    return True


def _map(state: MediaState, value: str) -> bool:
    found = state.reading.attributes("EXT-X-MAP", value)
    uri = state.reading.address(found)
    span = found.byte_range("BYTERANGE")
    if uri is None or "BYTERANGE" in found.unreadable:
        raise state.reading.refuse("EXT-X-MAP with a URI, and a BYTERANGE as length@offset if any")
    byte_range = None if span is None else ByteRange(span[1] or 0, span[0])
    state.map = InitSegment(uri, byte_range, state.keys, found.rest())
    key = state.map.key
    if key is not None and key.iv is None and key.method == "AES-128":
        state.reading.warn("map_without_iv", "an encrypted EXT-X-MAP whose key has no IV: zero is used")
    return True


def _program_date_time(state: MediaState, value: str) -> bool:
    moment = attributes.date(value)
    if moment is None:
        state.reading.warn("program_date_time", "EXT-X-PROGRAM-DATE-TIME cannot be read and is ignored")
        return False
    state.program_date_time = moment
    state.pending = True
    return True


def _date_range(state: MediaState, value: str) -> bool:
    found = state.reading.attributes("EXT-X-DATERANGE", value)
    id_ = found.string("ID")
    if id_ is None:
        state.reading.warn("date_range", "EXT-X-DATERANGE without ID is ignored")
        return False
    state.date_ranges.append(
        DateRange(
            id_,
            found.string("CLASS"),
            found.date("START-DATE"),
            found.date("END-DATE"),
            found.seconds("DURATION"),
            found.seconds("PLANNED-DURATION"),
            found.string("CUE"),
            found.flag("END-ON-NEXT"),
            found.rest(),
        )
    )
    state.reading.unreadable("EXT-X-DATERANGE", found)
    state.pending = True
    return True


def _bitrate(state: MediaState, value: str) -> bool:
    rate = attributes.integer(value)
    if rate is None or rate < 0:
        state.reading.warn("bitrate", "EXT-X-BITRATE is not a number and is ignored")
        return False
    state.bitrate_bps = rate * 1000
    return True


def _part(state: MediaState, value: str) -> bool:
    found = state.reading.attributes("EXT-X-PART", value)
    uri, duration = state.reading.address(found), found.seconds("DURATION")
    span = found.byte_range("BYTERANGE")
    if uri is None or duration is None or "BYTERANGE" in found.unreadable:
        state.reading.warn("part", "EXT-X-PART without URI and DURATION, or with a bad BYTERANGE, is ignored")
        return False
    byte_range = None if span is None else ByteRange(_part_offset(state, uri, span[1]), span[0])
    independent, gap = found.flag("INDEPENDENT"), found.flag("GAP")
    state.parts.append(Part(uri, duration, independent, byte_range, gap, found.rest()))
    state.pending = True
    return True


def _part_offset(state: MediaState, uri: str, offset: int | None) -> int:
    """Without an offset a part continues the one before it in the same segment."""
    if offset is not None:
        return offset
    before = state.parts[-1] if state.parts else None
    if before is not None and before.uri == uri and before.byte_range is not None:
        return before.byte_range.end
    state.reading.warn("byte_range", "a part's byte range without offset that continues nothing: taken from byte 0")
    return 0


SEGMENT_TAGS: dict[str, Callable[[MediaState, str], bool]] = {
    "#EXT-X-DISCONTINUITY": _discontinuity,
    "#EXT-X-GAP": _gap,
    "#EXT-X-BYTERANGE": _byte_range,
    "#EXT-X-KEY": _key,
    "#EXT-X-MAP": _map,
    "#EXT-X-PROGRAM-DATE-TIME": _program_date_time,
    "#EXT-X-DATERANGE": _date_range,
    "#EXT-X-BITRATE": _bitrate,
    "#EXT-X-PART": _part,
}
