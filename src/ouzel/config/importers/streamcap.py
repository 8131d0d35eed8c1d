"""`recordings.json` of StreamCap, which follows the INI recorder: a list of rooms, each with its own settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ouzel.config.importers.keys import KeyReader
from ouzel.config.importers.qualities import quality_of
from ouzel.config.importers.result import Imported, ImportedChannel, Notice, Problem, Value
from ouzel.config.importers.tree import Node

USUAL_QUALITY = "original"
KEYS = frozenset({
    "rec_id", "url", "streamer_name", "record_format", "quality", "segment_record", "segment_time", "monitor_status",
    "scheduled_recording", "scheduled_start_time", "monitor_hours", "recording_dir", "enabled_message_push", "platform",
    "platform_key", "only_notify_no_record", "flv_use_direct_download", "video_bitrate",
})  # fmt: skip
_FORMATS = frozenset({"ts", "mkv", "flv", "mp4", "mp3", "m4a"})


def parse_streamcap(root: Node) -> Imported:
    """An item is a channel; it is paused unless it is monitored."""
    reader = KeyReader({})
    channels = tuple(_channels(root, reader))
    return Imported(
        "streamcap",
        channels=channels,
        notices=tuple(reader.notices),
        problems=tuple(reader.problems),
        quality=USUAL_QUALITY,
    )


def _channels(root: Node, reader: KeyReader) -> Iterator[ImportedChannel]:
    for each in root:
        table = each.table or {}
        words = {key: node.text or "" for key, node in table.items() if key in KEYS}
        if not words.get("url"):
            reader.problems.append(Problem(each.line, "no_address", {"text": words.get("streamer_name", "")[:60]}))
            continue
        reader.refuse(table, KEYS, "")
        if _number(words.get("video_bitrate", "")):
            about = {"key": "video_bitrate", "target": "after.video_bitrate"}
            reader.notices.append(Notice(table["video_bitrate"].line, "kept_for_later", about))
        yield ImportedChannel(
            words["url"],
            each.line,
            words.get("streamer_name", ""),
            quality_of(words.get("quality", "")) or "",
            paused=not _is_true(table, "monitor_status", True),
            mode="notify" if _is_true(table, "only_notify_no_record", False) else "record",
            extra=dict(_extra(table, words)),
        )


def _extra(table: dict[str, Node], words: dict[str, str]) -> Iterator[tuple[str, Value]]:
    if (format_ := words.get("record_format", "").lower()) in _FORMATS:
        yield "record.format", format_
    if "segment_record" in table:
        is_split = _is_true(table, "segment_record", False)
        yield "record.split_after_s", _number(words.get("segment_time", "")) if is_split else 0
    if _is_true(table, "scheduled_recording", False):
        starts = re.split(r"\s*[,，]\s*", words.get("scheduled_start_time", ""))
        hours = re.split(r"\s*[,，]\s*", words.get("monitor_hours", ""))
        yield "schedule", tuple(filter(None, map(_window, starts, hours)))
    if folder := words.get("recording_dir"):
        yield "folder", folder
    if "enabled_message_push" in table:
        yield "notify.on", _is_true(table, "enabled_message_push", False)
    if bitrate := _number(words.get("video_bitrate", "")):
        yield "after.video_bitrate", bitrate


def _window(start: str, hours: str) -> str:
    """`20:00-23:30`; empty for what is no time."""
    found = re.fullmatch(r"(\d{1,2}):(\d{2})(?::\d{2})?", start)
    if not found or not re.fullmatch(r"\d{1,2}(?:\.\d{1,3})?", hours) or not 0 < float(hours) <= 24:
        return ""
    begin = int(found[1]) * 60 + int(found[2])
    end = (begin + round(float(hours) * 60)) % 1440
    return f"{begin // 60 % 24:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


def _is_true(table: dict[str, Node], key: str, usual: bool) -> bool:
    value = table[key].scalar if key in table else None
    return value if isinstance(value, bool) else usual


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,9}", text) else None
