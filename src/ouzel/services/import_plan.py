"""The plan of an import, as it is shown and carried out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ouzel.config.exports import Export
from ouzel.config.importers.result import (
    Format,
    ImportedDownload,
    ImportedSetting,
    Mode,
    Notice,
    Problem,
    Value,
)
from ouzel.model.channel import Layer

WhyPaused: TypeAlias = Literal["", "by_hand", "unknown_site", "short_link"]
"""`unknown_site`, `short_link`: the recorder that wrote the file pauses such lines by itself."""
Say: TypeAlias = Callable[[str, Mapping[str, str]], str]
"""A sentence, of a code and what fills it in."""
HIDDEN = "***"
_WHO = re.compile(r"(?<=://)[^/?#]*@")


@dataclass(frozen=True, slots=True)
class Remark:
    """A notice or a problem, with the file that it is about."""

    file: str
    of: Notice | Problem

    def fields(self, say: Say | None = None) -> dict[str, Any]:
        doc = {"file": self.file, "line": self.of.line, "code": self.of.code, "about": dict(self.of.fields)}
        return doc if say is None else {**doc, "message": say(self.of.code, self.of.fields)}


@dataclass(frozen=True, slots=True)
class PlannedChannel:
    """Something that will be watched."""

    url: str = field(repr=False)
    """As the platform knows it; may hold a password (cameras)."""
    platform: str
    """`direct`: the address of a stream; empty: unknown, and paused."""
    name: str
    quality: str
    """In Ouzel's words; what counts for it, be it its own or that of its file."""
    has_own_quality: bool
    paused: bool
    why_paused: WhyPaused
    mode: Mode
    line: int
    file: str
    settings: Layer = field(default_factory=dict[str, Any])
    """Its own layer: JSON values by the names of `ChannelSettings`."""
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])
    """What Ouzel has no setting for: `folder`, `description`, `logo`, `notify.on` …"""
    is_own: bool = False
    """Whether it is from an export of Ouzel: `extra` has then what a channel has beside settings."""

    @property
    def shown_url(self) -> str:
        """Without a name and a password."""
        return _WHO.sub(f"{HIDDEN}@", self.url)

    def fields(self, *, secrets: bool = False) -> dict[str, Any]:
        return {
            "url": self.url if secrets else self.shown_url,
            "name": self.name,
            "quality": self.quality,
            "paused": self.paused,
            "platform": self.platform,
            "line": self.line,
            "file": self.file,
            "why_paused": self.why_paused,
            "has_own_quality": self.has_own_quality,
            "mode": self.mode,
            "settings": dict(self.settings),
            "extra": dict(self.extra),
        }


@dataclass(frozen=True, slots=True)
class PlannedSetting:
    """A key of a file, and what it becomes."""

    file: str
    of: ImportedSetting

    def fields(self, *, secrets: bool = False) -> dict[str, Any]:
        hidden = self.of.is_secret and self.of.value is not None and not secrets
        return {
            "key": self.of.key,
            "target": self.of.target,
            "value": HIDDEN if hidden else self.of.value,
            "secret": self.of.is_secret,
            "line": self.of.line,
            "file": self.file,
        }


@dataclass(frozen=True, slots=True)
class PlannedDownload:
    """Something that will be fetched once."""

    file: str
    of: ImportedDownload

    def fields(self, *, secrets: bool = False) -> dict[str, Any]:
        return {
            "url": self.of.url if secrets else _WHO.sub(f"{HIDDEN}@", self.of.url),
            "name": self.of.name,
            "quality": self.of.quality,
            "line": self.of.line,
            "file": self.file,
            "extra": dict(self.of.extra),
        }


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Nothing is done yet."""

    channels: tuple[PlannedChannel, ...] = ()
    settings: tuple[PlannedSetting, ...] = ()
    downloads: tuple[PlannedDownload, ...] = ()
    notices: tuple[Remark, ...] = ()
    problems: tuple[Remark, ...] = ()
    files: tuple[tuple[str, Format | None], ...] = ()
    layers: Mapping[str, Layer] = field(default_factory=dict[str, Layer], repr=False)
    """What the settings become that are set once for many channels: by scope (`global`, `platform:NAME`), JSON values by the
    names of `ChannelSettings`. Has secrets in it."""
    pipelines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """That these settings name, as an export has them."""
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Rules that delete, by name, as an export has them; those that are there already stay as they are."""

    telling: Export = field(default_factory=Export, repr=False)
    """Targets and routes that the settings become. Has secrets in it."""

    def fields(self, say: Say | None = None, *, secrets: bool = False) -> dict[str, Any]:
        """As JSON.

        Args:
            say: gives each notice and problem its `message`.
            secrets: cookies, passwords and tokens too: for who carries it out, and never to be shown.
        """
        return {
            "channels": [each.fields(secrets=secrets) for each in self.channels],
            "settings": [each.fields(secrets=secrets) for each in self.settings],
            "downloads": [each.fields(secrets=secrets) for each in self.downloads],
            "policies": {name: dict(rule) for name, rule in self.policies.items()},
            "notices": [each.fields(say) for each in self.notices],
            "problems": [each.fields(say) for each in self.problems],
            "targets": [{"name": name, "kind": doc["kind"]} for name, doc in self.telling.targets.items()],
            "routes": [{"name": name, "events": doc["events"]} for name, doc in self.telling.routes.items()],
            "files": [{"file": file, "format": format_} for file, format_ in self.files],
            "pipelines": {name: dict(doc) for name, doc in self.pipelines.items()},
        }
