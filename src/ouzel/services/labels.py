"""Which labels a channel has: what decides who sees it, and all that belongs to it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from ouzel.model.happening import StoredEvent
from ouzel.store.db import Db
from ouzel.store.tables.channels import channels

_MOST = 20_000


class ChannelLabels:
    """Kept until an event of the channel is heard."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._known: dict[str, frozenset[str]] = {}
        self._changes = 0
        self._unlisten = db.listen(self._hear)

    def close(self) -> None:
        self._unlisten()

    async def of(self, channel_id: str) -> frozenset[str]:
        """Also of one in the trash; none of one that is gone."""
        if (known := self._known.get(channel_id)) is not None:
            return known
        changes = self._changes
        labels = frozenset(await self._db.scalar(select(channels.c.labels).where(channels.c.id == channel_id)) or ())
        if changes == self._changes:  # nothing was changed while we asked
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[channel_id] = labels
        return labels

    async def visible(self, grants: Collection[frozenset[str]]) -> list[str] | None:
        """Ids of the channels, in the trash or not, that have a label of each set. None: there is no set, all are visible."""
        if not grants:
            return None
        rows = await self._db.read(select(channels.c.id, channels.c.labels))
        return [row["id"] for row in rows if all(not grant.isdisjoint(row["labels"]) for grant in grants)]

    def _hear(self, event: StoredEvent) -> None:
        if event.code.startswith("channel."):
            self._changes += 1
            self._known.pop(event.channel_id or event.subject, None)
