"""Who is signed in, and the link by which the first account is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from ouzel.store.db import Db, Tx
from ouzel.store.tables.users import sessions, setup_links


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A refresh token, without itself."""

    token_hash: str
    family: str
    user_id: str
    rotated_to: str | None
    created_at: datetime
    expires_at: datetime
    user_agent: str
    address: str


class SessionRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def get_in(self, tx: Tx, token_hash: str) -> SessionRow | None:
        row = await tx.one(select(sessions).where(sessions.c.token_hash == token_hash))
        return SessionRow(**row) if row is not None else None

    async def alive(self, family: str, now: datetime) -> bool:
        query = select(func.count()).where(sessions.c.family == family, sessions.c.expires_at > now)
        return bool(await self._db.scalar(query))

    async def add_in(self, tx: Tx, row: SessionRow, *, instead_of: str | None = None) -> None:
        """`instead_of`: hash of the token that it was given for, which is of no use any more."""
        values = {name: getattr(row, name) for name in SessionRow.__slots__}
        await tx.execute(insert(sessions).values(**values))
        if instead_of is not None:
            await tx.execute(
                update(sessions).where(sessions.c.token_hash == instead_of).values(rotated_to=row.token_hash)
            )

    async def end_in(self, tx: Tx, family: str) -> None:
        await tx.execute(delete(sessions).where(sessions.c.family == family))

    async def end_all_in(self, tx: Tx, user_id: str, *, but: str | None = None) -> None:
        """All of a user; `but`: the family that stays."""
        query = delete(sessions).where(sessions.c.user_id == user_id)
        await tx.execute(query if but is None else query.where(sessions.c.family != but))

    async def sweep_in(self, tx: Tx, now: datetime) -> None:
        """What has expired goes."""
        await tx.execute(delete(sessions).where(sessions.c.expires_at <= now))

    async def set_setup_link_in(self, tx: Tx, token_hash: str | None, now: datetime) -> None:
        """In place of any before it; None: there is none any more."""
        await tx.execute(delete(setup_links))
        if token_hash is not None:
            await tx.execute(insert(setup_links).values(token_hash=token_hash, created_at=now))

    async def is_setup_link_in(self, tx: Tx, token_hash: str) -> bool:
        return await tx.one(select(setup_links).where(setup_links.c.token_hash == token_hash)) is not None
