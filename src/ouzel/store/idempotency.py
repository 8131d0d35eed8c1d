"""Answers to requests that carried an `Idempotency-Key`, kept to be given again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from ouzel.store.db import Tx
from ouzel.store.tables.users import idempotency


@dataclass(frozen=True, slots=True)
class Kept:
    """A request, and its answer once there is one."""

    by: str
    key: str
    fingerprint: str
    status: int | None
    """None: it is still being worked on."""
    headers: Mapping[str, str]
    body: str | None
    """Encrypted."""
    expires_at: datetime


async def reserve_in(tx: Tx, wanted: Kept, now: datetime) -> Kept | None:
    """Whoever used the key before, if that has not expired; None: it is ours from now on."""
    await tx.execute(delete(idempotency).where(idempotency.c.expires_at <= now))
    own = (idempotency.c.by == wanted.by) & (idempotency.c.key == wanted.key)
    row = await tx.one(select(idempotency).where(own))
    if row is not None:
        return Kept(**row)
    values = {name: getattr(wanted, name) for name in Kept.__slots__}
    await tx.execute(insert(idempotency).values(**values))
    return None


async def keep_in(tx: Tx, answer: Kept) -> None:
    """The answer to a request whose key was reserved."""
    own = (idempotency.c.by == answer.by) & (idempotency.c.key == answer.key)
    values = {name: getattr(answer, name) for name in ("status", "headers", "body", "expires_at")}
    await tx.execute(update(idempotency).where(own).values(**values))


async def release_in(tx: Tx, by: str, key: str) -> None:
    """It failed: the same key may be tried again."""
    await tx.execute(delete(idempotency).where(idempotency.c.by == by, idempotency.c.key == key))
