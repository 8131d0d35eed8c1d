"""What followed files said when they were obeyed last: only what they say otherwise is news, also after a restart.

So an edit by hand stays until the file says something else of the same value, and what was taken out of a file while no daemon
ran is missed at the next start.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

from ouzel.model.channel import Layer
from ouzel.services.channel_forms import NewChannel
from ouzel.services.import_plan import ImportPlan
from ouzel.services.import_settings import scope_of
from ouzel.services.settings import SecretBox, open_layer, seal_layer
from ouzel.store.db import Db
from ouzel.store.followed import FollowedRepo, Place

Said: TypeAlias = Mapping[Place, Mapping[str, Any]]
"""Of a scope its settings, of an address its `line`."""


class LastSaid:
    """Args: folder: the one that is followed."""

    def __init__(self, db: Db, box: SecretBox, folder: Path) -> None:
        self._db = db
        self._box = box
        self._folder = folder
        self._repo = FollowedRepo(db)
        self._said: dict[Place, Mapping[str, Any]] | None = None

    async def read(self) -> Said:
        """Raises: StorageError; SecretUnreadable for what was encrypted with another key."""
        if self._said is None:
            rows = await self._repo.all()
            self._said = {
                place: _opened(doc, self._box)
                for place, doc in rows.items()
                if Path(place[0]).is_relative_to(self._folder)
            }
        return self._said

    async def keep(self, now: Said, *, readable: Collection[str]) -> None:
        """They were obeyed. Of files that could not be read, what they said before goes on to count. Raises: StorageError."""
        before = await self.read()
        changed = {place: doc for place, doc in now.items() if before.get(place) != doc}
        gone = [place for place in before if place not in now and place[0] in readable]
        if not changed and not gone:
            return
        async with self._db.transaction() as tx:
            await self._repo.put_in(tx, {place: _sealed(doc, self._box) for place, doc in changed.items()})
            await self._repo.forget_in(tx, gone)
        self._said = {place: doc for place, doc in {**before, **now}.items() if place not in gone}


def layers_said(plan: ImportPlan) -> dict[Place, dict[str, Any]]:
    """The settings for many channels, by file and scope."""
    whose = {place: each.file for each in plan.settings if each.of.value is not None and (place := scope_of(each.of))}
    export = next((file for file, format_ in plan.files if format_ == "ouzel"), "")
    said: dict[Place, dict[str, Any]] = {}
    for scope, layer in plan.layers.items():
        for name, value in layer.items():
            said.setdefault((whose.get((scope, name), export), scope), {})[name] = value
    return said


def is_scope(subject: str) -> bool:
    """Whether it is about the settings of many channels, and is not the address of one."""
    return "://" not in subject


def line(wish: NewChannel) -> dict[str, Any]:
    """What a file says of a channel."""
    return {"name": wish.name, "watch": wish.watch, "settings": dict(wish.settings)}


def _sealed(doc: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    return {**seal_layer(doc, box), **{name: seal_layer(layer, box) for name, layer in _inner(doc)}}


def _opened(doc: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    return {**open_layer(doc, box), **{name: open_layer(layer, box) for name, layer in _inner(doc)}}


def _inner(doc: Mapping[str, Any]) -> list[tuple[str, Layer]]:
    """The settings of a line."""
    return [("settings", cast("Layer", doc["settings"]))] if "settings" in doc else []
