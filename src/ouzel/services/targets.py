"""Where messages go: made, changed and taken away. What is secret of them is sealed before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from ouzel.base.errors import BadOption, Conflict
from ouzel.base.ids import new_id
from ouzel.model.message_templates import Facts, render_message
from ouzel.model.notices import Severity
from ouzel.model.routes import Route
from ouzel.model.targets import HIDDEN, Target, check_settings, secrets_of
from ouzel.notify.sender import Outgoing
from ouzel.services.named import NamedThings
from ouzel.services.settings import SecretBox, open_layer, seal
from ouzel.store.db import Db, Tx
from ouzel.store.named import Named, NamedRepo, kept_as_doc
from ouzel.store.tables import routes, targets
from ouzel.system.zones import zone_of

KIND = "target"
"""Of its revisions."""


class Sending(Protocol):
    """`notify.senders.Senders`."""

    async def send(self, kind: str, settings: Mapping[str, Any], message: Outgoing) -> None:
        """Raises: OuzelError; its class says whether trying again can help."""
        ...

    async def check(self, kind: str, settings: Mapping[str, Any]) -> None:
        """Raises: BadOption for what cannot work."""
        ...


class Targets(NamedThings[Target]):
    """Args:
    senders: None: nothing is sent, and nothing checked that only they can.
    """

    kind = KIND

    def __init__(self, db: Db, box: SecretBox, senders: Sending | None = None, language: str = "en") -> None:
        super().__init__(db, target_repo(db), KIND)
        self._box = box
        self._senders = senders
        self._language = language

    def parse(self, doc: Mapping[str, Any]) -> Target:
        return Target.parse(doc)

    def render(self, spec: Target) -> dict[str, Any]:
        return spec.doc()

    async def check_removal_in(self, tx: Tx, name: str) -> None:
        named = [each.name for each in await kept_as_doc(self._db, routes, Route.parse, Route.doc).all_in(tx)
                 if name in each.spec.targets]  # fmt: skip
        if named:
            raise Conflict(f"routes lead to the target {name}: {', '.join(named)}", routes=len(named))

    async def add(self, name: str, doc: Mapping[str, Any], *, by: str) -> Named[Target]:
        """Args: doc: as `Target.parse` reads it, in the clear. Raises: BadOption, Conflict."""
        return await self.put_new(name, await self.read(doc), by=by)

    async def change(
        self, name: str, patch: Mapping[str, Any], *, by: str, revision: int | None = None
    ) -> Named[Target]:
        """Args: patch: of `settings` only what is named is changed; null takes it away, and what is shown hidden stays as it was.

        Raises: NotFound, BadOption, ChangedSince.
        """
        before = await self.get(name)
        held = before.spec.doc() | {"settings": self.opened(before.spec)}
        given: Mapping[str, Any] = patch.get("settings") or {}
        changed = {key: value for key, value in given.items() if value != HIDDEN}
        spec = await self.read({**held, **patch, "settings": held["settings"] | changed})
        if self.opened(spec) == held["settings"]:  # sealed anew it would be another text
            spec = replace(spec, settings=before.spec.settings)
        expected = before.revision if revision is None else revision
        return await self.put(name, spec, by=by, revision=expected)

    async def read(self, doc: Mapping[str, Any]) -> Target:
        """Checked, and sealed. Raises: BadOption; ToolMissing where what it needs is not installed."""
        target = Target.parse(doc)
        settings = check_settings(target.kind, target.settings)
        _check_zone(target.time_zone)
        if self._senders is not None:
            await self._senders.check(target.kind, settings)
        return replace(target, settings=seal(settings, secrets_of(target.kind), self._box))

    def opened(self, target: Target) -> dict[str, Any]:
        """Its settings in the clear. Raises: SecretUnreadable."""
        return open_layer(target.settings, self._box)

    async def test(self, name: str) -> None:
        """Send a message now, whatever hours it is. Raises: NotFound, and what the sender raises."""
        target = (await self.get(name)).spec
        assert self._senders is not None
        now = self._db.clock.now()
        facts = Facts("test", Severity.INFO, now)
        title, text = render_message(facts, zone_of(target.time_zone), self._language)
        message = Outgoing(new_id(now), title, text, now, code="test")
        await self._senders.send(target.kind, self.opened(target), message)


def target_repo(db: Db) -> NamedRepo[Target]:
    return kept_as_doc(db, targets, Target.parse, Target.doc)


def shown_target(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Of a stored document what may be shown."""
    return Target.parse(doc).shown()


def _check_zone(name: str) -> None:
    try:
        zone_of(name)
    except BadOption as exc:
        exc.context.setdefault("pointer", "/time_zone")
        raise
