"""Whether everything works, in words that anybody may read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from sqlalchemy import select, text

from ouzel.base.errors import OuzelError
from ouzel.store.db import Db

Check: TypeAlias = Callable[[], Awaitable[bool]]
"""Whether it works. What it raises on purpose means that it does not."""


class Health:
    """Named checks. The database has one from the beginning; other rooms add theirs."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._checks: dict[str, Check] = {"database": self._database}

    def add(self, name: str, check: Check) -> None:
        """
        Args:
            name: a word that gives nothing away: everybody can read it.
        """
        self._checks[name] = check

    async def degraded(self) -> list[str]:
        """Names of what does not work as it should."""
        return [name for name, check in self._checks.items() if not await _works(check)]

    async def _database(self) -> bool:
        return await self._db.scalar(select(text("1"))) == 1


async def _works(check: Check) -> bool:
    try:
        return await check()
    except OuzelError:
        return False
