"""What a recording tells while it runs. `docs/reference/report.md` gives the fields of each event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias


class EventCode(StrEnum):
    """The spelling is a promise: `--json` prints it."""

    CONNECTED = "connected"
    FILE_OPENED = "file_opened"
    GAP = "gap"
    REPAIR = "repair"
    REPLAY_DROPPED = "replay_dropped"
    CLOCK_SET = "clock_set"
    RECONNECTING = "reconnecting"
    PAUSED = "paused"
    RESUMED = "resumed"
    WARNING = "warning"
    FILE_CLOSED = "file_closed"
    CONVERTED = "converted"
    PROGRESS = "progress"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Event:
    wall: datetime
    code: EventCode
    source: str
    """Address of the recording it is about, redacted."""
    data: dict[str, Any]


Listener: TypeAlias = Callable[[Event], None]
