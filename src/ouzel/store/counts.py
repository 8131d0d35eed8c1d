"""How many there are of what: for the page of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from ouzel.store.db import Db
from ouzel.store.tables import channels, gaps, jobs, notices, recordings, standings

_STATE: ColumnElement[str] = case(
    (channels.c.watch.is_(False), "unwatched"), else_=func.coalesce(standings.c.state, "unknown")
)


class CountRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def channels(self) -> dict[str, int]:
        """By state; `unwatched`, whatever is known of them."""
        query = select(_STATE.label("what"), func.count().label("many")).select_from(channels)
        query = query.join(standings, standings.c.channel_id == channels.c.id, isouter=True)
        return await self._by(query.where(channels.c.deleted_at.is_(None)).group_by("what"))

    async def recordings(self) -> dict[str, int]:
        """By state; without those in the trash."""
        query = select(recordings.c.state.label("what"), func.count().label("many"))
        return await self._by(query.where(recordings.c.deleted_at.is_(None)).group_by("what"))

    async def kept(self) -> Mapping[Any, Any]:
        """`bytes, media_s, reconnects` of all recordings."""
        query = select(
            func.coalesce(func.sum(recordings.c.bytes), 0).label("bytes"),
            func.coalesce(func.sum(recordings.c.media_s), 0.0).label("media_s"),
            func.coalesce(func.sum(recordings.c.reconnects), 0).label("reconnects"),
        )
        [row] = await self._db.read(query)
        return row

    async def gaps(self) -> dict[str, tuple[int, float]]:
        """By code: how many, and the seconds that are missing."""
        query = select(gaps.c.code, func.count().label("many"), func.sum(gaps.c.missing_s).label("missing_s"))
        rows = await self._db.read(query.group_by(gaps.c.code).order_by(gaps.c.code))
        return {row["code"]: (row["many"], row["missing_s"]) for row in rows}

    async def jobs(self) -> dict[str, int]:
        """By state."""
        return await self._by(select(jobs.c.state.label("what"), func.count().label("many")).group_by("what"))

    async def notices(self) -> dict[str, int]:
        """That are open, by severity."""
        query = select(notices.c.severity.label("what"), func.count().label("many"))
        query = query.where(notices.c.over_at.is_(None), notices.c.dismissed_at.is_(None))
        return await self._by(query.group_by("what"))

    async def _by(self, query: Any) -> dict[str, int]:
        return {row["what"]: row["many"] for row in await self._db.read(query.order_by("what"))}
