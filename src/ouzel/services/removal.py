"""Recordings go: into the trash, out of it again, and for good.

For good is three steps, so that a kill at any moment leaves what the next run goes on with: the row says that its files go, and
that nobody brings it back; they are unlinked; the row is away. Each looks again whether it may go: nobody relies on a plan that
was made a while ago.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import anyio.to_thread

from ouzel.base.errors import NotFound, RootMissing
from ouzel.engine.removal import check_inside, remove_file
from ouzel.model.happening import Happening
from ouzel.model.ownership import RunContext
from ouzel.model.recording import RecordedFile
from ouzel.model.retention import Kept, Why
from ouzel.services.channels import Channels
from ouzel.services.storage import RootGate
from ouzel.store.db import Db, Tx
from ouzel.store.recordings import RecordingRepo
from ouzel.store.retention import HeldRecording, RetentionRepo

InUse: TypeAlias = Callable[[], Awaitable[Collection[str]]]
"""Ids of recordings that something works on."""
_OF_TRASH = frozenset({Why.TRASH, Why.LOW, Why.BEGUN, Why.ASKED})


@dataclass(frozen=True, slots=True)
class Request:
    """Why something goes, and who says so."""

    why: Why
    by: str = "retention"


class Removal:
    """Args:
    gates: of the storage roots, by name.
    in_use: what is in use stays.
    """

    def __init__(self, db: Db, channels: Channels, gates: Mapping[str, RootGate], in_use: InUse) -> None:
        self._db = db
        self._repo = RetentionRepo(db)
        self._recordings = RecordingRepo(db)
        self._channels = channels
        self._gates = gates
        self._in_use = in_use

    async def kept(self, held: HeldRecording) -> Kept | None:
        """Why it must stay, as its rows say; None: it need not."""
        if not held.is_over:
            return Kept.NOT_OVER
        if held.pinned or await is_pinned_by_channel(self._channels, held.channel_id):
            return Kept.PINNED
        return Kept.IN_USE if held.id in await self._in_use() else None

    async def trash(self, ctx: RunContext[Tx], recording_id: str, request: Request) -> bool:
        """Put it into the trash. Returns: whether it was done. Raises: StaleOwner, StorageError."""

        async def write(tx: Tx) -> bool:
            held = await self._repo.one_in(tx, recording_id)
            if held is None or held.deleted_at is not None or await self.kept(held) is not None:
                return False
            await self._trash_in(tx, held, request)
            return True

        return await ctx.commit(write)

    async def remove(self, ctx: RunContext[Tx], recording_id: str, request: Request) -> int | None:
        """Its files, and then its row.

        Returns: bytes that are free now; None: it stays.
        Raises: StaleOwner; OutsideRoot, RootMissing, StorageError: the row says that it goes, or is as it was.
        """
        files = (await self._recordings.files([recording_id]))[recording_id]
        await anyio.to_thread.run_sync(self._check, recording_id, files)
        if not await ctx.commit(lambda tx: self._begin_in(tx, recording_id, files, request)):
            return None
        freed = await anyio.to_thread.run_sync(self._unlink, recording_id, files)
        await ctx.commit(lambda tx: self._end_in(tx, recording_id, freed, request))
        return freed

    def _check(self, recording_id: str, files: Sequence[RecordedFile]) -> None:
        """Blocking. Raises: OutsideRoot, RootMissing, StorageError."""
        for root, path in _places(files):
            check_inside(self._gate(root).folder, path, recording_id)

    def _unlink(self, recording_id: str, files: Sequence[RecordedFile]) -> int:
        """Blocking. A disk that goes away meanwhile looks like one without files: then the row must stay.

        Raises: as `_check`.
        """
        places = _places(files)
        freed = sum(remove_file(self._gate(root).folder, path, recording_id) for root, path in places)
        for root, _ in places:
            self._gate(root)
        return freed

    def _gate(self, root: str) -> RootGate:
        """Raises: RootMissing."""
        gate = self._gates.get(root)
        if gate is None:
            raise RootMissing(f"{root[:200]} is none of the storage roots: what is in it is left alone", root=root)
        if not gate.has_marker():
            raise RootMissing(f"the storage root {root} is not mounted", root=root)
        return gate

    # -- rows ---------------------------------------------------------------------------------------------------------

    async def _begin_in(self, tx: Tx, recording_id: str, files: Sequence[RecordedFile], request: Request) -> bool:
        """From here on there is no way back."""
        held = await self._repo.one_in(tx, recording_id)
        if held is None:
            return False
        if held.deleting_at is not None:
            return True
        if await self.kept(held) is not None or (await self._recordings.files([recording_id]))[recording_id] != files:
            return False
        if held.deleted_at is None:
            if request.why in _OF_TRASH:  # somebody took it out of it meanwhile
                return False
            await self._trash_in(tx, held, request)
        await self._recordings.change_in(tx, recording_id, deleting_at=self._db.clock.now())
        return True

    async def _trash_in(self, tx: Tx, held: HeldRecording, request: Request) -> None:
        recording = await self._recordings.get_in(tx, held.id)
        assert recording is not None
        values = {"deleted_at": self._db.clock.now(), "revision": recording.revision + 1}
        await self._recordings.change_in(tx, held.id, **values)
        data = {"removed": True, "by": request.by, "why": request.why.value}
        tx.emit(Happening("recording.removed", held.id, data, held.channel_id))

    async def _end_in(self, tx: Tx, recording_id: str, freed: int, request: Request) -> None:
        held = await self._repo.one_in(tx, recording_id)
        if held is None:
            return
        await self._repo.delete_in(tx, recording_id)
        data = {"title": held.title, "freed_bytes": freed, "by": request.by, "why": request.why.value}
        tx.emit(Happening("recording.deleted", recording_id, data, held.channel_id))


def _places(files: Sequence[RecordedFile]) -> list[tuple[str, str]]:
    """Root and path, also of what was moved and may lie where it was."""
    return [(file.root, file.path) for file in files] + [
        (each.was_root, each.was_path) for each in files if each.was_root
    ]


async def is_pinned_by_channel(channels: Channels, channel_id: str) -> bool:
    """Whether its settings say so, also when it is in the trash."""
    try:
        channel = channels.get(channel_id)
    except NotFound:
        channel = next((each for each in await channels.removed() if each.id == channel_id), None)
    return channel is not None and channels.effective(channel).settings.pin
