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


class FileRole(StrEnum):
    """What a file is of its recording or download. Media time and bytes on air are counted of originals, the disk counts all."""

    ORIGINAL = "original"  # as it came; or what has replaced that
    PRODUCT = "product"  # made of originals that are there still
    POSTER = "poster"
    SPRITE = "sprite"  # a sheet of small pictures
    STORYBOARD = "storyboard"  # tells which of these belongs to which second
    SUBTITLES = "subtitles"


MEDIA = frozenset({FileRole.ORIGINAL, FileRole.PRODUCT})
"""What can be played; the rest are companions."""


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
    """Name of the rule that deletes it; None: that of its channel."""
    deleted_at: datetime | None = None
    """Since when it is in the trash."""
    deleting_at: datetime | None = None
    """Since when its files are being unlinked: there is no way back."""
    restored_at: datetime | None = None
    """When it was taken out of the trash last: rules count from then on."""
    revision: int = 1
    """Of edits by people: title, pin, rule, trash."""


@dataclass(frozen=True, slots=True)
class RecordedFile:
    id: str
    recording_id: str
    """Empty: it is a download's, or an import's."""
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
    download_id: str = ""
    import_id: str = ""
    role: FileRole = FileRole.ORIGINAL
    made_of: tuple[str, ...] = ()
    """Ids of files, which may be gone by now."""
    was_root: str = ""
    """Where it lay before it was moved, until it is removed there; empty: nowhere."""
    was_path: str = ""


class ItemKind(StrEnum):
    RECORDING = "recording"
    DOWNLOAD = "download"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of the library, whatever it was made by."""

    kind: ItemKind
    id: str
    """Of the recording, or of the download."""
    channel_id: str | None
    title: str
    begun_at: datetime
    """On air, or asked for."""
    ended_at: datetime | None
    media_s: float
    bytes: int
    gaps: int
