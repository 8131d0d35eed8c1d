"""Where copies go: made, changed and taken away. Nothing is accepted that could not be written to, read from and removed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from ouzel.base.errors import BadOption, Conflict, NotFound, RemoteError, ToolMissing
from ouzel.base.ids import new_id
from ouzel.engine.transfer.transport import Settings, Transport
from ouzel.model.remotes import Copy, Remote, check_settings, key_of, secrets_of
from ouzel.model.targets import HIDDEN
from ouzel.services.named import NamedThings
from ouzel.services.settings import SecretBox, open_layer, seal
from ouzel.store.copies import CopyRepo
from ouzel.store.db import Db, Tx
from ouzel.store.named import Named, NamedRepo, kept_as_doc
from ouzel.store.pipelines import PipelineRepo
from ouzel.store.tables import remotes

KIND = "remote"
"""Of its revisions."""
STEP = "upload"
_TEST = ".ouzel-test-"


class Ways(Protocol):
    """`engine.transfer.transports.Transports`."""

    def open(self, kind: str, settings: Settings) -> Transport: ...


class Remotes(NamedThings[Remote]):
    """Args:
    ways: None: nothing is sent or tried.
    """

    kind = KIND

    def __init__(self, db: Db, box: SecretBox, ways: Ways | None = None) -> None:
        super().__init__(db, remote_repo(db), KIND)
        self.copies = CopyRepo(db)
        self._box = box
        self._ways = ways
        self._pipelines = PipelineRepo(db)

    def parse(self, doc: Mapping[str, Any]) -> Remote:
        return Remote.parse(doc)

    def render(self, spec: Remote) -> dict[str, Any]:
        return spec.doc()

    async def check_removal_in(self, tx: Tx, name: str) -> None:
        named = [
            each.name
            for each in await self._pipelines.all_in(tx)
            if any(step.name == STEP and step.fields.get("to") == name for step in each.spec)
        ]
        if named:
            raise Conflict(f"pipelines copy to the remote {name}: {', '.join(named)}", pipelines=len(named))

    async def add(self, name: str, doc: Mapping[str, Any], *, by: str) -> Named[Remote]:
        """Args: doc: as `Remote.parse` reads it, in the clear. Raises: BadOption when it does not work; Conflict."""
        if await self._repo.get(name) is not None:
            raise Conflict(f"there is a remote {name} already", existing=name)
        return await self.put_new(name, await self._accept(Remote.parse(doc)), by=by)

    async def change(
        self, name: str, patch: Mapping[str, Any], *, by: str, revision: int | None = None
    ) -> Named[Remote]:
        """Args: patch: of `settings` only what is named is changed; null takes it away, and what is shown hidden stays as it was.

        Raises: NotFound, BadOption, ChangedSince.
        """
        before = await self.get(name)
        held = self.opened(before.spec)
        given: Mapping[str, Any] = patch.get("settings") or {}
        changed = {key: value for key, value in given.items() if value != HIDDEN}
        spec = await self._accept(replace(before.spec, settings=held | changed))
        if self.opened(spec) == held:  # sealed anew it would be another text
            spec = before.spec
        expected = before.revision if revision is None else revision
        return await self.put(name, spec, by=by, revision=expected)

    async def _accept(self, remote: Remote) -> Remote:
        """Checked, tried and sealed. Raises: BadOption."""
        settings = check_settings(remote.kind, remote.settings)
        if self._ways is not None:
            try:
                await self._try(remote.kind, settings)
            except (RemoteError, ToolMissing) as exc:
                raise BadOption(f"this remote does not work: {exc}", pointer="/settings", cause=exc.code) from exc
        return replace(remote, settings=seal(settings, secrets_of(remote.kind), self._box))

    def opened(self, remote: Remote) -> dict[str, Any]:
        """Its settings in the clear. Raises: SecretUnreadable."""
        return open_layer(remote.settings, self._box)

    async def test(self, name: str) -> None:
        """Write, read and remove a small file there. Raises: NotFound, RemoteError, ToolError."""
        remote = (await self.get(name)).spec
        await self._try(remote.kind, self.opened(remote))

    async def _try(self, kind: str, settings: Settings) -> None:
        assert self._ways is not None
        await self._ways.open(kind, settings).test(key_of(settings, _TEST + new_id(self._db.clock.now())))

    async def way(self, name: str) -> tuple[Transport, dict[str, Any]]:
        """The way to it, and its settings in the clear. Raises: NotFound."""
        remote = (await self.get(name)).spec
        settings = self.opened(remote)
        assert self._ways is not None
        return self._ways.open(remote.kind, settings), settings

    async def copies_of(self, item: str) -> list[Copy]:
        """Of a recording or download, also of one that is here no more. Raises: NotFound: nothing is known of it."""
        found = await self.copies.of(item)
        if not found:
            raise NotFound(f"there are no copies of {item[:40]}")
        return found


def remote_repo(db: Db) -> NamedRepo[Remote]:
    return kept_as_doc(db, remotes, Remote.parse, Remote.doc)


def shown_remote(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Of a stored document what may be shown."""
    return Remote.parse(doc).shown()
