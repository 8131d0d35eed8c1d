"""What was kept of one broadcast, as the library has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ouzel.model.states import RecordingState


class FileState(StrEnum):
    OPEN = "open"  # it is being written, or was when its recorder died
    CLOSED = "closed"
    LOST = "lost"  # it is not where it was


@dataclass(frozen=True, slots=True)
class Recording:
    """Times in seconds, sizes in bytes, instants aware UTC."""

    id: str
    broadcast_id: str
    channel_id: str
    state: RecordingState
    title: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    end_reason: str | None = None
    code: str | None = None
    """Of the error that ended it, or that it is in trouble with now."""
    why: str | None = None
    quality: str | None = None
    protocol: str | None = None
    media_s: float = 0.0
    missing_s: float = 0.0
    bytes: int = 0
    gaps: int = 0
    runs: int = 0
    reconnects: int = 0
    epoch: int = 0
    """Of the owner that wrote it last."""
    pinned: bool = False
    policy: str | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordedFile:
    id: str
    recording_id: str
    part: int
    root: str
    path: str
    """From the root on; its final name, also while it is open."""
    state: FileState
    format: str
    opened_at: datetime
    bytes: int = 0
    media_s: float = 0.0
    gaps: int = 0
    tracks: Any = None
    error: str | None = None
    closed_at: datetime | None = None
