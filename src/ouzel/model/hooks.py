"""What a hook is told, and how. `docs/reference/hooks.md` has it for users."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ouzel.model.happening import StoredEvent

_INPUT_BYTES = 32 * 1024 - 1
"""That a program can be given without waiting for it to read."""


@dataclass(frozen=True, slots=True)
class HookFile:
    """A file of the recording that an event is about."""

    path: str
    """Absolute."""
    format: str
    state: str
    """`open`, `closed`."""
    bytes: int = 0
    media_s: float = 0.0

    def fields(self) -> dict[str, Any]:
        return {
            "path": self.path, "format": self.format, "state": self.state, "bytes": self.bytes, "media_s": self.media_s,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class HookChannel:
    id: str
    name: str
    platform: str
    address: str
    """Redacted."""
    number: int
    """Its place in the list of channels, from 1 on."""
    splits: bool
    converts: bool
    """Finished files are made MP4."""

    def fields(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "platform": self.platform, "address": self.address}


@dataclass(frozen=True, slots=True)
class HookEvent:
    """An event with what belongs to it."""

    event: StoredEvent
    channel: HookChannel | None = None
    recording: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`id, title, state, media_s, bytes, gaps, missing_s`; empty where the event is about none."""
    files: Sequence[HookFile] = ()
    """Of the recording, in the order in which they were on air."""
    file: HookFile | None = None
    """That the event is about: of a recording as a whole its last one."""

    def variables(self) -> dict[str, str]:
        """For the environment."""
        told: dict[str, Any] = {
            "event": self.event.code, "event_number": self.event.number, "event_at": self.event.at.isoformat(),
            "subject": self.event.subject,
        }  # fmt: skip
        if self.channel is not None:
            told |= {f"channel_{name}": value for name, value in self.channel.fields().items()}
        told |= {f"recording_{name}": value for name, value in self.recording.items()}
        if self.file is not None:
            told |= {"file": self.file.path, "file_state": self.file.state, "file_format": self.file.format}
        return {
            f"OUZEL_{name.upper()}": str(value).replace("\0", "") for name, value in told.items() if value is not None
        }

    def document(self) -> bytes:
        """The same and more as JSON, on one line. What is too much for a pipe is left out, the files first, and named."""
        event = self.event
        doc: dict[str, Any] = {
            "event": event.code, "number": event.number, "at": event.at.isoformat(), "subject": event.subject,
            "data": dict(event.data), "channel": self.channel.fields() if self.channel else None,
            "recording": dict(self.recording) or None, "file": self.file.fields() if self.file else None,
            "files": [each.fields() for each in self.files],
        }  # fmt: skip
        left_out: list[str] = []
        while len(written := _written(doc, left_out)) > _INPUT_BYTES:
            left_out.append(max(doc.keys() - left_out, key=lambda name: len(json.dumps(doc[name]))))
            doc[left_out[-1]] = None
        return written


def _written(doc: Mapping[str, Any], left_out: Sequence[str]) -> bytes:
    whole = {**doc, "left_out": [*left_out]} if left_out else doc
    return json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def douyin_arguments(command: Sequence[str], channel: HookChannel, file: HookFile) -> list[str]:
    """What DouyinLiveRecorder adds to the command of a script after each recording."""
    kind, splits, converts = file.format.upper(), str(channel.splits), str(channel.converts)
    if "python" in " ".join(command):
        return [
            "--record_name", f"序号{channel.number} {channel.name}", "--save_file_path", file.path, "--save_type", kind,
            "--split_video_by_time", splits, "--converts_to_mp4", converts,
        ]  # fmt: skip
    return [channel.name, file.path, kind, f"split_video_by_time:{splits}", f"converts_to_mp4:{converts}"]
