"""A followed folder is obeyed: its files are the truth for their channels, and what they change is changed, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from ouzel.base.errors import InputError, OuzelError
from ouzel.config.exports import Export
from ouzel.model.channel import Channel
from ouzel.services.channel_forms import ChannelEdit, NewChannel
from ouzel.services.channels import Channels
from ouzel.services.exports import Exports
from ouzel.services.following import FollowChange, Follower
from ouzel.services.import_plan import ImportPlan, PlannedChannel, Remark
from ouzel.services.importing import new_channel
from ouzel.services.last_said import LastSaid, Said, is_scope, layers_said, line
from ouzel.services.notices import Notices
from ouzel.store.db import Db
from ouzel.store.followed import Place

_log = logging.getLogger(__name__)
_AGAIN_S = 30.0
_OF_LINES: Sequence[str] = ("quality", "mode")
"""What a line of a room list says of its room, be it by saying nothing."""


class Obedience:
    """Keeps the channels of a followed folder as its files say."""

    def __init__(
        self,
        db: Db,
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
        self._exports = Exports(db)
        self._said = LastSaid(db, channels.box, folder)
        self._bad_lines: Mapping[str, Sequence[Remark]] = {}
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
            data = {"path": problem.file, "why": problem.of.code, "problems": [_told(problem)]}
            await self._notices.raise_notice(f"follow.problem:{problem.file}", "follow.problem", data=data)
        for file in change.mended:
            await self._notices.over(f"follow.problem:{file}")
        await self._tell_bad_lines(change.plan)
        readable = {file for file, _ in change.plan.files} - {*change.doubtful}
        before = await self._said.read()
        layers = layers_said(change.plan)
        if change.plan.pipelines or change.plan.policies:
            named = Export(pipelines=change.plan.pipelines, policies=change.plan.policies)
            await self._exports.put_back(named, by=self._by)
        await self._layers(before, layers, readable)
        await self._remove(change.plan, readable)
        lines = {(each.file, each.url): line(_followed(each)) for each in change.plan.channels}
        refused = await self._lines(before, change.plan)
        taken = {place: doc for place, doc in lines.items() if place not in refused}
        await self._said.keep({**layers, **taken}, readable=readable)

    # -- settings of many channels ------------------------------------------------------------------------------------

    async def _layers(self, before: Said, now: Said, readable: set[str]) -> None:
        """What the files do not say any more goes, unless somebody has set it otherwise meanwhile."""
        gone: Said = {p: {} for p in before if p not in now and p[0] in readable and is_scope(p[1])}
        said_now = {(scope, name) for (_, scope), layer in now.items() for name in layer}
        for place, layer in {**gone, **now}.items():
            scope, said = place[1], before.get(place, {})
            held = self._channels.opened_layer(scope)
            patch = {name: each for name, each in layer.items() if said.get(name) != each and held.get(name) != each}
            patch |= {
                name: None for name, each in said.items() if (scope, name) not in said_now and held.get(name) == each
            }
            if patch:
                await self._channels.set_layer(scope, patch, by=self._by)

    # -- channels -----------------------------------------------------------------------------------------------------

    async def _remove(self, plan: ImportPlan, readable: set[str]) -> None:
        wanted = {each.url for each in plan.channels}
        for channel in self._channels.all():
            if channel.follows in readable and not wanted.intersection(channel.addresses):
                await self._channels.remove(channel.id, by=self._by)

    async def _lines(self, before: Said, plan: ImportPlan) -> set[Place]:
        """Those that say something else than before. Returns: those that could not be taken."""
        news = [each for each in plan.channels if before.get((each.file, each.url)) != line(_followed(each))]
        refused: dict[Place, OuzelError] = {}
        there = {address: channel for channel in self._channels.all() for address in channel.addresses}
        gone = [each for each in news if each.url not in there]
        trash = {address: each for each in await self._channels.removed() for address in each.addresses} if gone else {}
        new: list[PlannedChannel] = []
        for planned in gone:
            channel = trash.get(planned.url)
            if channel is None or channel.follows != planned.file:
                new.append(planned)
                continue
            try:
                there[planned.url] = await self._channels.restore(channel.id, by=self._by)
            except InputError as exc:
                refused[planned.file, planned.url] = exc
        done = await self._channels.add_many([_followed(each) for each in new], by=self._by)
        refused |= {(p.file, p.url): each for p, each in zip(new, done, strict=True) if isinstance(each, OuzelError)}
        for planned in news:
            channel = there.get(planned.url)
            try:
                if channel is not None:
                    await self._change(channel, planned, before.get((planned.file, planned.url)))
            except InputError as exc:
                refused[planned.file, planned.url] = exc
        for planned in news:
            if (why := refused.get((planned.file, planned.url))) is not None:
                _log.warning("%s, line %d: %s", planned.file, planned.line, why)
        return {*refused}

    async def _change(self, channel: Channel, planned: PlannedChannel, said: Mapping[str, Any] | None) -> None:
        """Args: said: by its line before; None: nothing yet."""
        wish = _followed(planned)
        was = said or {"name": "", "watch": None, "settings": {}}
        given, had = wish.settings, channel.settings
        patch = {
            name: value
            for name, value in given.items()
            if was["settings"].get(name) != value and had.get(name) != value
        }
        left: Mapping[str, Any] = was["settings"] if said else {name: had.get(name) for name in _OF_LINES}
        patch |= {name: None for name, value in left.items() if name not in given and had.get(name, value) == value}
        edit = ChannelEdit(
            name=wish.name if wish.name != was["name"] and (wish.name or channel.name == was["name"]) else None,
            watch=wish.watch if wish.watch != was["watch"] else None,
            settings=patch or None,
            follows=planned.file,
        )
        await self._channels.edit(channel.id, edit, by=self._by)

    # -- telling ------------------------------------------------------------------------------------------------------

    async def _tell_bad_lines(self, plan: ImportPlan) -> None:
        """Lines and values that cannot be taken: all others count."""
        bad: dict[str, list[Remark]] = {}
        for each in plan.problems:
            bad.setdefault(each.file, []).append(each)
        before, self._bad_lines = self._bad_lines, bad
        for file in {**before, **bad}:
            key = f"follow.lines:{file}"
            if file not in bad:
                await self._notices.over(key)
            elif bad[file] != before.get(file):
                why = "; ".join(f"line {each.of.line}: {each.of.fields.get('why', each.of.code)}" for each in bad[file])
                _log.warning("%s: %s", file, why)
                data = {"path": file, "why": why, "problems": [*map(_told, bad[file])]}
                await self._notices.raise_notice(key, "follow.problem", data=data)


def _told(remark: Remark) -> dict[str, Any]:
    """Of what a sentence is made in any language."""
    return {"line": remark.of.line, "code": remark.of.code, "about": dict(remark.of.fields)}


def _followed(planned: PlannedChannel) -> NewChannel:
    """A line that is paused stops what runs, too."""
    new = new_channel(planned, follows=planned.file)
    if planned.paused and new.settings.get("mode", "record") == "record":
        return replace(new, settings={**new.settings, "mode": "manual"})
    return new
