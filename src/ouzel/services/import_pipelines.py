"""What the INI recorder does with finished recordings, as a pipeline. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ouzel.config.importers.result import Imported, ImportedSetting, Notice

_MP4, _H264, _DELETE, _CLOCK = (f"after.{each}" for each in ("to_mp4", "to_h264", "delete_source", "clock_subtitles"))
_TARGETS = (_MP4, _H264, _DELETE, _CLOCK)
_SCRIPT, _COMMAND = "hooks.recorded.on", "hooks.recorded.command"
HOOK = "recorded"
"""What its script is called in `ouzel.toml`."""
_AS_THEY_ARE = frozenset({"mp4", "mp3", "m4a"})
"""Formats that it converts no more."""
_QUALITY = 23
"""That of its H.264."""


@dataclass(slots=True)
class _Made:
    words: list[str] = field(default_factory=list[str])
    """Which the pipeline is called by: equal steps, equal names."""
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    used: set[str] = field(default_factory=set[str])

    def add(self, word: str, step: dict[str, Any], *targets: str) -> None:
        self.words.append(word)
        self.steps.append(step)
        self.used |= {*targets}


def with_pipeline(imported: Imported) -> tuple[Imported, Mapping[str, Mapping[str, Any]]]:
    """The same with the setting `pipeline` and what is to be told; and the pipelines that it names, as an export has them."""
    given = {
        each.target: each
        for each in imported.settings
        if each.value is True or (each.target == _COMMAND and each.value)
    }
    given = {target: each for target, each in given.items() if target in (*_TARGETS, _SCRIPT, _COMMAND)}
    if imported.format != "live_ini" or not given:
        return imported, {}
    made = _made({*given}, _format(imported))
    name = ", ".join(made.words)
    told = [
        _notice(each, name if each.target in made.used else "") for each in given.values() if each.target in _TARGETS
    ]
    notices = tuple(sorted((*imported.notices, *told), key=lambda each: each.line))
    if not made.steps:
        return replace(imported, notices=notices), {}
    first = min((each for target, each in given.items() if target in made.used), key=lambda each: each.line)
    setting = ImportedSetting(first.key, name, first.line, "record.pipeline")
    return replace(imported, settings=(*imported.settings, setting), notices=notices), {name: {"steps": made.steps}}


def _made(wanted: set[str | None], format_: str) -> _Made:
    made = _Made()
    if _MP4 in wanted and format_ not in _AS_THEY_ARE:
        keep = {} if _DELETE in wanted else {"keep": True}
        deletes = (_DELETE,) if _DELETE in wanted else ()
        if _H264 in wanted:
            step = {"step": "convert", "format": "mp4", "video": "h264", "quality": _QUALITY, **keep}
            made.add("MP4 H.264", step, _MP4, _H264, *deletes)
        else:
            made.add("MP4", {"step": "remux", "format": "mp4", **keep}, _MP4, *deletes)
        if keep:
            made.words[-1] += " (originals kept)"
    if _CLOCK in wanted:
        made.add("SRT", {"step": "clock", "format": "srt"}, _CLOCK)
    if {_SCRIPT, _COMMAND} <= wanted:
        made.add("script", {"step": "command", "hook": HOOK}, _SCRIPT)
    return made


def _format(imported: Imported) -> str:
    return next((str(each.value) for each in imported.settings if each.target == "record.format" and each.value), "ts")


def _notice(setting: ImportedSetting, name: str) -> Notice:
    """Args: name: of the pipeline of which it has become a part; empty: of none."""
    if name:
        return Notice(setting.line, "into_pipeline", {"key": setting.key, "name": name})
    return Notice(setting.line, "not_needed", {"key": setting.key})
