"""`config.yaml` of the camera recorder: cameras, and how their segments are cut, joined and deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ouzel.config.importers.keys import KeyReader, key_table
from ouzel.config.importers.result import Imported, ImportedChannel, Problem, Value
from ouzel.config.importers.tree import Node

USUAL_QUALITY = "best"
_KEYS = key_table("""
recording.segment_duration -> ,seconds,not_needed
recording.retention_days -> policies.cameras.max_age_s,days,kept_for_later
recording.reconnect_delay -> ,seconds,not_needed
recording.merge_interval -> ,seconds,not_needed
recording.merge_delay -> ,seconds,not_needed
ffmpeg.rtbufsize -> ,,not_needed
ffmpeg.timeout -> ,number,not_needed
telegram.token -> !notify.telegram.token,,kept_for_later
telegram.bot_token -> !notify.telegram.token,,kept_for_later
telegram.chat_id -> notify.telegram.chat,,kept_for_later
telegram.enabled -> notify.telegram.on,bool,kept_for_later
""")
_CAMERA_KEYS = frozenset({"name", "rtsp_url", "output_dir"})
_ADDRESS = re.compile(r"(?:rtsps?|rtmps?|https?|srt)://\S+", re.IGNORECASE)


def parse_cameras_yaml(root: Node) -> Imported:
    """A camera is a channel."""
    reader = KeyReader(_KEYS)
    settings = tuple(reader.settings(root, ignore=frozenset({"cameras"})))
    cameras = (root.table or {}).get("cameras", Node(root.line, items=()))
    if cameras.items is None and cameras.text is not None:
        reader.problems.append(Problem(cameras.line, "wrong_kind", {"key": "cameras", "wanted": "- name: …"}))
    return Imported(
        "cameras_yaml",
        channels=tuple(_channels(cameras, reader)),
        settings=settings,
        notices=tuple(reader.notices),
        problems=tuple(reader.problems),
        quality=USUAL_QUALITY,
    )


def _channels(cameras: Node, reader: KeyReader) -> Iterator[ImportedChannel]:
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
        yield ImportedChannel(url, each.line, table.get("name", Node(each.line)).text or "", extra=extra)
