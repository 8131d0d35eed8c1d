"""What was edited, by whom, and how it was before: to be looked at, and to be undone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ouzel.base.errors import NotFound
from ouzel.base.urls import redact
from ouzel.services.channels import Channels
from ouzel.services.remotes import KIND as REMOTE
from ouzel.services.remotes import shown_remote
from ouzel.services.settings import shown_layer
from ouzel.services.targets import KIND as TARGET
from ouzel.services.targets import shown_target
from ouzel.store.channels import ChannelRepo, RevisionFilter
from ouzel.store.db import Db


@dataclass(frozen=True, slots=True)
class Revision:
    """One edit. Secrets are hidden in it."""

    number: int
    kind: str
    """`channel`, `layer`, `policy`, `pipeline`, `target`, `route`, `remote`, `video`."""
    subject: str
    """Id of the channel or video, scope of the layer, name of all others."""
    revision: int
    action: str
    batch: str | None
    """What was edited together is undone together."""
    by: str
    at: datetime
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class Named(Protocol):
    """Who keeps one sort of things that have names."""

    kind: str

    async def undo(self, number: int, *, by: str) -> str:
        """Returns: the name. Raises: NotFound; Conflict."""
        ...


class Revisions:
    def __init__(self, db: Db, channels: Channels, named: Sequence[Named]) -> None:
        """`named`: those who keep what has a name, and undo what was edited of it."""
        self._repo = ChannelRepo(db)
        self._channels = channels
        self._named = {each.kind: each for each in named}

    async def page(self, which: RevisionFilter, *, before: int | None = None, limit: int = 50) -> list[Revision]:
        """The latest first. `before`: only those with smaller numbers."""
        return [_revision(row) for row in await self._repo.revisions_of(which, before=before, limit=limit)]

    async def count(self, which: RevisionFilter) -> int:
        return await self._repo.count_revisions(which)

    async def together(self, number: int) -> list[Revision]:
        """This one, and all that were made together with it. Raises: NotFound."""
        rows = await self._repo.together(number)
        if not rows:
            raise NotFound(f"there is no revision {number}")
        return [_revision(row) for row in rows]

    async def undo(self, number: int, *, by: str) -> list[str]:
        """Returns: ids, scopes and names of what is as before. Raises: NotFound; Conflict when it was changed since."""
        [first, *_] = await self.together(number)
        if (named := self._named.get(first.kind)) is not None:
            return [await named.undo(number, by=by)]
        return await self._channels.undo(number, by=by)


def hides(revisions: Collection[Revision], channel_ids: Sequence[str] | None) -> bool:
    """Whether one of them is of something that is not among these channels; None: all may be seen."""
    if channel_ids is None:
        return False
    seen = set(channel_ids)
    return any(each.kind != "channel" or each.subject not in seen for each in revisions)


def _revision(row: Mapping[Any, Any]) -> Revision:
    values: dict[str, Any] = dict(row)
    shown = _SHOWN.get(values["kind"], dict)
    for name in ("before", "after"):
        values[name] = None if values[name] is None else shown(values[name])
    return Revision(**values)


def _shown_channel(doc: Mapping[str, Any]) -> dict[str, Any]:
    addresses = [redact(address) for address in doc["addresses"]]
    return {**doc, "addresses": addresses, "settings": shown_layer(doc["settings"])}


_SHOWN: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "channel": _shown_channel, "layer": shown_layer, TARGET: shown_target, REMOTE: shown_remote,
}  # fmt: skip
