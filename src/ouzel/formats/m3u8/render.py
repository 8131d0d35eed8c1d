"""Playlist in, text out: `parse(render(playlist), base_url=playlist.url)` gives the same playlist, warnings aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ouzel.formats.m3u8.models import (
    IDENTITY,
    ByteRange,
    DateRange,
    Extra,
    InitSegment,
    Key,
    MasterPlaylist,
    MediaPlaylist,
    Part,
    Playlist,
    Rendition,
    Segment,
    Start,
    Variant,
)


def render(playlist: Playlist) -> str:
    """The playlist as text with `\\n` line ends.

    Addresses are written as they are in the playlist, so absolute where `parse` made them so; variables are written with their
    values, so that the text stands alone. It is as correct as the playlist: nothing is added that the draft would require.
    """
    lines = _master(playlist) if isinstance(playlist, MasterPlaylist) else _media(playlist)
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1 << 53 else repr(value)


def _quoted(value: str) -> str:
    return f'"{value}"'


def _date(moment: datetime) -> str:
    spec = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


def _span(span: ByteRange) -> str:
    return f"{span.length}@{span.offset}"


def _list(tag: str, pairs: Iterable[tuple[str, str | None]], extra: Extra) -> str:
    return f"{tag}:" + ",".join(f"{name}={value}" for name, value in (*pairs, *extra) if value is not None)


def _text(value: str | None) -> str | None:
    return None if value is None else _quoted(value)


def _word(value: str | None) -> str | None:
    """An enumerated string: bare, unless it holds what no such string should."""
    return _quoted(value) if value is not None and ("," in value or " " in value) else value


def _decimal(value: float | None) -> str | None:
    return None if value is None else _number(value)


def _yes(value: bool) -> str | None:
    return "YES" if value else None


def _header(version: int | None, variables: Extra, *, independent: bool, start: Start | None) -> Iterator[str]:
    yield "#EXTM3U"
    if version is not None:
        yield f"#EXT-X-VERSION:{version}"
    for name, value in variables:
        yield f'#EXT-X-DEFINE:NAME="{name}",VALUE="{value}"'
    if independent:
        yield "#EXT-X-INDEPENDENT-SEGMENTS"
    if start is not None:
        pairs = (("TIME-OFFSET", _number(start.offset_s)), ("PRECISE", _yes(start.precise)))
        yield _list("#EXT-X-START", pairs, start.extra)


# ----------------------------------------------------------------------------------------------------- master


def _master(playlist: MasterPlaylist) -> Iterator[str]:
    yield from _header(
        playlist.version, playlist.variables, independent=playlist.independent_segments, start=playlist.start
    )
    for key in playlist.session_keys:
        yield _key("#EXT-X-SESSION-KEY", key)
    for data in playlist.session_data:
        pairs = (("VALUE", data.value), ("URI", data.uri), ("LANGUAGE", data.language))
        texts = ((name, _text(value)) for name, value in (("DATA-ID", data.data_id), *pairs))
        yield _list("#EXT-X-SESSION-DATA", texts, data.extra)
    if playlist.content_steering is not None:
        steering = playlist.content_steering
        texts = (("SERVER-URI", _quoted(steering.server_uri)), ("PATHWAY-ID", _text(steering.pathway_id)))
        yield _list("#EXT-X-CONTENT-STEERING", texts, steering.extra)
    for rendition in playlist.renditions:
        yield _rendition(rendition)
    for variant in playlist.variants:
        yield _variant("#EXT-X-STREAM-INF", variant)
        yield variant.uri
    for variant in playlist.i_frame_variants:
        yield _variant("#EXT-X-I-FRAME-STREAM-INF", variant)
    yield from playlist.tags  # last: a tag of the other kind may be among them, and the first one decides what this is


def _variant(tag: str, variant: Variant) -> str:
    size = variant.resolution
    captions = variant.closed_captions
    average = variant.average_bandwidth_bps
    pairs = (
        ("URI", _quoted(variant.uri) if variant.i_frames_only else None),
        ("BANDWIDTH", str(variant.bandwidth_bps) if variant.bandwidth_bps else None),
        ("AVERAGE-BANDWIDTH", None if average is None else str(average)),
        ("CODECS", _text(variant.codecs)),
        ("RESOLUTION", None if size is None else f"{size.width}x{size.height}"),
        ("FRAME-RATE", _decimal(variant.frame_rate)),
        ("AUDIO", _text(variant.audio)),
        ("VIDEO", _text(variant.video)),
        ("SUBTITLES", _text(variant.subtitles)),
        ("CLOSED-CAPTIONS", captions if captions == "NONE" else _text(captions)),
        ("NAME", _text(variant.name)),
        ("SCORE", _decimal(variant.score)),
        ("SUPPLEMENTAL-CODECS", _text(variant.supplemental_codecs)),
        ("VIDEO-RANGE", _word(variant.video_range)),
        ("HDCP-LEVEL", _word(variant.hdcp_level)),
        ("STABLE-VARIANT-ID", _text(variant.stable_variant_id)),
        ("PATHWAY-ID", _text(variant.pathway_id)),
    )
    return _list(tag, pairs, variant.extra)


def _rendition(rendition: Rendition) -> str:
    pairs = (
        ("TYPE", rendition.type),
        ("GROUP-ID", _quoted(rendition.group_id)),
        ("NAME", _quoted(rendition.name)),
        ("URI", _text(rendition.uri)),
        ("LANGUAGE", _text(rendition.language)),
        ("ASSOC-LANGUAGE", _text(rendition.assoc_language)),
        ("DEFAULT", _yes(rendition.default)),
        ("AUTOSELECT", _yes(rendition.autoselect)),
        ("FORCED", _yes(rendition.forced)),
        ("INSTREAM-ID", _text(rendition.instream_id)),
        ("CHARACTERISTICS", _text(rendition.characteristics)),
        ("CHANNELS", _text(rendition.channels)),
        ("STABLE-RENDITION-ID", _text(rendition.stable_rendition_id)),
    )
    return _list("#EXT-X-MEDIA", pairs, rendition.extra)


# ------------------------------------------------------------------------------------------------------ media


def _media(playlist: MediaPlaylist) -> Iterator[str]:
    yield from _header(
        playlist.version, playlist.variables, independent=playlist.independent_segments, start=playlist.start
    )
    yield f"#EXT-X-TARGETDURATION:{_number(playlist.target_duration_s)}"
    if playlist.media_sequence:
        yield f"#EXT-X-MEDIA-SEQUENCE:{playlist.media_sequence}"
    if playlist.discontinuity_sequence:
        yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{playlist.discontinuity_sequence}"
    if playlist.playlist_type is not None:
        yield f"#EXT-X-PLAYLIST-TYPE:{playlist.playlist_type}"
    if playlist.i_frames_only:
        yield "#EXT-X-I-FRAMES-ONLY"
    if playlist.server_control is not None:
        control = playlist.server_control
        pairs = (
            ("CAN-SKIP-UNTIL", _decimal(control.can_skip_until_s)),
            ("CAN-SKIP-DATERANGES", _yes(control.can_skip_date_ranges)),
            ("HOLD-BACK", _decimal(control.hold_back_s)),
            ("PART-HOLD-BACK", _decimal(control.part_hold_back_s)),
            ("CAN-BLOCK-RELOAD", _yes(control.can_block_reload)),
        )
        yield _list("#EXT-X-SERVER-CONTROL", pairs, control.extra)
    if playlist.part_target_s is not None:
        yield f"#EXT-X-PART-INF:PART-TARGET={_number(playlist.part_target_s)}"
    yield from playlist.tags
    if playlist.skip is not None:
        removed = _quoted("\t".join(playlist.skip.removed_date_ranges)) if playlist.skip.removed_date_ranges else None
        pairs = (("SKIPPED-SEGMENTS", str(playlist.skip.segments)), ("RECENTLY-REMOVED-DATERANGES", removed))
        yield _list("#EXT-X-SKIP", pairs, playlist.skip.extra)
    writer = _SegmentWriter(playlist.discontinuity_sequence)
    for segment in playlist.segments:
        yield from writer.segment(segment)
        yield segment.uri
    if playlist.open_segment is not None:
        first = not playlist.segments
        yield from writer.segment(playlist.open_segment, extinf=first and bool(playlist.open_segment.tags))
    yield from _tail(playlist)


def _tail(playlist: MediaPlaylist) -> Iterator[str]:
    for hint in playlist.preload_hints:
        pairs = (
            ("TYPE", _word(hint.type)),
            ("URI", _quoted(hint.uri)),
            ("BYTERANGE-START", str(hint.offset) if hint.offset else None),
            ("BYTERANGE-LENGTH", None if hint.length is None else str(hint.length)),
        )
        yield _list("#EXT-X-PRELOAD-HINT", pairs, hint.extra)
    for report in playlist.rendition_reports:
        pairs = (
            ("URI", _quoted(report.uri)),
            ("LAST-MSN", None if report.last_msn is None else str(report.last_msn)),
            ("LAST-PART", None if report.last_part is None else str(report.last_part)),
        )
        yield _list("#EXT-X-RENDITION-REPORT", pairs, report.extra)
    if playlist.end_list:
        yield "#EXT-X-ENDLIST"


class _SegmentWriter:
    """Writes the tags of one segment after the other, those that stay in force only where they change."""

    def __init__(self, discontinuity_sequence: int) -> None:
        self._discontinuity = discontinuity_sequence
        self._keys: tuple[Key, ...] = ()
        self._map: InitSegment | None = None
        self._bitrate: int | None = None

    def segment(self, segment: Segment, *, extinf: bool = True) -> Iterator[str]:
        if segment.discontinuity:  # more than one tag may have stood here, and each counts
            for _ in range(max(1, segment.discontinuity_sequence - self._discontinuity)):
                yield "#EXT-X-DISCONTINUITY"
        self._discontinuity = segment.discontinuity_sequence
        if segment.map is not None and segment.map != self._map:
            yield from self._change_keys(segment.map.keys)
            yield _map(segment.map)
            self._map = segment.map
        yield from self._change_keys(segment.keys)
        if segment.bitrate_bps is not None and segment.bitrate_bps != self._bitrate:
            yield f"#EXT-X-BITRATE:{segment.bitrate_bps // 1000}"
            self._bitrate = segment.bitrate_bps
        if segment.program_date_time is not None:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{_date(segment.program_date_time)}"
        for each in segment.date_ranges:
            yield _date_range(each)
        for part in segment.parts:
            yield _part(part)
        if segment.gap:
            yield "#EXT-X-GAP"
        if segment.byte_range is not None:
            yield f"#EXT-X-BYTERANGE:{_span(segment.byte_range)}"
        if extinf or segment.duration_s or segment.title:
            yield f"#EXTINF:{_number(segment.duration_s)},{segment.title}"
        yield from segment.tags  # last, so that they cannot be taken for tags of the header

    def _change_keys(self, keys: tuple[Key, ...]) -> Iterator[str]:
        if keys == self._keys:
            return
        in_force = list(self._keys)
        formats = [key.keyformat for key in in_force]
        if formats != [key.keyformat for key in keys][: len(formats)]:
            yield "#EXT-X-KEY:METHOD=NONE"  # a key leaves force only so, and all of them do
            in_force = []
        for at, key in enumerate(keys):
            if at < len(in_force) and key == in_force[at]:
                continue
            yield _key("#EXT-X-KEY", key)
            if key.method == "NONE":
                in_force = []
        self._keys = keys


def _key(tag: str, key: Key) -> str:
    if key.method == "NONE":
        return f"{tag}:METHOD=NONE"
    pairs = (
        ("METHOD", _word(key.method)),
        ("URI", _text(key.uri)),
        ("IV", None if key.iv is None else f"0x{key.iv.hex()}"),
        ("KEYFORMAT", None if key.keyformat == IDENTITY else _quoted(key.keyformat)),
        ("KEYFORMATVERSIONS", _text(key.keyformat_versions)),
    )
    return _list(tag, pairs, key.extra)


def _map(init: InitSegment) -> str:
    span = None if init.byte_range is None else _quoted(_span(init.byte_range))
    return _list("#EXT-X-MAP", (("URI", _quoted(init.uri)), ("BYTERANGE", span)), init.extra)


def _part(part: Part) -> str:
    pairs = (
        ("DURATION", _number(part.duration_s)),
        ("URI", _quoted(part.uri)),
        ("BYTERANGE", None if part.byte_range is None else _quoted(_span(part.byte_range))),
        ("INDEPENDENT", _yes(part.independent)),
        ("GAP", _yes(part.gap)),
    )
    return _list("#EXT-X-PART", pairs, part.extra)


def _date_range(each: DateRange) -> str:
    pairs = (
        ("ID", _quoted(each.id)),
        ("CLASS", _text(each.class_)),
        ("START-DATE", None if each.start is None else _quoted(_date(each.start))),
        ("END-DATE", None if each.end is None else _quoted(_date(each.end))),
        ("DURATION", _decimal(each.duration_s)),
        ("PLANNED-DURATION", _decimal(each.planned_duration_s)),
        ("CUE", _text(each.cue)),
        ("END-ON-NEXT", _yes(each.end_on_next)),
    )
    return _list("#EXT-X-DATERANGE", pairs, each.extra)
