"""What somebody should know, until it is over or dismissed. `docs/reference/notices.md` lists the codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Severity(StrEnum):
    INFO = "info"  # nothing is to be done
    WARNING = "warning"  # something may be missed
    ERROR = "error"  # something is missed, or will be


_S = Severity
CODES: Mapping[str, Severity] = MappingProxyType(
    {
        "channel.blocked": _S.WARNING,
        "channel.needs_login": _S.WARNING,
        "channel.region_locked": _S.WARNING,
        "channel.broken": _S.WARNING,
        "channel.gone": _S.WARNING,
        "platform.blocked": _S.WARNING,
        "platform.needs_login": _S.WARNING,
        "platform.region_locked": _S.WARNING,
        "platform.broken": _S.WARNING,
        "platform.strained": _S.WARNING,
        "broadcast.not_recorded": _S.ERROR,
        "recording.failed": _S.ERROR,
        "recording.trouble": _S.WARNING,
        "download.failed": _S.ERROR,
        "downloads.failed": _S.ERROR,
        "storage.low": _S.ERROR,
        "storage.read_only": _S.ERROR,
        "storage.missing": _S.ERROR,
        "storage.trouble": _S.ERROR,
        "storage.not_set": _S.ERROR,
        "storage.all_pinned": _S.WARNING,
        "retention.freed": _S.INFO,
        "retention.held_back": _S.WARNING,
        "retention.in_vain": _S.WARNING,
        "retention.out_of_reach": _S.WARNING,
        "retention.stuck": _S.WARNING,
        "task.crashed": _S.ERROR,
        "files.recovered": _S.INFO,
        "follow.problem": _S.WARNING,
        "hook.failed": _S.WARNING,
        "target.failed": _S.WARNING,
        "hook.missed": _S.WARNING,
        "pipeline.failed": _S.ERROR,
        "pipeline.missing": _S.WARNING,
        "move.no_room": _S.WARNING,
    }
)
"""The spelling of each is a promise."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Instants are aware UTC."""

    id: str
    key: str
    """What it is about: one notice is open for each."""
    code: str
    severity: Severity
    channel_id: str | None
    data: Mapping[str, Any]
    """What its sentence is made of: JSON values, redacted."""
    count: int
    """How often it happened while it was open."""
    raised_at: datetime
    last_at: datetime
    over_at: datetime | None = None
    dismissed_at: datetime | None = None
    dismissed_by: str | None = None

    @property
    def is_open(self) -> bool:
        return self.over_at is None and self.dismissed_at is None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is so now. It becomes a notice when it has been so for long enough."""

    key: str
    code: str
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    channel_id: str | None = None
    since: datetime | None = None
    """None: since it was seen first."""
    patience_s: float = 0.0
    last: datetime | None = None
    """When it happened last: after that of its notice, it has happened once more. None: it just lasts."""
    mark: object = None
    """When this becomes another, it has not been so from before: bytes that grow, the start of an attempt."""
