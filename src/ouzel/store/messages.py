"""Messages in the database, and of which events they were made already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, or_, select, tuple_, update

from ouzel.model.messages import MESSAGE_MOVES, Message, MessageState
from ouzel.model.notices import Severity
from ouzel.store.db import Db, Tx
from ouzel.store.tables import messages, telling
from ouzel.store.words import meant_by

_WAITING = messages.c.state == MessageState.WAITING.value


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages. Empty: all."""

    state: str | None = None
    target: str | None = None
    word: str = ""
    """The beginning of the id."""


class MessageRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    # -- of which events ----------------------------------------------------------------------------------------------

    async def told_until(self) -> int | None:
        """Number of the last event of which messages were made; None: nothing was ever told."""
        return await self._db.scalar(select(telling.c.number))

    async def tell_until_in(self, tx: Tx, number: int) -> None:
        done = await tx.execute(update(telling).values(number=number))
        if not done.rowcount:
            await tx.execute(insert(telling).values(id=1, number=number))

    # -- making -------------------------------------------------------------------------------------------------------

    async def add_in(self, tx: Tx, message: Message) -> None:
        """Raises: sqlalchemy.exc.IntegrityError when it was made already."""
        await tx.execute(insert(messages).values(_row(message)))

    async def was_told_in(self, tx: Tx, message: Message, since: datetime) -> bool:
        """Whether the same about the same goes, or went, the same way since then."""
        query = select(messages.c.id).where(
            messages.c.route == message.route, messages.c.target == message.target, messages.c.about == message.about,
            messages.c.created_at > since, messages.c.state != MessageState.DROPPED.value,
        )  # fmt: skip
        return await tx.one(query.limit(1)) is not None

    async def collecting_in(self, tx: Tx, route: str, target: str, now: datetime) -> datetime | None:
        """When what is being collected for a target is sent; None: nothing is."""
        query = select(messages.c.not_before).where(
            _WAITING, messages.c.route == route, messages.c.target == target, messages.c.joined,
            messages.c.not_before > now, messages.c.attempts == 0,
        )  # fmt: skip
        row = await tx.one(query.order_by(messages.c.not_before).limit(1))
        return row["not_before"] if row is not None else None

    # -- sending ------------------------------------------------------------------------------------------------------

    async def waited_for(self) -> list[str]:
        """Targets for which something waits."""
        rows = await self._db.read(select(messages.c.target).where(_WAITING).distinct())
        return [row["target"] for row in rows]

    async def due(self, target: str, now: datetime, *, limit: int) -> list[Message]:
        """What may be sent, in the order in which it happened."""
        ripe = or_(messages.c.not_before.is_(None), messages.c.not_before <= now)
        query = select(messages).where(_WAITING, messages.c.target == target, ripe)
        return [
            message_of(row)
            for row in await self._db.read(query.order_by(messages.c.number, messages.c.id).limit(limit))
        ]

    async def next_at(self, target: str) -> datetime | None:
        """When the next one is due; None: none waits."""
        query = select(messages.c.not_before).where(_WAITING, messages.c.target == target)
        rows = await self._db.read(query.order_by(messages.c.not_before).limit(1))
        return rows[0]["not_before"] if rows else None

    async def change_in(self, tx: Tx, ids: Sequence[str], **values: Any) -> None:
        """Of those that wait."""
        await tx.execute(update(messages).where(_WAITING, messages.c.id.in_(ids)).values(values))

    async def end_in(self, tx: Tx, ids: Sequence[str], state: MessageState, **values: Any) -> None:
        """Raises: ValueError: a bug in the caller."""
        if state not in MESSAGE_MOVES[MessageState.WAITING]:
            raise ValueError(f"a message does not end as {state}")
        await self.change_in(tx, ids, state=state.value, ended_at=self._db.clock.now(), **values)

    async def drop_in(self, tx: Tx, target: str, why: str) -> int:
        """All that waits for a target. Returns: how many."""
        values = {"state": MessageState.DROPPED.value, "why": why, "ended_at": self._db.clock.now()}
        done = await tx.execute(update(messages).where(_WAITING, messages.c.target == target).values(values))
        return done.rowcount

    async def again_in(self, tx: Tx, message_id: str) -> None:
        """One that failed waits as if it were new."""
        values = {"state": MessageState.WAITING.value, "not_before": None, "attempts": 0, "ended_at": None}
        failed = messages.c.state == MessageState.FAILED.value
        await tx.execute(update(messages).where(messages.c.id == message_id, failed).values(values))

    # -- asking -------------------------------------------------------------------------------------------------------

    async def get_in(self, tx: Tx, message_id: str) -> Message | None:
        row = await tx.one(select(messages).where(messages.c.id == message_id))
        return message_of(row) if row is not None else None

    async def page(
        self, which: MessageFilter, *, before: tuple[datetime, str] | None = None, limit: int = 60
    ) -> list[Message]:
        """The latest first. `before`: instant and id of the one after which to go on."""
        query = _filtered(select(messages), which)
        if before is not None:
            query = query.where(tuple_(messages.c.created_at, messages.c.id) < before)
        query = query.order_by(messages.c.created_at.desc(), messages.c.id.desc()).limit(limit)
        return [message_of(row) for row in await self._db.read(query)]

    async def count(self, which: MessageFilter) -> int:
        return await self._db.scalar(_filtered(select(func.count()).select_from(messages), which))


def _filtered(query: Select[Any], which: MessageFilter) -> Select[Any]:
    wanted: list[ColumnElement[bool]] = []
    if which.state is not None:
        wanted.append(messages.c.state == which.state)
    if which.target is not None:
        wanted.append(messages.c.target == which.target)
    if which.word:
        wanted.append(meant_by(which.word, messages.c.id))
    return query.where(*wanted)


def _row(message: Message) -> dict[str, Any]:
    return asdict(message) | {"severity": message.severity.value, "state": message.state.value}


def message_of(row: Mapping[Any, Any]) -> Message:
    fields: dict[str, Any] = {
        **row, "severity": Severity(row["severity"]), "state": MessageState(row["state"]),
    }  # fmt: skip
    return Message(**fields)
