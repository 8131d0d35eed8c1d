"""Taking over from other programs: an import becomes channels, settings and recordings; a followed folder is obeyed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import anyio

from ouzel.base.errors import Conflict, OuzelError
from ouzel.base.ids import new_id
from ouzel.model.broadcast import Broadcast, BroadcastState
from ouzel.model.channel import Channel, Layer, folder_name
from ouzel.model.recording import FileState, RecordedFile, Recording
from ouzel.model.states import RecordingState
from ouzel.services.adoption import AdoptedFile, AdoptedRecording, AdoptionPlan
from ouzel.services.channel_forms import ChannelEdit, NewChannel
from ouzel.services.channels import Channels
from ouzel.services.following import FollowChange, Follower
from ouzel.services.import_plan import ImportPlan, PlannedChannel
from ouzel.services.importing import new_channel
from ouzel.services.notices import Notices
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx
from ouzel.store.recordings import RecordingRepo

_log = logging.getLogger(__name__)
_AGAIN_S = 30.0
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


class TakingOver:
    """Args: own_roots: folders of the storage roots by name."""

    def __init__(self, db: Db, channels: Channels, own_roots: Mapping[str, Path]) -> None:
        self._db = db
        self._channels = channels
        self._roots = own_roots
        self._repo = RecordingRepo(db)
        self._aired = BroadcastRepo(db)
        self._rows = ChannelRepo(db)

    async def apply(self, plan: ImportPlan, *, by: str) -> Taken:
        """Channels that are there already stay as they are. What is wrong with one keeps no other out."""
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
        places = [(file, *self._place(file.path)) for file in found.files]
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

    def _place(self, path: Path) -> tuple[str, str]:
        """Storage root and path below it; what is in none of them has its own folder as its root."""
        for name, folder in self._roots.items():
            if path.is_relative_to(folder):
                return name, path.relative_to(folder).as_posix()
        return str(path.parent), path.name


def _row(recording: Recording, file: AdoptedFile, number: int, root: str, path: str, now: datetime) -> RecordedFile:
    return RecordedFile(
        id=new_id(now), recording_id=recording.id, part=number, root=root, path=path, state=FileState.CLOSED,
        format=file.format, bytes=file.bytes, opened_at=recording.started_at, closed_at=now,
    )  # fmt: skip


class Obedience:
    """Keeps the channels of a followed folder as its files say."""

    def __init__(
        self,
        channels: Channels,
        notices: Notices,
        follower: Follower,
        folder: Path,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._channels = channels
        self._notices = notices
        self._follower = follower
        self._folder = folder
        self._sleep = sleep
        self._by = f"file:{folder}"
        self._layers_before: Mapping[str, Layer] = {}
        """As the files said last."""
        self._bad_lines: Mapping[str, Sequence[str]] = {}
        """By file; they are told."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            change = await self._follower.next_change()
            while True:
                try:
                    await self.obey(change)
                    break
                except OuzelError as exc:  # the disk of the database is full, say
                    _log.warning("%s is not obeyed yet: %s", self._folder, exc)
                    await self._sleep(_AGAIN_S)

    async def obey(self, change: FollowChange) -> None:
        """Make the list agree with what the files say."""
        for problem in change.problems:
            _log.warning("%s: what it said last goes on to count (%s)", problem.file, problem.of.code)
            data = {"path": problem.file, "why": problem.of.code}
            await self._notices.raise_notice(f"follow.problem:{problem.file}", "follow.problem", data=data)
        for file in change.mended:
            await self._notices.over(f"follow.problem:{file}")
        await self._tell_bad_lines(change.plan)
        there = {address: channel for channel in self._channels.all() for address in channel.addresses}
        await self._layers(change)
        wanted = {each.url: each for each in change.plan.channels}
        readable = {file for file, _ in change.plan.files} - {*change.doubtful}
        for channel in self._channels.all():
            if channel.follows in readable and not any(address in wanted for address in channel.addresses):
                await self._channels.remove(channel.id, by=self._by)
        new = [each for url, each in wanted.items() if url not in there]
        for planned, done in zip(
            new, await self._channels.add_many([_followed(p) for p in new], by=self._by), strict=True
        ):
            if isinstance(done, OuzelError):
                _log.warning("%s, line %d: %s", planned.file, planned.line, done)
        for url, planned in wanted.items():
            channel = there.get(url)
            if channel is not None and channel.follows is not None:
                await self._change(channel, planned)

    async def _change(self, channel: Channel, planned: PlannedChannel) -> None:
        wish = _followed(planned)
        named = wish.name if wish.name and wish.name != channel.name else None
        patch = {name: value for name, value in wish.settings.items() if channel.settings.get(name) != value}
        patch |= {name: None for name in _OF_LINES if name in channel.settings and name not in wish.settings}
        watch = wish.watch if wish.watch != channel.watch else None
        if named is None and not patch and watch is None:
            return
        edit = ChannelEdit(name=named, watch=watch, settings=patch or None)
        await self._channels.edit(channel.id, edit, by=self._by)

    async def _layers(self, change: FollowChange) -> None:
        """What the files do not say any more goes, unless somebody has set it otherwise meanwhile."""
        layers, before = change.plan.layers, self._layers_before
        for scope in {**before, **layers}:
            held = self._channels.opened_layer(scope)
            layer, said = layers.get(scope, {}), before.get(scope, {})
            patch = {name: value for name, value in layer.items() if held.get(name) != value}
            patch |= {name: None for name, value in said.items() if name not in layer and held.get(name) == value}
            if patch:
                await self._channels.set_layer(scope, patch, by=self._by)
        self._layers_before = layers

    async def _tell_bad_lines(self, plan: ImportPlan) -> None:
        """Lines and values that cannot be taken: all others count."""
        bad: dict[str, list[str]] = {}
        for each in plan.problems:
            why = each.of.fields.get("why", each.of.code)
            bad.setdefault(each.file, []).append(f"line {each.of.line}: {why}")
        before, self._bad_lines = self._bad_lines, bad
        for file in {**before, **bad}:
            key = f"follow.lines:{file}"
            if file not in bad:
                await self._notices.over(key)
            elif bad[file] != before.get(file):
                why = "; ".join(bad[file])
                _log.warning("%s: %s", file, why)
                await self._notices.raise_notice(key, "follow.problem", data={"path": file, "why": why})


_OF_LINES: Sequence[str] = ("quality", "mode")
"""What a line of a room list says of its room."""


def _followed(planned: PlannedChannel) -> NewChannel:
    """A line that is paused stops what runs, too."""
    new = new_channel(planned, follows=planned.file)
    if planned.paused and new.settings.get("mode", "record") == "record":
        return replace(new, settings={**new.settings, "mode": "manual"})
    return new
