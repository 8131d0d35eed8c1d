"""What is stored of everything that happens. The spelling of each code is a promise: API, hooks and notices key on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

CODES: Mapping[str, str] = MappingProxyType(
    {
        "channel.added": "a channel is there",
        "channel.changed": "its settings, names or addresses",
        "channel.removed": "it is not watched any more, and can be brought back",
        "channel.merged": "two channels were one: what is left has both addresses",
        "channel.standing": "what is known of it has changed: live, offline, blocked …",
        "channel.renamed": "the platform calls it differently now",
        "layer.changed": "settings for all channels, or those of a platform",
        "broadcast.began": "a channel is on air",
        "broadcast.changed": "its title or category",
        "broadcast.parked": "it dropped, and may come back",
        "broadcast.resumed": "it came back",
        "broadcast.ended": "it is over",
        "recording.began": "the first media of it are kept",
        "recording.changed": "it is connecting, recording, parked, paused …",
        "recording.gap": "a stretch is missing",
        "recording.file": "a file was begun, or is whole",
        "recording.finished": "it is over, and its files are whole",
        "recording.removed": "it was put into the trash, or taken out of it",
        "recording.deleted": "it is gone for good, with its files",
        "job.changed": "it waits, runs, is done, or failed",
        "download.changed": "it is there, waits, runs, is paused, failed, was cancelled, or edited",
        "download.finished": "it is over, and its file is whole",
        "video.changed": "what people wrote of it, or its tags",
        "import.finished": "a file has become a video: one that lay there, or one that was sent",
        "download.removed": "its row is gone, with its files or without them",
        "notice.raised": "somebody should know this",
        "notice.over": "it is not so any more, or was dismissed",
        "storage.changed": "a storage root takes media, or does not",
        "policy.changed": "a rule that deletes was made, changed or taken away",
        "pipeline.changed": "a pipeline was made, changed or taken away",
        "pipeline.run": "it began, goes on with its next step, is done, failed, or was cancelled",
        "target.changed": "where messages go was made, changed or taken away",
        "remote.changed": "where copies go was made, changed or taken away",
        "route.changed": "what is told, and to whom, was made, changed or taken away",
        "message.changed": "it was sent, failed, or waits again",
        "user.changed": "an account, its rights, its keys",
        "daemon.began": "the daemon is up",
        "daemon.stopping": "it is about to end",
    }
)

PASSING: Mapping[str, str] = MappingProxyType(
    {
        "download.progress": "how far it is, twice a second at most",
        "job.progress": "the same",
    }
)
"""What is told to whoever listens at that moment, and not stored: of each subject only the latest counts."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something happened, and is about to be stored, or told in passing."""

    code: str
    subject: str
    """Id of the row that it is about."""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """JSON values. Redacted."""
    channel_id: str | None = None

    def __post_init__(self) -> None:
        if self.code not in CODES and self.code not in PASSING:
            raise ValueError(f"{self.code} is no code of an event")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """It is committed."""

    number: int
    at: datetime
    code: str
    subject: str
    channel_id: str | None
    data: Mapping[str, Any]
