"""The playlist parser against an outside yardstick: 87 playlists with an expected result, and 67 fuzz inputs.

They are data that nobody of this project wrote, and are no part of it: they are looked for in `../shared/conformance/hls`
beside the project, or where the environment variable OUZEL_CONFORMANCE says. Two projects wrote the expected results down in
shapes of their own, so each has an adapter here, from our values to its shape.

In both shapes a missing entry means the same as null, false, zero or empty, so such entries are dropped from both sides.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ouzel.base.errors import FormatError, NotMedia
from ouzel.formats.m3u8 import (
    ByteRange,
    DateRange,
    InitSegment,
    Key,
    MasterPlaylist,
    MediaPlaylist,
    Part,
    PreloadHint,
    Rendition,
    Segment,
    Variant,
    parse,
    render,
)

ROOT = Path(os.environ.get("OUZEL_CONFORMANCE", Path(__file__).parents[2] / ".." / "shared" / "conformance" / "hls"))
pytestmark = pytest.mark.skipif(
    not ROOT.is_dir(), reason=f"no conformance playlists in {ROOT} (OUZEL_CONFORMANCE may name another folder)"
)

Json = Any


def _cases(folder: str, pattern: str) -> list[Path]:
    return sorted((ROOT / folder).glob(pattern))


def _tidy(value: Json) -> Json:
    """Without what means the same as a missing entry."""
    if isinstance(value, dict):
        pairs = ((key, _tidy(each)) for key, each in value.items())
        return {key: each for key, each in pairs if each not in (None, False, 0, "", [], {})}
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    return value


def _without(value: Json, *names: str) -> Json:
    if isinstance(value, dict):
        return {key: _without(each, *names) for key, each in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(each, *names) for each in value]
    return value


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _range(span: ByteRange | None) -> Json:
    return None if span is None else {"length": span.length, "offset": span.offset}


# ------------------------------------------------------------------------------------------ videojs/m3u8-parser


def _videojs(playlist: MasterPlaylist | MediaPlaylist) -> Json:
    allow = [tag.partition(":")[2] for tag in playlist.tags if tag.startswith("#EXT-X-ALLOW-CACHE")]
    common = {"allowCache": allow[-1:] != ["NO"], "version": playlist.version}
    common["independentSegments"] = playlist.independent_segments
    if isinstance(playlist, MasterPlaylist):
        return common | {
            "playlists": [_videojs_variant(each) for each in playlist.variants],
            "iFramePlaylists": [_videojs_variant(each) for each in playlist.i_frame_variants],
            "mediaGroups": _videojs_groups(playlist.renditions),
        }
    said = {warning.code for warning in playlist.warnings}
    dated = [each.program_date_time for each in playlist.segments if each.program_date_time]
    control, skip, start = playlist.server_control, playlist.skip, playlist.start
    return common | {
        "mediaSequence": playlist.media_sequence,
        "discontinuitySequence": playlist.discontinuity_sequence,
        "discontinuityStarts": [at for at, each in enumerate(playlist.segments) if each.discontinuity],
        "playlistType": playlist.playlist_type,
        "targetDuration": None if "no_target_duration" in said else playlist.target_duration_s,
        "endList": playlist.end_list,
        "iFramesOnly": playlist.i_frames_only,
        "dateTimeObject": _iso(dated[0]) if dated else None,
        "start": start and {"timeOffset": start.offset_s, "precise": start.precise},
        "serverControl": control
        and {
            "canBlockReload": control.can_block_reload,
            "canSkipDateranges": control.can_skip_date_ranges,
            "canSkipUntil": control.can_skip_until_s,
            "holdBack": control.hold_back_s,
            "partHoldBack": control.part_hold_back_s,
        },
        "partInf": {"partTarget": playlist.part_target_s},
        "partTargetDuration": playlist.part_target_s,
        "renditionReports": [
            {"uri": each.uri, "lastMsn": each.last_msn, "lastPart": each.last_part}
            for each in playlist.rendition_reports
        ],
        "skip": skip
        and {"skippedSegments": skip.segments, "recentlyRemovedDateranges": list(skip.removed_date_ranges)},
        "segments": [_videojs_segment(each) for each in playlist.segments],
        "preloadSegment": _videojs_preload(playlist),
        "dateRanges": [each.id for each in playlist.date_ranges],
    }


def _videojs_variant(variant: Variant) -> Json:
    extra = dict(variant.extra)
    size = variant.resolution
    attributes = {
        "PROGRAM-ID": int(extra["PROGRAM-ID"]) if "PROGRAM-ID" in extra else None,
        "BANDWIDTH": variant.bandwidth_bps,
        "AVERAGE-BANDWIDTH": variant.average_bandwidth_bps,
        "CODECS": variant.codecs,
        "RESOLUTION": size and {"width": size.width, "height": size.height},
        "FRAME-RATE": variant.frame_rate,
        "AUDIO": variant.audio,
        "VIDEO": variant.video,
        "SUBTITLES": variant.subtitles,
        "CLOSED-CAPTIONS": variant.closed_captions,
        "HDCP-LEVEL": variant.hdcp_level,
        "VIDEO-RANGE": variant.video_range,
        "URI": variant.uri if variant.i_frames_only else None,
    }
    return {"attributes": attributes, "uri": variant.uri}


def _videojs_groups(renditions: tuple[Rendition, ...]) -> Json:
    groups: dict[str, dict[str, dict[str, Json]]] = {}
    for each in renditions:
        groups.setdefault(each.type, {}).setdefault(each.group_id, {})[each.name] = {
            "default": each.default,
            "autoselect": each.autoselect,
            "forced": each.forced,
            "language": each.language,
            "uri": each.uri,
            "instreamId": each.instream_id,
            "characteristics": each.characteristics,
        }
    return groups


def _videojs_key(key: Key | None) -> Json:
    if key is None:
        return None
    words = [int.from_bytes(key.iv[at : at + 4], "big") for at in range(0, 16, 4)] if key.iv else None
    return {"method": key.method, "uri": key.uri, "iv": words and {"uint32": words}}


def _videojs_map(init: InitSegment | None) -> Json:
    return init and {"uri": init.uri, "byterange": _range(init.byte_range), "key": _videojs_key(init.key)}


def _videojs_part(part: Part) -> Json:
    return {
        "uri": part.uri,
        "duration": part.duration_s,
        "byterange": _range(part.byte_range),
        "independent": part.independent,
        "gap": part.gap,
    }


def _videojs_segment(segment: Segment) -> Json:
    return {
        "uri": segment.uri,
        "duration": segment.duration_s,
        "title": segment.title,
        "timeline": segment.discontinuity_sequence,
        "discontinuity": segment.discontinuity,
        "byterange": _range(segment.byte_range),
        "key": _videojs_key(segment.key),
        "map": _videojs_map(segment.map),
        "dateTimeObject": _iso(segment.program_date_time),
        "programDateTime": segment.starts_at and round(segment.starts_at.timestamp() * 1000),
        "parts": [_videojs_part(each) for each in segment.parts],
    }


def _videojs_preload(playlist: MediaPlaylist) -> Json:
    def hint(each: PreloadHint) -> Json:
        span = {"length": each.length, "offset": each.offset}
        return {"type": each.type, "uri": each.uri, "byterange": span}

    following = playlist.open_segment
    return {
        "parts": [_videojs_part(each) for each in playlist.parts],
        "map": _videojs_map(following.map) if following else None,
        "preloadHints": [hint(each) for each in playlist.preload_hints],
    }


def _videojs_expected(path: Path) -> Json:
    expected = json.loads(path.with_name(path.stem + ".expected.json").read_text("utf-8"))
    for segment in expected["segments"]:
        if "programDateTime" in segment:  # milliseconds with a fraction there, microseconds here
            segment["programDateTime"] = round(segment["programDateTime"])
    for variant in expected.get("playlists", []):
        average = variant.get("attributes", {}).get("AVERAGE-BANDWIDTH")
        if (
            average is not None
        ):  # 4.4.6.2: a decimal integer; there it stays text in variants, and is a number in I-frame variants
            variant["attributes"]["AVERAGE-BANDWIDTH"] = int(average)
    # We keep instants, not the text that they were written in; `dateTimeObject` is the instant.
    return _without(expected, "dateTimeString")


DRAFT_IS_RIGHT: Mapping[str, list[tuple[str | int, ...]]] = {
    # 4.4.4.2: without an offset a byte range continues the one before it only in the same resource. Expected is that
    # `hls_450k_video2.ts` goes on where `hls_450k_video.ts` ended. The draft refuses the playlist; we begin at 0 and warn.
    "byteRange": [("segments", 2, "byterange")],
    "llhls-byte-range": [("segments", 2, "byterange")],
    # 4.4.5.3: the absence of BYTERANGE-START means 0. Expected is that a hint goes on where the part before it ended, though that
    # is in another resource.
    "llhls-delta-byte-range": [("preloadSegment", "preloadHints", 0, "byterange")],
    # 4.4.4.1: EXTINF:0 says zero. Expected is 0.01, which is a player's need.
    "zeroDuration": [("segments", 0, "duration")],
}
"""Where the expected result and the draft disagree, and which entries differ for that; everything else of them is compared."""


def _drop(value: Json, path: tuple[str | int, ...]) -> None:
    for step in path[:-1]:
        value = value[step]
    value.pop(path[-1], None)


@pytest.mark.parametrize("path", _cases("videojs-m3u8-parser", "*.m3u8"), ids=lambda path: path.stem)
def test_m3u8_parser_of_videojs(path: Path) -> None:
    if path.stem == "empty":  # 4.1: a playlist begins with EXTM3U, and an empty answer is no playlist
        with pytest.raises(NotMedia):
            parse(path.read_bytes(), base_url="")
        return
    ours, expected = _tidy(_videojs(parse(path.read_bytes(), base_url=""))), _tidy(_videojs_expected(path))
    for entry in DRAFT_IS_RIGHT.get(path.stem, []):
        _drop(ours, entry)
        _drop(expected, entry)
    assert ours == expected


def test_the_disagreements_are_what_the_draft_says() -> None:
    folder = ROOT / "videojs-m3u8-parser"

    def media(name: str) -> MediaPlaylist:
        playlist = parse((folder / f"{name}.m3u8").read_bytes(), base_url="")
        assert isinstance(playlist, MediaPlaylist)
        return playlist

    for name in ("byteRange", "llhls-byte-range"):
        assert media(name).segments[2].byte_range == ByteRange(0, 713084)
        assert "byte_range" in {warning.code for warning in media(name).warnings}
    assert media("llhls-delta-byte-range").preload_hints[0].offset == 0
    assert media("zeroDuration").segments[0].duration_s == 0


# ----------------------------------------------------------------------------------------------- kuu/hls-parser


def _kuu(playlist: MasterPlaylist | MediaPlaylist) -> Json:
    common = {
        "type": "playlist",
        "isMasterPlaylist": isinstance(playlist, MasterPlaylist),
        "version": playlist.version,
        "independentSegments": playlist.independent_segments,
    }
    if isinstance(playlist, MasterPlaylist):
        return common | {
            "variants": [_kuu_variant(each, playlist) for each in (*playlist.variants, *playlist.i_frame_variants)],
            "sessionDataList": [
                {"id": each.data_id, "value": each.value, "uri": each.uri, "language": each.language}
                for each in playlist.session_data
            ],
            "sessionKeyList": [each.uri for each in playlist.session_keys],
        }
    control = playlist.server_control
    return common | {
        "targetDuration": playlist.target_duration_s,
        "mediaSequenceBase": playlist.media_sequence,
        "discontinuitySequenceBase": playlist.discontinuity_sequence,
        "endlist": playlist.end_list,
        "playlistType": playlist.playlist_type,
        "lowLatencyCompatibility": control
        and {
            "canBlockReload": control.can_block_reload,
            "canSkipUntil": control.can_skip_until_s,
            "partHoldBack": control.part_hold_back_s,
        },
        "partTargetDuration": playlist.part_target_s,
        "renditionReports": [
            {"uri": each.uri, "lastMSN": each.last_msn, "lastPart": each.last_part}
            for each in playlist.rendition_reports
        ],
        "skip": playlist.skip.segments if playlist.skip else 0,
        "segments": _kuu_segments(playlist),
    }


def _kuu_variant(variant: Variant, master: MasterPlaylist) -> Json:
    size = variant.resolution
    return {
        "uri": variant.uri,
        "isIFrameOnly": variant.i_frames_only,
        "bandwidth": variant.bandwidth_bps,
        "averageBandwidth": variant.average_bandwidth_bps,
        "codecs": variant.codecs,
        "resolution": size and {"width": size.width, "height": size.height},
        "frameRate": variant.frame_rate,
        "audio": [_kuu_rendition(each) for each in master.group("AUDIO", variant.audio)],
        "video": [_kuu_rendition(each) for each in master.group("VIDEO", variant.video)],
        "subtitles": [_kuu_rendition(each) for each in master.group("SUBTITLES", variant.subtitles)],
        "closedCaptions": [_kuu_rendition(each) for each in master.group("CLOSED-CAPTIONS", variant.closed_captions)],
    }


def _kuu_rendition(rendition: Rendition) -> Json:
    return {
        "type": rendition.type,
        "groupId": rendition.group_id,
        "name": rendition.name,
        "uri": rendition.uri,
        "language": rendition.language,
        "isDefault": rendition.default,
        "autoselect": rendition.autoselect,
        "forced": rendition.forced,
        "instreamId": rendition.instream_id,
        "characteristics": rendition.characteristics,
        "channels": rendition.channels,
    }


def _kuu_segments(playlist: MediaPlaylist) -> list[Json]:
    listed: list[Json] = []
    init: InitSegment | None = None
    for segment in playlist.segments:
        listed.append(_kuu_segment(segment, changed_map=None if segment.map == init else segment.map))
        init = segment.map
    hints = [
        {"type": "part", "hint": True, "uri": each.uri, "byterange": {"offset": each.offset, "length": each.length}}
        for each in playlist.preload_hints
        if each.type == "PART"
    ]
    following = playlist.open_segment
    if hints or (following and following.parts):
        number = playlist.segments[-1].media_sequence + 1
        parts = [_kuu_part(each) for each in playlist.parts]
        listed.append({"type": "segment", "mediaSequenceNumber": number, "parts": parts + hints})
    return listed


def _kuu_segment(segment: Segment, changed_map: InitSegment | None) -> Json:
    key = segment.key
    return {
        "type": "segment",
        "uri": segment.uri,
        "duration": segment.duration_s,
        "title": segment.title,
        "mediaSequenceNumber": segment.media_sequence,
        "discontinuitySequence": segment.discontinuity_sequence,
        "byterange": _range(segment.byte_range),
        "key": key and {"method": key.method, "uri": key.uri},
        "map": changed_map and {"uri": changed_map.uri},
        "programDateTime": _iso(segment.program_date_time),
        "dateRange": _kuu_date_range(segment.date_ranges[-1]) if segment.date_ranges else None,
        "markers": [_kuu_marker(each) for each in segment.tags],
        "parts": [_kuu_part(each) for each in segment.parts],
    }


def _kuu_date_range(each: DateRange) -> Json:
    return {
        "id": each.id,
        "start": _iso(each.start),
        "end": _iso(each.end),
        "duration": each.duration_s,
        "plannedDuration": each.planned_duration_s,
        "attributes": {name: value.lower() for name, value in each.extra},
    }


def _kuu_marker(tag: str) -> Json:
    name, _, value = tag.removeprefix("#").partition(":")
    if name == "EXT-X-CUE-IN":
        return {"type": "IN"}
    if name == "EXT-X-CUE-OUT":
        return {"type": "OUT", "duration": float(value.removeprefix("DURATION="))}
    return {"type": "RAW", "tagName": name, "value": value}


def _kuu_part(part: Part) -> Json:
    return {
        "type": "part",
        "uri": part.uri,
        "duration": part.duration_s,
        "independent": part.independent,
        "byterange": _range(part.byte_range),
    }


def _kuu_expected(path: Path) -> Json:
    expected = json.loads(path.with_name(path.stem + ".expected.json").read_text("utf-8"))
    if "variants" in expected:  # I-frame variants have a list of their own here; order between the two says nothing
        expected["variants"].sort(key=lambda variant: variant["isIFrameOnly"])
    for part in expected["segments"][-1]["parts"] if expected.get("segments") else []:
        if part["hint"]:  # 4.4.5.3: a hint has no duration; there two of five get the part target
            part.pop("duration", None)
    # Which rendition a player has on at present is no part of the playlist.
    return _without(expected, "currentRenditions")


@pytest.mark.parametrize("path", _cases("hls-parser", "*.m3u8"), ids=lambda path: path.stem)
def test_hls_parser_of_kuu(path: Path) -> None:
    assert _tidy(_kuu(parse(path.read_bytes(), base_url=""))) == _tidy(_kuu_expected(path))


# -------------------------------------------------------------------------------------------- bluenviron/gohlslib


@pytest.mark.parametrize("path", _cases("gohlslib-fuzz", "*.bin"), ids=lambda path: path.stem)
def test_fuzz_inputs_are_parsed_or_refused_in_no_time(path: Path) -> None:
    data = path.read_bytes()
    fastest = float("inf")
    for _ in range(3):
        before = time.process_time()
        try:
            parse(data, base_url="https://example.com/live/index.m3u8")
        except (FormatError, NotMedia):
            pass
        fastest = min(fastest, time.process_time() - before)
    assert fastest < 0.05


def test_all_of_them_survive_rendering() -> None:
    for path in (path for folder, pattern in FOLDERS.items() for path in _cases(folder, pattern)):
        try:
            playlist = parse(path.read_bytes(), base_url="")
        except (FormatError, NotMedia):
            continue
        assert parse(render(playlist), base_url="") == playlist, path.name


def test_the_set_is_whole() -> None:
    counts = {folder: len(_cases(folder, pattern)) for folder, pattern in FOLDERS.items()}
    assert counts == {"videojs-m3u8-parser": 60, "hls-parser": 27, "gohlslib-fuzz": 67}


FOLDERS = {"videojs-m3u8-parser": "*.m3u8", "hls-parser": "*.m3u8", "gohlslib-fuzz": "*.bin"}
