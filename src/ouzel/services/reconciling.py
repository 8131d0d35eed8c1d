"""Makes what is wanted agree with what is set: after each edit, and now and then whatever happened.

Who watches a platform is wanted as long as one of its channels is watched; what is on air is decided anew when settings change.
"""

from __future__ import annotations

from contextlib import suppress

import anyio

from ouzel.base.errors import NotFound
from ouzel.model.happening import StoredEvent
from ouzel.model.ownership import POLL, Ownership, key_of
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.channels import Channels
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.db import Db, Tx

_EVERY_S = 30.0
_EDITS = frozenset({"channel.added", "channel.changed", "channel.removed", "channel.merged", "layer.changed"})


class Reconciler:
    def __init__(self, db: Db, channels: Channels, broadcasts: Broadcasts, ownership: Ownership[Tx]) -> None:
        self._channels = channels
        self._broadcasts = broadcasts
        self._ownership = ownership
        self._aired = BroadcastRepo(db)
        self._wanted: set[str] = set()
        self._edited: set[str] | None = None
        """Ids of channels; None: all."""
        self._wake = anyio.Event()

    def hear(self, event: StoredEvent) -> None:
        """For `Db.listen`."""
        if event.code not in _EDITS:
            return
        if event.code == "layer.changed":
            self._edited = None
        elif self._edited is not None:
            self._edited.add(event.subject)
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake = anyio.Event()
            edited, self._edited = self._edited, set()
            await self._watchers()
            await self._on_air(edited)
            with anyio.move_on_after(_EVERY_S):
                await self._wake.wait()

    async def _watchers(self) -> None:
        wanted = {channel.platform for channel in self._channels.all() if channel.watch}
        for platform in wanted - self._wanted:
            await self._ownership.want(key_of(POLL, platform), {"platform": platform})
        for platform in self._wanted - wanted:
            await self._ownership.unwant(key_of(POLL, platform))
        self._wanted = wanted

    async def _on_air(self, edited: set[str] | None) -> None:
        for broadcast in await self._aired.open():
            if edited is None or broadcast.channel_id in edited or not self._is_there(broadcast.channel_id):
                await self._broadcasts.reconsider(broadcast.channel_id, anew=edited is None or bool(edited))

    def _is_there(self, channel_id: str) -> bool:
        with suppress(NotFound):
            self._channels.get(channel_id)
            return True
        return False
