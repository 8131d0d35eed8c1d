"""Rules that delete, in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from ouzel.model.policies import Per, Policy, Rule
from ouzel.store.db import Db, Tx
from ouzel.store.tables import channels, layers, policies, recordings


class PolicyRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def all(self) -> list[Policy]:
        """In the order of their names."""
        return [policy_of(row) for row in await self._db.read(select(policies).order_by(policies.c.name))]

    async def get(self, name: str) -> Policy | None:
        row = await self._db.one(select(policies).where(policies.c.name == name))
        return policy_of(row) if row is not None else None

    async def get_in(self, tx: Tx, name: str) -> Policy | None:
        row = await tx.one(select(policies).where(policies.c.name == name))
        return policy_of(row) if row is not None else None

    async def add_in(self, tx: Tx, policy: Policy) -> None:
        await tx.execute(insert(policies).values(row_of(policy)))

    async def change_in(self, tx: Tx, policy: Policy) -> None:
        await tx.execute(update(policies).where(policies.c.name == policy.name).values(row_of(policy)))

    async def remove_in(self, tx: Tx, name: str) -> None:
        await tx.execute(delete(policies).where(policies.c.name == name))

    async def users_in(self, tx: Tx, name: str) -> tuple[int, int]:
        """How many recordings name it, and how many channels and layers."""
        held = select(func.count().label("recordings")).select_from(recordings).where(recordings.c.policy == name)
        [row] = await tx.read(held)
        own = await tx.read(select(channels.c.settings).where(channels.c.deleted_at.is_(None)))
        shared = await tx.read(select(layers.c.settings))
        return row["recordings"], sum(each["settings"].get("policy") == name for each in (*own, *shared))


def row_of(policy: Policy) -> dict[str, Any]:
    rule = policy.rule
    return {
        "name": policy.name, "keep_days": rule.keep_days, "keep_bytes": rule.keep_bytes, "keep_count": rule.keep_count,
        "per": rule.per.value, "keep_free": rule.keep_free, "revision": policy.revision, "created_at": policy.created_at,
        "updated_at": policy.updated_at,
    }  # fmt: skip


def policy_of(row: Mapping[Any, Any]) -> Policy:
    rule = Rule(row["keep_days"], row["keep_bytes"], row["keep_count"], Per(row["per"]), row["keep_free"])
    return Policy(row["name"], rule, row["revision"], row["created_at"], row["updated_at"])
