"""Which layer an imported setting belongs to, and what has to be written into `ouzel.toml`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

from ouzel.base.errors import BadOption
from ouzel.config.importers.live_platforms import folder_of
from ouzel.config.importers.result import ImportedSetting, Notice, Problem, Value
from ouzel.config.sources import Override
from ouzel.model.channel_settings import LEAST_INTERVAL_S, NAMES, parse_layer
from ouzel.services import import_download_settings as downloads

GLOBAL = "global"
_IN_FILE = {
    "storage.recordings": ("storage", "recordings"),
    "storage.min_free_bytes": ("storage", "min_free"),
    "daemon.shutdown_timeout_s": ("daemon", "shutdown_timeout"),
    "watch.notify_interval_s": ("watch", "notify_interval"),
    "log.file": ("log", "file"),
    "log.level": ("log", "level"),
    "log.format": ("log", "format"),
    "platforms.proxy": ("platforms", "proxy"),
    "platforms.youtube.cookies_file": ("platforms.youtube", "cookies"),
}
_LEVELS = {"warn": "warning", "critical": "error", "fatal": "error", "notset": "debug"}


_PATHS = frozenset({"storage.recordings", "download.folder", "log.file", "platforms.youtube.cookies_file"})
_INNER = "config"


def in_file(setting: ImportedSetting, file: Path) -> Notice | None:
    """How `ouzel.toml` says it, where that is its place. Args: file: that it is from."""
    place = _place(setting)
    if place is None and setting.value is not None and (setting.target or "").startswith(downloads.TARGETS):
        return Notice(setting.line, "key_unknown", {"key": f"{setting.key}: {setting.value}"})
    if place is None:
        return None
    value = "…" if setting.is_secret else _written(setting, file)
    toml = f"[{place[0]}] {place[1]} = {json.dumps(value, ensure_ascii=False)}"
    return Notice(setting.line, "in_file", {"key": setting.key, "toml": toml})


def override_of(setting: ImportedSetting, file: Path) -> Override | None:
    """The same, as it counts while the file is followed."""
    if (place := _place(setting)) is None:
        return None
    return Override(f"{file}, line {setting.line}", ".".join(place), str(_written(setting, file)))


def home_of(file: Path) -> Path:
    """Where the program is at home whose file this is: from there its paths count."""
    folder = file.absolute().parent
    return folder.parent if folder.name == _INNER else folder


def _place(setting: ImportedSetting) -> tuple[str, str] | None:
    """Table and key of `ouzel.toml`."""
    if setting.value is None:
        return None
    is_download = (setting.target or "").startswith(downloads.TARGETS)
    return downloads.place_of(setting) if is_download else _IN_FILE.get(setting.target or "")


def _written(setting: ImportedSetting, file: Path) -> str | int:
    match setting.target:
        case "storage.min_free_bytes":
            gib = float(str(setting.value)) / 1024**3
            return f"{gib:g}GiB"
        case "log.level":
            word = str(setting.value).lower()
            return _LEVELS.get(word, word)
        case str(target) if target in _PATHS and not PureWindowsPath(str(setting.value)).drive:
            return str(home_of(file) / Path(str(setting.value)).expanduser())
        case str(target) if target.startswith(downloads.TARGETS):
            return downloads.written(setting)
        case str(target) if target.endswith("_s"):
            return f"{setting.value}s"
        case _:
            return str(setting.value)


def scope_of(setting: ImportedSetting) -> tuple[str, str] | None:
    """Its layer, and its name there; None for what is in none."""
    first, _, rest = (setting.target or "").partition(".")
    if first == "record" and rest in NAMES:
        return GLOBAL, rest
    platform, _, name = rest.partition(".")
    if first == "platforms" and name in NAMES:
        return f"platform:{platform}", name
    return None


def beside_old(settings: Iterable[ImportedSetting], platforms: Iterable[str]) -> Iterator[ImportedSetting]:
    """The template of the INI recorder for these platforms, whose folders have names of their own there."""
    template = next((each for each in settings if each.target == "record.template"), None)
    for name in sorted({*platforms}) if template else ():
        folder = folder_of(name)
        if template and folder is not None:
            value = str(template.value).replace("{platform}", folder)
            yield replace(template, value=value, target=f"platforms.{name}.template")


def add_layers(layers: dict[str, dict[str, Any]], more: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Put the layers of an export over the others; gives those that have a value that they cannot have."""
    problems: list[Problem] = []
    for scope, layer in more.items():
        try:
            parse_layer(layer)
        except BadOption as exc:
            problems.append(Problem(0, "bad_value", {"key": scope, "why": str(exc)}))
        else:
            layers.setdefault(scope, {}).update(layer)
    return problems


def channel_layer(values: Mapping[str, Value], given: Mapping[str, Any]) -> dict[str, Any]:
    """`record.format`, `schedule` and their like of one channel as JSON values, over those `given`. Raises: BadOption."""
    layer: dict[str, Any] = dict(given)
    for key, value in values.items():
        name = key.removeprefix("record.")
        if name in NAMES and value is not None and name != "folder":
            layer[name] = _json(name, value)
    parse_layer(layer)
    return layer


def layers_of(
    settings: Iterable[ImportedSetting],
) -> tuple[dict[str, dict[str, Any]], list[Notice], list[Problem]]:
    """What is set once for many channels, by scope; what was taken otherwise; and what has a value that it cannot have."""
    layers: dict[str, dict[str, Any]] = {}
    notices: list[Notice] = []
    problems: list[Problem] = []
    for setting in settings:
        place = scope_of(setting)
        if place is None or setting.value is None:
            continue
        scope, name = place
        value = _json(name, setting.value)
        if name == "interval_s" and 0 < value < LEAST_INTERVAL_S:  # other recorders have no least one
            value = LEAST_INTERVAL_S
            notices.append(Notice(setting.line, "value_changed", {"key": setting.key, "taken": f"{value:g}"}))
        try:
            parse_layer({name: value})
        except BadOption as exc:
            problems.append(Problem(setting.line, "bad_value", {"key": setting.key, "why": str(exc)}))
            continue
        layers.setdefault(scope, {})[name] = value
    return layers, notices, problems


def _json(name: str, value: Value) -> Any:
    if name == "quality":
        return [value]
    if name == "schedule" and isinstance(value, tuple):
        return [dict(zip(("from", "to"), each.split("-"), strict=True)) for each in value]
    return list(value) if isinstance(value, tuple) else value
