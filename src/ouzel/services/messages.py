"""Messages as people see them."""

from __future__ import annotations

from datetime import datetime

from ouzel.base.errors import Conflict, NotFound
from ouzel.model.happening import Happening
from ouzel.model.messages import Message, MessageState
from ouzel.store.db import Db
from ouzel.store.messages import MessageFilter, MessageRepo


class Messages:
    def __init__(self, db: Db) -> None:
        self._db = db
        self._repo = MessageRepo(db)

    async def page(
        self, which: MessageFilter, *, before: tuple[datetime, str] | None = None, limit: int = 60
    ) -> list[Message]:
        """The latest first. `before`: instant and id of the one after which to go on."""
        return await self._repo.page(which, before=before, limit=limit)

    async def count(self, which: MessageFilter) -> int:
        return await self._repo.count(which)

    async def retry(self, message_id: str) -> Message:
        """Send one again that failed. Raises: NotFound, Conflict."""
        async with self._db.transaction() as tx:
            message = await self._repo.get_in(tx, message_id)
            if message is None:
                raise NotFound(f"there is no message {message_id[:40]}")
            if message.state is not MessageState.FAILED:
                raise Conflict(f"the message has not failed: it is {message.state}")
            await self._repo.again_in(tx, message_id)
            data = {"state": MessageState.WAITING.value, "target": message.target, "code": message.code}
            tx.emit(Happening("message.changed", message.id, data, message.channel_id))
            again = await self._repo.get_in(tx, message_id)
        assert again is not None
        return again
