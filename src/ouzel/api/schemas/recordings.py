"""What was kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from ouzel.api.schemas.base import Out, Patch, left_out
from ouzel.api.schemas.channels import RunningOut
from ouzel.model.recording import FileRole, FileState, Recording
from ouzel.model.states import RecordingState
from ouzel.services.recordings import Running


class RecordingOut(Out):
    id: str
    channel_id: str
    channel: str = Field(description="name of the channel; empty when it is in the trash")
    broadcast_id: str
    state: RecordingState
    title: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    code: str | None = Field(description="of the error that ended it, or of the trouble that it is in")
    why: str | None
    quality: str | None
    protocol: str | None
    media_s: float
    missing_s: float
    bytes: int
    gaps: int
    runs: int
    reconnects: int
    pinned: bool = Field(description="no rule deletes it")
    policy: str | None = Field(description="name of the rule that deletes it; null: that of its channel")
    deleted_at: datetime | None
    running: RunningOut | None = Field(
        description="its counters as they are at this moment, while it is being recorded"
    )

    @classmethod
    def of(cls, recording: Recording, running: Running | None, channel: str) -> Self:
        """Args: channel: its name."""
        return cls(**recording_fields(recording, running, channel))


class FileOut(Out):
    id: str
    recording_id: str
    part: int
    root: str
    path: str = Field(description="from the storage root on")
    state: FileState
    format: str
    opened_at: datetime
    closed_at: datetime | None
    bytes: int
    media_s: float
    tracks: Any
    error: str | None
    role: FileRole
    made_of: list[str] = Field(description="ids of files, which may be gone")


class GapOut(Out):
    """A stretch that is missing."""

    at_s: float = Field(description="in the media time of the recording")
    code: str
    why: str
    wall_start: datetime
    wall_end: datetime
    missing_s: float
    scope: str = Field(description="`all`, or the track that is missing")


class ChapterOut(Out):
    at_s: float
    wall: datetime
    title: str
    category: str


class RecordingDetailOut(RecordingOut):
    files: list[FileOut]
    gap_list: list[GapOut]
    chapters: list[ChapterOut]


class RecordingPatch(Patch):
    title: str = left_out(str, min_length=1, max_length=500)
    pinned: bool = left_out(bool)
    policy: str | None = left_out(lambda: None, max_length=60, description="name of a rule; null: that of its channel")


def recording_fields(recording: Recording, running: Running | None, channel: str) -> dict[str, Any]:
    own = {name: getattr(recording, name) for name in RecordingOut.model_fields if name not in {"running", "channel"}}
    here = running is not None and running.rows.recording.id == recording.id
    return {**own, "channel": channel, "running": RunningOut.of(running) if here and running else None}
