"""`config.yaml` of the camera recorder: cameras, and how their segments are cut, joined and deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ouzel.config.importers.keys import KeyReader, key_table
from ouzel.config.importers.result import Imported, ImportedChannel, ImportedSetting, Problem, Value
from ouzel.config.importers.tree import Node

USUAL_QUALITY = "best"
_KEYS = key_table("""
recording.segment_duration -> ,seconds,not_needed
recording.retention_days -> policies.keep_s,days
recording.reconnect_delay -> ,seconds,not_needed
recording.merge_interval -> ,seconds,not_needed
recording.merge_delay -> ,seconds,not_needed
ffmpeg.rtbufsize -> ,,not_needed
ffmpeg.timeout -> ,number,not_needed
telegram.token -> !notify.cameras.telegram.token
telegram.bot_token -> !notify.cameras.telegram.token
telegram.chat_id -> notify.cameras.telegram.chat
telegram.enabled -> notify.cameras.telegram.on,bool
""")
_KEEP, _DAY_S, _MOST_DAYS = "policies.keep_s", 86_400, 36_500
_CAMERA_KEYS = frozenset({"name", "rtsp_url", "output_dir"})
_ADDRESS = re.compile(r"(?:rtsps?|rtmps?|https?|srt)://\S+", re.IGNORECASE)


def parse_cameras_yaml(root: Node) -> Imported:
    """A camera is a channel."""
    reader = KeyReader(_KEYS)
    settings = tuple(reader.settings(root, ignore=frozenset({"cameras"})))
    policies = _policies(settings, reader)
    cameras = (root.table or {}).get("cameras", Node(root.line, items=()))
    if cameras.items is None and cameras.text is not None:
        reader.problems.append(Problem(cameras.line, "wrong_kind", {"key": "cameras", "wanted": "- name: …"}))
    return Imported(
        "cameras_yaml",
        channels=tuple(_channels(cameras, reader, {"policy": next(iter(policies))} if policies else {})),
        settings=settings,
        notices=tuple(reader.notices),
        problems=tuple(reader.problems),
        quality=USUAL_QUALITY,
        policies=policies,
    )


def _policies(settings: Sequence[ImportedSetting], reader: KeyReader) -> dict[str, dict[str, Any]]:
    """A rule named for what it says: another file that says the same means the same one."""
    found: dict[str, dict[str, Any]] = {}
    for setting in settings:
        if setting.target != _KEEP or setting.value is None:
            continue
        days = float(str(setting.value)) / _DAY_S
        if 0 < days <= _MOST_DAYS:
            found = {f"{days:g} days": {"keep_days": days}}
        else:
            why = f"more than 0 days, and {_MOST_DAYS} at most"
            reader.problems.append(Problem(setting.line, "bad_value", {"key": setting.key, "why": why}))
    return found


def _channels(cameras: Node, reader: KeyReader, layer: dict[str, Any]) -> Iterator[ImportedChannel]:
    for each in cameras:
        table = each.table or {}
        address = table.get("rtsp_url", Node(each.line))
        url = address.text or ""
        if not _ADDRESS.fullmatch(url):
            code = "bad_address" if url else "no_address"
            name = table.get("name", Node(each.line)).text or ""
            reader.problems.append(Problem(address.line, code, {"text": name[:60], "why": "rtsp://host/path"}))
            continue
        reader.refuse(table, _CAMERA_KEYS, "cameras.")
        folder = table.get("output_dir", Node(each.line)).text
        extra: dict[str, Value] = {"folder": folder} if folder else {}
        yield ImportedChannel(url, each.line, table.get("name", Node(each.line)).text or "", extra=extra, layer=layer)
