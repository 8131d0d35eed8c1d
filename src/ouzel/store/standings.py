"""What is known of each channel, and what was known before, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import RowMapping

from ouzel.model.happening import Happening
from ouzel.model.standing import Standing
from ouzel.store.db import Db, Tx
from ouzel.store.tables.channels import channels
from ouzel.store.tables.standings import standing_history, standings

KEPT = 500
"""Rows of history for each channel."""
_BRIEF = [column for column in standings.c if column.name != "evidence"]
_NAMES = tuple(column.name for column in standings.c)
_ROW = upsert(standings)
_UPSERT = _ROW.on_conflict_do_update(
    index_elements=["channel_id"],
    set_={column.name: _ROW.excluded[column.name] for column in standings.c if not column.primary_key},
)


class StandingRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def all(self) -> dict[str, Standing]:
        """By channel. Without evidence, which may be much."""
        return await self._read(select(*_BRIEF))

    async def _read(self, query: Executable) -> dict[str, Standing]:
        docs: list[dict[str, Any]] = [dict(row) for row in await self._db.read(query)]
        return {doc["channel_id"]: Standing(**doc) for doc in docs}

    async def of_platform(self, platform: str) -> dict[str, Standing]:
        """The same for the channels of one platform."""
        of_it = standings.c.channel_id.in_(select(channels.c.id).where(channels.c.platform == platform))
        return await self._read(select(*_BRIEF).where(of_it))

    async def of(self, channel_ids: Sequence[str]) -> dict[str, Standing]:
        """The same for these channels."""
        return await self._read(select(*_BRIEF).where(standings.c.channel_id.in_(channel_ids)))

    async def get(self, channel_id: str) -> Standing | None:
        row = await self._db.one(select(standings).where(standings.c.channel_id == channel_id))
        return _standing_of(row) if row is not None else None

    async def history(self, channel_id: str, *, before: int | None = None, limit: int = 50) -> Sequence[RowMapping]:
        """The latest first. `before`: only those with smaller numbers."""
        query = select(standing_history).where(standing_history.c.channel_id == channel_id)
        if before is not None:
            query = query.where(standing_history.c.number < before)
        return await self._db.read(query.order_by(standing_history.c.number.desc()).limit(limit))

    async def count_history(self, channel_id: str) -> int:
        mine = standing_history.c.channel_id == channel_id
        return await self._db.scalar(select(func.count()).select_from(standing_history).where(mine))

    async def put_in(self, tx: Tx, *told: Standing) -> None:
        """As they are now. None of them twice."""
        if told:
            await tx.execute(_UPSERT, [_row_of(each) for each in told])

    async def change_in(self, tx: Tx, standing: Standing, before: str) -> None:
        """The same for one whose state or reason is another: with a row of history, and an event. `before`: its last state."""
        await self.put_in(tx, standing)
        row: dict[str, Any] = {
            "channel_id": standing.channel_id, "at": standing.asked_at or standing.since, "state": standing.state,
            "code": standing.code, "why": standing.why, "evidence": [*standing.evidence],
        }  # fmt: skip
        await tx.execute(insert(standing_history).values(row))
        mine = standing_history.c.channel_id == standing.channel_id
        oldest = select(standing_history.c.number).where(mine).order_by(standing_history.c.number.desc())
        await tx.execute(
            delete(standing_history).where(
                mine, standing_history.c.number <= oldest.offset(KEPT).limit(1).scalar_subquery()
            )
        )
        data = {
            "state": standing.state, "before": before, "code": standing.code, "why": standing.why,
            "adapter": standing.adapter, "evidence": [*standing.evidence[-1:]],
        }  # fmt: skip
        tx.emit(Happening("channel.standing", standing.channel_id, data, standing.channel_id))


def _row_of(standing: Standing) -> dict[str, Any]:
    return {name: getattr(standing, name) for name in _NAMES} | {"evidence": [*standing.evidence]}


def _standing_of(row: RowMapping) -> Standing:
    doc: dict[str, Any] = dict(row)
    evidence: list[Any] = doc.pop("evidence") or []
    return Standing(**doc, evidence=tuple(evidence))
