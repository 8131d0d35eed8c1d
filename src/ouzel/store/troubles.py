"""What in the database somebody may have to know: questions over several tables, asked again and again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import RowMapping

from ouzel.model.flow import EndReason
from ouzel.model.pipelines import RunState
from ouzel.model.states import RecordingState
from ouzel.store.db import Db
from ouzel.store.tables import broadcasts, channels, pipeline_runs, recordings, standings

_UNHEARD = ("blocked", "needs_login", "region_locked", "broken", "gone")
_BAD_ENDS = (EndReason.FAILED.value, EndReason.DISK.value)


class TroubleRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def unheard(self, since_before: datetime) -> Sequence[RowMapping]:
        """Channels that are watched, and of which nobody has known since then whether they are on air."""
        columns = (
            channels.c.id, channels.c.name, channels.c.platform, standings.c.state, standings.c.since, standings.c.code,
            standings.c.why,
        )  # fmt: skip
        query = select(*columns).join(channels, channels.c.id == standings.c.channel_id)
        query = query.where(
            standings.c.state.in_(_UNHEARD), standings.c.since <= since_before, channels.c.watch,
            channels.c.deleted_at.is_(None),
        )  # fmt: skip
        return await self._db.read(query.order_by(channels.c.id))

    async def on_air(self) -> Sequence[RowMapping]:
        """Broadcasts that are to be recorded, with what is kept of them."""
        columns = (
            broadcasts.c.id, broadcasts.c.channel_id, channels.c.name, broadcasts.c.title, recordings.c.state,
            recordings.c.bytes, recordings.c.code, recordings.c.why, recordings.c.id.label("recording_id"),
        )  # fmt: skip
        query = select(*columns).join(channels, channels.c.id == broadcasts.c.channel_id)
        query = query.join(recordings, recordings.c.broadcast_id == broadcasts.c.id, isouter=True)
        query = query.where(broadcasts.c.state == "live", broadcasts.c.why_not.is_(None))
        return await self._db.read(query.order_by(broadcasts.c.id))

    async def ended_badly(self, since: datetime) -> Sequence[RowMapping]:
        """Recordings that ended with an error after that, and are not in the trash."""
        columns = (
            recordings.c.id, recordings.c.channel_id, recordings.c.title, recordings.c.end_reason, recordings.c.code,
            recordings.c.why, recordings.c.ended_at, recordings.c.media_s, channels.c.name,
        )  # fmt: skip
        query = select(*columns).join(channels, channels.c.id == recordings.c.channel_id, isouter=True)
        query = query.where(
            recordings.c.state == RecordingState.DONE.value, recordings.c.end_reason.in_(_BAD_ENDS),
            recordings.c.ended_at >= since, recordings.c.deleted_at.is_(None),
        )  # fmt: skip
        return await self._db.read(query.order_by(recordings.c.id))

    async def failed_runs(self, among: Collection[str]) -> set[str]:
        """Ids of those of these runs of pipelines that failed, and whose recording or download is not removed."""
        if not among:
            return set()
        query = select(pipeline_runs.c.id).join(
            recordings, recordings.c.id == pipeline_runs.c.recording_id, isouter=True
        )
        query = query.where(
            pipeline_runs.c.id.in_(among), pipeline_runs.c.state == RunState.FAILED.value,
            recordings.c.deleted_at.is_(None),
        )  # fmt: skip
        return {row["id"] for row in await self._db.read(query)}
