"""Targets and routes as text, and put back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ouzel.base.errors import BadConfig, BadOption
from ouzel.model.channel import Channel
from ouzel.model.routes import Route
from ouzel.model.targets import KINDS, Target, check_settings, plain_name, secrets_of
from ouzel.services.routes import Routes, route_repo
from ouzel.services.settings import SecretBox, open_layer, seal
from ouzel.services.targets import Targets, target_repo
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx

LEFT_OUT = "left_out"
"""Names of the secrets that a target has, and its text has not."""


class TellingExports:
    """Args: box: opens and seals secrets; None: they are left out."""

    def __init__(self, db: Db, box: SecretBox | None) -> None:
        self._db = db
        self._box = box
        self._channels = ChannelRepo(db)

    async def targets(self) -> dict[str, dict[str, Any]]:
        """By name: what is otherwise than usual. Raises: SecretUnreadable."""
        return {each.name: self._target(each.spec) for each in await target_repo(self._db).all()}

    def _target(self, target: Target) -> dict[str, Any]:
        secret = secrets_of(target.kind)
        doc = _unusual(target.doc(), Target(target.kind).doc()) | {"kind": target.kind}
        if self._box is not None:
            return doc | {"settings": open_layer(target.settings, self._box)}
        shown = {name: value for name, value in target.settings.items() if name not in secret}
        hidden = [name for name in target.settings if name in secret]
        return doc | {"settings": shown} | ({LEFT_OUT: hidden} if hidden else {})

    async def routes(self) -> dict[str, dict[str, Any]]:
        """By name; channels by their first addresses."""
        addresses = {channel.id: channel.address for channel in await self._channels.all()}
        found: dict[str, dict[str, Any]] = {}
        for each in await route_repo(self._db).all():
            doc = _unusual(each.spec.doc(), Route((), ()).doc())
            if each.spec.channels:
                doc["channels"] = [addresses[id_] for id_ in each.spec.channels if id_ in addresses]
            found[each.name] = doc
        return found

    # -- putting back -------------------------------------------------------------------------------------------------

    async def put_back_in(
        self, tx: Tx, targets: Mapping[str, Mapping[str, Any]], routes: Mapping[str, Mapping[str, Any]], by: str
    ) -> None:
        """Those that are not there. A target that came without its secrets is switched off until it is given them.

        Raises: BadConfig.
        """
        if not targets and not routes:
            return
        assert self._box is not None
        known, served = Targets(self._db, self._box), Routes(self._db)
        channels = await self._channels.all()
        for name, doc in targets.items():
            try:
                if await target_repo(self._db).get_in(tx, plain_name(name, "target")) is None:
                    await known.put_new_in(tx, name, self._read(doc), by=by)
            except BadOption as exc:
                raise BadConfig(f"targets.{name[:60]}: {exc}") from None
        for name, doc in routes.items():
            try:
                if await route_repo(self._db).get_in(tx, plain_name(name, "route")) is None:
                    await served.put_new_in(tx, name, _route(doc, channels), by=by)
            except BadOption as exc:
                raise BadConfig(f"routes.{name[:60]}: {exc}") from None

    def _read(self, doc: Mapping[str, Any]) -> Target:
        """Raises: BadOption."""
        assert self._box is not None
        target = Target.parse({key: value for key, value in doc.items() if key != LEFT_OUT})
        needed = {each.name for each in KINDS[target.kind] if each.needed}
        if needed - target.settings.keys():
            return replace(target, settings=seal(target.settings, secrets_of(target.kind), self._box), enabled=False)
        settings = check_settings(target.kind, target.settings)
        return replace(target, settings=seal(settings, secrets_of(target.kind), self._box))


def _route(doc: Mapping[str, Any], channels: Collection[Channel]) -> Route:
    """With ids of channels in place of addresses; where none of them is here, it is switched off. Raises: BadOption."""
    route = Route.parse(doc)
    if not route.channels:
        return route
    ids = {address: channel.id for channel in channels for address in channel.addresses}
    found = tuple(ids[each] for each in route.channels if each in ids)
    return replace(route, channels=found, enabled=route.enabled and bool(found))


def _unusual(doc: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in doc.items() if value != usual[name]}
