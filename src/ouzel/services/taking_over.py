"""Taking over from other programs: an import becomes channels, settings and recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ouzel.base.errors import Conflict, OuzelError
from ouzel.base.ids import new_id
from ouzel.config.exports import Export
from ouzel.model.broadcast import Broadcast, BroadcastState
from ouzel.model.channel import Channel, folder_name
from ouzel.model.download_tasks import Download
from ouzel.model.recording import FileState, RecordedFile, Recording
from ouzel.model.states import RecordingState
from ouzel.services.adoption import AdoptedFile, AdoptedRecording, AdoptionPlan
from ouzel.services.channels import Channels
from ouzel.services.exports import Exports
from ouzel.services.import_plan import ImportPlan, PlannedChannel, PlannedDownload
from ouzel.services.importing import new_channel
from ouzel.services.places import Places
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx
from ouzel.store.recordings import RecordingRepo

ADOPTED = "adopted"
"""The platform of a channel of which there are recordings, and nothing else is known."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a plan."""

    added: tuple[Channel, ...] = ()
    already: tuple[PlannedChannel, ...] = ()
    """They are there: nothing of them was changed."""
    refused: tuple[tuple[PlannedChannel, OuzelError], ...] = ()
    layers: tuple[str, ...] = ()
    """Scopes whose settings were changed."""
    recordings: int = 0
    known: int = 0
    """Recordings that were adopted before."""
    downloads: tuple[tuple[PlannedDownload, Download | OuzelError], ...] = ()


class TakingOver:
    """Args: own_roots: folders of the storage roots by name."""

    def __init__(self, db: Db, channels: Channels, own_roots: Mapping[str, Path]) -> None:
        self._db = db
        self._channels = channels
        self._places = Places(own_roots)
        self._repo = RecordingRepo(db)
        self._aired = BroadcastRepo(db)
        self._rows = ChannelRepo(db)

    async def apply(self, plan: ImportPlan, *, by: str) -> Taken:
        """Channels that are there already stay as they are. What is wrong with one keeps no other out."""
        await Exports(self._db).put_back(Export(pipelines=plan.pipelines), by=by)
        done = await self._channels.add_many([new_channel(each) for each in plan.channels], by=by)
        pairs = [*zip(plan.channels, done, strict=True)]
        for scope, layer in plan.layers.items():
            await self._channels.set_layer(scope, layer, by=by)
        return Taken(
            added=tuple(each for each in done if isinstance(each, Channel)),
            already=tuple(planned for planned, each in pairs if isinstance(each, Conflict)),
            refused=tuple(
                (planned, each)
                for planned, each in pairs
                if isinstance(each, OuzelError) and not isinstance(each, Conflict)
            ),
            layers=tuple(plan.layers),
        )

    # -- recordings that lie on the disk ------------------------------------------------------------------------------

    async def adopt(self, plan: AdoptionPlan, *, by: str) -> Taken:
        """Rows for files that stay where they are. Those that are known already are passed over."""
        adopted = known = 0
        for recording in plan.recordings:
            async with self._db.transaction() as tx:
                if await self._adopt_in(tx, recording, by):
                    adopted += 1
                else:
                    known += 1
        await self._channels.load()
        return Taken(recordings=adopted, known=known)

    async def _adopt_in(self, tx: Tx, found: AdoptedRecording, by: str) -> bool:
        places = [(file, *self._places.place(file.path)) for file in found.files]
        if any([await self._repo.file_at_in(tx, root, path) is not None for _, root, path in places]):
            return False
        channel = await self._channel_in(tx, found, by)
        started = found.started
        broadcast = Broadcast(
            id=new_id(started), channel_id=channel.id, state=BroadcastState.ENDED, started_at=started, told_start=False,
            seen_at=started, ended_at=started, title=found.title, anchor=found.channel,
        )  # fmt: skip
        await self._aired.add_in(tx, broadcast)
        now = self._db.clock.now()
        recording = Recording(
            id=new_id(started), broadcast_id=broadcast.id, channel_id=channel.id, state=RecordingState.DONE,
            title=found.title or found.channel, started_at=started, ended_at=started, updated_at=now,
            end_reason="adopted", bytes=found.bytes,
        )  # fmt: skip
        await self._repo.add_in(tx, recording)
        for number, (file, root, path) in enumerate(places, 1):
            await self._repo.add_file_in(tx, _row(recording, file, number, root, path, now))
        return True

    async def _channel_in(self, tx: Tx, found: AdoptedRecording, by: str) -> Channel:
        """The one of this name; a new one that is not watched where there is none."""
        fold = found.channel.casefold()
        for channel in await self._rows.all_in(tx):
            names = {name.casefold() for name in (channel.name, channel.folder, *channel.aliases)}
            same_site = not found.platform or channel.platform in (found.platform, ADOPTED)
            if fold in names and same_site and channel.deleted_at is None:
                return channel
        at = self._db.clock.now()
        channel = Channel(
            id=new_id(at), addresses=(f"{ADOPTED}:{found.platform or 'unknown'}/{found.channel}",), platform=ADOPTED,
            name=found.channel, named_by_user=True, folder=folder_name(found.channel, ADOPTED), watch=False,
            created_at=at, updated_at=at,
        )  # fmt: skip
        await self._channels.add_row_in(tx, channel, by)
        return channel


def _row(recording: Recording, file: AdoptedFile, number: int, root: str, path: str, now: datetime) -> RecordedFile:
    return RecordedFile(
        id=new_id(now), recording_id=recording.id, part=number, root=root, path=path, state=FileState.CLOSED,
        format=file.format, bytes=file.bytes, opened_at=recording.started_at, closed_at=now,
    )  # fmt: skip
