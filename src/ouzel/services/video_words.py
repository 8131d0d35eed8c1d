"""The index of words follows the library: soon after each change, and before each search for what was changed until then."""

from __future__ import annotations

import logging

import anyio

from ouzel.base.errors import OuzelError
from ouzel.model.happening import StoredEvent
from ouzel.store.db import Db
from ouzel.store.video_words import WordRepo

_log = logging.getLogger(__name__)
_AT_ONCE = 200
_CHANGES = ("recording.", "download.", "import.", "video.", "channel.", "tag.")
_AGAIN_S = 30.0


class VideoWords:
    def __init__(self, db: Db) -> None:
        self._db = db
        self._repo = WordRepo(db)
        self._turn = anyio.Lock()
        self._changed = anyio.Event()
        self._changed.set()

    def hear(self, event: StoredEvent) -> None:
        if event.code.startswith(_CHANGES):
            self._changed.set()

    async def run(self) -> None:
        """Until cancelled. What was left by the last start comes first."""
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            try:
                await self.settle()
            except OuzelError as exc:  # of the disk with the database
                _log.warning("words of videos could not be written: %s", exc)
                await anyio.sleep(_AGAIN_S)
                self._changed.set()

    async def settle(self) -> None:
        """Whatever is due now is written when this returns. Raises: StorageError, DatabaseDamaged."""
        if not await self._repo.is_due():
            return
        async with self._turn:
            while True:
                async with self._db.transaction() as tx:
                    if await self._repo.write_in(tx, _AT_ONCE) < _AT_ONCE:
                        return
