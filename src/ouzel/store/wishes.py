"""What is wanted, and runs nowhere."""

from __future__ import annotations

from sqlalchemy import select

from ouzel.store.db import Db
from ouzel.store.tables.ownership import owns


async def unclaimed(db: Db) -> list[tuple[str, str]]:
    """Key and kind of what is wanted and nobody's, the most urgent first: it waits for a free place, or is held back."""
    query = select(owns.c.key, owns.c.kind).where(owns.c.want, owns.c.node.is_(None))
    rows = await db.read(query.order_by(owns.c.prio.desc(), owns.c.wanted_at))
    return [(row["key"], row["kind"]) for row in rows]
