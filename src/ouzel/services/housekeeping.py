"""What grows with every day, and is not kept for ever: events, the audit log, what is over of jobs and notices."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio

from ouzel.base.errors import OuzelError
from ouzel.store.db import Db
from ouzel.store.housekeeping import PIECE, HousekeepingRepo

_log = logging.getLogger(__name__)
_EVERY_S = 6 * 3600.0
_FIRST_S = 300.0
"""After the start, which has enough to do."""
_APART_S = 1.0
"""Between two pieces: everything else goes first."""


class Housekeeping:
    """The database stays small, whatever happens in the years that it is used."""

    def __init__(
        self, db: Db, repo: HousekeepingRepo | None = None, *, sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    ) -> None:
        self._clock = db.clock
        self._repo = repo or HousekeepingRepo(db)
        self._sleep = sleep

    async def run(self) -> None:
        """Until cancelled."""
        await self._sleep(_FIRST_S)
        while True:
            try:
                await self.sweep()
            except OuzelError as exc:  # of the disk, say: what is old is still so the next time
                _log.warning("old rows could not be removed: %s", exc)
            await self._sleep(_EVERY_S)

    async def sweep(self) -> int:
        """All that is old goes. Returns: how many rows. Raises: StorageError, DatabaseDamaged."""
        total = 0
        while True:
            gone = await self._repo.sweep(self._clock.now())
            total += sum(gone.values())
            if max(gone.values()) < PIECE:
                break
            await self._sleep(_APART_S)
        if total:
            _log.info("%d old rows were removed", total)
        return total
