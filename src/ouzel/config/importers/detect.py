"""Which format a file is, told by what stands in it; and its reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from ouzel.config.exports import is_export
from ouzel.config.importers import cameras_yaml, downloads, relay, streamcap, twitch_json
from ouzel.config.importers.ini import spelling
from ouzel.config.importers.live_ini import parse_live_ini
from ouzel.config.importers.live_keys import present_name
from ouzel.config.importers.live_rooms import parse_rooms
from ouzel.config.importers.own import parse_own
from ouzel.config.importers.result import Format, Imported, Notice, Problem
from ouzel.config.importers.text import decode, lines_of
from ouzel.config.importers.tree import Node, read_tree

MOST_BYTES = 8 * 1024 * 1024
_ADDRESS = re.compile(r"https?:/|rtmps?:/|rtsps?:/|(?:[a-z0-9-]+\.)+[a-z]{2,}/", re.IGNORECASE)
_VARIABLE = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=", re.ASCII)
_YAML_KEY = re.compile(r"([a-z_]+)\s*:(?:\s|$)")
_YAML: Mapping[str, Format] = {
    **dict.fromkeys(("cameras", "recording", "ffmpeg"), "cameras_yaml"),
    **dict.fromkeys((each for each in downloads.YAML_KEYS if "." not in each), "downloader_yaml"),
    "profiles": "downloader_yaml",
    "uids": "twitch_json",
    "tasks": "download_tasks",
    "channels": "relay_channels",
}
_TREES: Mapping[Format, Callable[[Node], Imported]] = {
    "twitch_json": twitch_json.parse_twitch_json,
    "cameras_yaml": cameras_yaml.parse_cameras_yaml,
    "downloader_yaml": lambda root: downloads.parse_downloader(root, "downloader_yaml"),
    "download_tasks": downloads.parse_tasks,
    "relay_channels": relay.parse_relay_channels,
    "streamcap": streamcap.parse_streamcap,
}


def read_foreign(data: bytes, name: str = "") -> Imported:
    """One file, whatever it is. Raises nothing: what cannot be read is a problem.

    Args:
        name: of the file; asked only where its content fits several formats, or is none.
    """
    if len(data) > MOST_BYTES:
        return _unread(Problem(0, "file_too_large", {"most": str(MOST_BYTES)}))
    try:
        text, encoding = decode(data)
    except UnicodeDecodeError:
        return _unread(Problem(0, "text_broken"))
    imported = _read(text, name)
    if encoding == "utf-8" or imported.format is None:
        return imported
    return replace(imported, notices=(Notice(0, "encoding", {"encoding": encoding}), *imported.notices))


def _read(text: str, name: str) -> Imported:
    lines = [line for _, line in lines_of(text) if line]
    if not lines:
        empty = Problem(0, "file_empty")
        return replace(_unread(empty), format="live_rooms" if "url" in name.lower() else None)
    if is_export(text):
        return parse_own(text)
    if lines[0][0] in "{[" and not _is_heading(lines[0]):
        return _read_tree(text, name, None)
    if any((found := _VARIABLE.match(each)) and relay.is_variable(found[1]) for each in lines):
        return relay.parse_variables(text)
    if any(present_name(spelling(re.split("[=:＝：]", each, maxsplit=1)[0])) for each in lines if each[0] not in "#;"):
        return parse_live_ini(text)
    for line in re.split(r"\r\n|\r|\n", text):
        if (found := _YAML_KEY.match(line)) and (format_ := _YAML.get(found[1])):
            return _read_tree(text, name, format_)
    if any(_ADDRESS.search(each) for each in lines):
        return parse_rooms(text)
    if "url_config" in name.lower():  # a list with nothing but remarks
        return parse_rooms(text)
    return _unread(Problem(0, "file_unknown"))


def _is_heading(line: str) -> bool:
    """`[Cookie]`, which is also the beginning of a list."""
    return re.fullmatch(r"\[[^\[\]{}\"',:]*\]", line) is not None


def _read_tree(text: str, name: str, format_: Format | None) -> Imported:
    root = read_tree(text)
    if isinstance(root, Problem):
        return replace(_unread(root), format=format_)
    found = format_ or _of_tree(root, name)
    return _TREES[found](root) if found else _unread(Problem(0, "file_unknown"))


def _of_tree(root: Node, name: str) -> Format | None:
    for key in root.table or {}:
        if format_ := _YAML.get(key):
            return format_
    keys = {key for each in root for key in each.table or {}}
    if "url" not in keys:
        return None
    if keys & (streamcap.KEYS - downloads.TASK_KEYS):
        return "streamcap"
    if keys & {"logo", "description"} or "channel" in name.lower():
        return "relay_channels"
    return "download_tasks"


def _unread(problem: Problem) -> Imported:
    return Imported(None, problems=(problem,))
