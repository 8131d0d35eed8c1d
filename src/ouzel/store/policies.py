"""Rules that delete, in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select

from ouzel.model.policies import Per, Rule
from ouzel.store.db import Db, Tx
from ouzel.store.named import NamedRepo
from ouzel.store.tables import channels, layers, policies, recordings


class PolicyRepo(NamedRepo[Rule]):
    def __init__(self, db: Db) -> None:
        super().__init__(db, policies, _rule_of, rule_doc)

    async def users_in(self, tx: Tx, name: str) -> tuple[int, int]:
        """How many recordings name it, and how many channels and layers."""
        held = select(func.count().label("recordings")).select_from(recordings).where(recordings.c.policy == name)
        [row] = await tx.read(held)
        own = await tx.read(select(channels.c.settings).where(channels.c.deleted_at.is_(None)))
        shared = await tx.read(select(layers.c.settings))
        return row["recordings"], sum(each["settings"].get("policy") == name for each in (*own, *shared))


def rule_doc(rule: Rule) -> dict[str, Any]:
    """Its columns, which are JSON values."""
    return {**asdict(rule), "per": rule.per.value}


def _rule_of(row: Mapping[Any, Any]) -> Rule:
    return Rule(row["keep_days"], row["keep_bytes"], row["keep_count"], Per(row["per"]), row["keep_free"])
