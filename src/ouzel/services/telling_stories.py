"""What an event tells: everything that a message can say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import select

from ouzel.base.errors import NotFound
from ouzel.base.units import format_duration, format_size
from ouzel.base.urls import redact
from ouzel.model.broadcast import Broadcast
from ouzel.model.channel import Channel
from ouzel.model.happening import StoredEvent
from ouzel.model.message_templates import Facts
from ouzel.model.routes import EVENTS
from ouzel.services.channels import Channels
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.db import Db
from ouzel.store.notices import NoticeRepo
from ouzel.store.pipelines import RunRepo
from ouzel.store.recordings import RecordingRepo
from ouzel.store.tables import jobs

Say: TypeAlias = Callable[[str, str, Mapping[str, Any]], str]
"""The sentence of a notice: language (`en`, `zh`), code, data."""
_NAMES = ("root", "hook", "task", "target", "path", "platform", "files")
"""What of a notice's data can stand for its name."""
_UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Story:
    """Facts, and where they belong."""

    facts: Facts
    about: str
    """The same for what would be a repetition."""
    channel: Channel | None = None
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of a notice: what its sentence is made of."""
    is_notice: bool = False


class Stories:
    """Reads what belongs to an event."""

    def __init__(self, db: Db, channels: Channels) -> None:
        self._db = db
        self._channels = channels
        self._broadcasts = BroadcastRepo(db)
        self._recordings = RecordingRepo(db)
        self._notices = NoticeRepo(db)
        self._runs = RunRepo(db)

    async def read(self, event: StoredEvent) -> Story | None:
        """None: nobody wants to be told of it."""
        channel = self._channel(event)
        match event.code.split("."):
            case ["notice", how]:
                return await self._of_notice(event, channel, is_over=how == "over")
            case ["broadcast", _] if event.code in EVENTS:
                return await self._of_broadcast(event, channel)
            case ["recording", "began" | "finished"]:
                return await self._of_recording(event, channel)
            case ["download", "finished" | "changed"]:
                return self._of_download(event)
            case ["job", "changed"]:
                return await self._of_job(event)
            case ["daemon", _]:
                return self._story(event, event.code, {})
            case _:
                return None

    def _channel(self, event: StoredEvent) -> Channel | None:
        try:
            return self._channels.get(event.channel_id) if event.channel_id else None
        except NotFound:  # it was removed
            return None

    async def _of_notice(self, event: StoredEvent, channel: Channel | None, *, is_over: bool) -> Story | None:
        if is_over and event.data.get("how") != "over":
            return None  # somebody knows
        notice = await self._notices.get(event.subject)
        if notice is None:
            return None
        data = notice.data
        name = next((data[key] for key in _NAMES if data.get(key) is not None), "")
        fields = {key: str(data[key]) for key in ("why", "title", "platform") if data.get(key) is not None}
        facts = Facts(
            notice.code, notice.severity, event.at, self._with_channel(fields | {"name": str(name)}, channel, data),
            is_over=is_over,
        )  # fmt: skip
        return Story(facts, f"{notice.key}{':over' if is_over else ''}", channel, data, is_notice=True)

    async def _of_broadcast(self, event: StoredEvent, channel: Channel | None) -> Story | None:
        if channel is None or "why_not" in event.data:
            return None
        if self._channels.effective(channel).settings.mode == "manual":
            return None
        fields = {"title": str(event.data.get("title") or ""), "category": str(event.data.get("category") or "")}
        broadcast = await self._broadcasts.get(event.subject)
        if broadcast is not None:
            fields |= {"picture": broadcast.cover, "duration": _on_air(broadcast)}
        return self._story(event, event.code, fields, channel, about=f"{event.code}:{channel.id}")

    async def _of_recording(self, event: StoredEvent, channel: Channel | None) -> Story | None:
        recording = await self._recordings.get(event.subject)
        if recording is None:
            return None
        fields = {"title": recording.title}
        if event.code == "recording.finished":
            fields |= {
                "duration": format_duration(recording.media_s), "size": format_size(recording.bytes),
                "gaps": str(recording.gaps) if recording.gaps else "", "why": recording.why or "",
            }  # fmt: skip
        return self._story(event, event.code, fields, channel)

    def _of_download(self, event: StoredEvent) -> Story | None:
        data = event.data
        fields = {"name": str(data.get("name") or "")}
        if event.code == "download.finished":
            fields |= {
                "title": str(data.get("title") or ""), "duration": format_duration(data.get("media_s") or 0.0),
                "size": format_size(data.get("bytes") or 0),
            }  # fmt: skip
            return self._story(event, event.code, fields)
        if data.get("state") != "failed":
            return None
        return self._story(event, "download.failed", fields | {"why": str(data.get("why") or "")})

    async def _of_job(self, event: StoredEvent) -> Story | None:
        if (state := event.data.get("state")) not in ("done", "failed"):
            return None
        kind = str(event.data.get("kind"))
        row = await self._db.one(select(jobs.c.why, jobs.c.args).where(jobs.c.id == event.subject))
        fields = {"name": kind, "why": str(row["why"] or "") if row is not None else ""}
        if kind != _UPLOAD:
            return self._story(event, f"job.{state}", fields)
        title, channel = await self._about(row["args"].get("run") if row is not None else None)
        return self._story(
            event, f"{_UPLOAD}.{state}", fields | ({"name": title, "title": title} if title else {}), channel
        )

    async def _about(self, run_id: str | None) -> tuple[str, Channel | None]:
        """Title and channel of what a run is over."""
        run = await self._runs.get(run_id) if run_id else None
        if run is None:
            return "", None
        async with self._db.transaction() as tx:
            about = await self._runs.about_in(tx, run)
        try:
            return about.title, self._channels.get(about.channel_id) if about.channel_id else None
        except NotFound:  # it was removed
            return about.title, None

    def _story(
        self, event: StoredEvent, code: str, fields: Mapping[str, str], channel: Channel | None = None, about: str = ""
    ) -> Story:
        facts = Facts(code, EVENTS[code], event.at, self._with_channel(fields, channel, {}))
        return Story(facts, about or f"{code}:{event.subject}", channel)

    def _with_channel(
        self, fields: Mapping[str, str], channel: Channel | None, data: Mapping[str, Any]
    ) -> dict[str, str]:
        if channel is None:
            return {"channel": str(data.get("name") or ""), **fields}
        address = redact(channel.address)
        return {
            "channel": channel.name, "platform": channel.platform, "labels": ", ".join(sorted(channel.labels)),
            "url": address if address.startswith(("http://", "https://")) else "", **fields,
        }  # fmt: skip


def _on_air(broadcast: Broadcast) -> str:
    if broadcast.ended_at is None or broadcast.ended_at <= broadcast.started_at:
        return ""
    return format_duration((broadcast.ended_at - broadcast.started_at).total_seconds())
