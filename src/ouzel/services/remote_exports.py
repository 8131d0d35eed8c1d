"""Remotes as text, and put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ouzel.base.errors import BadConfig, BadOption
from ouzel.model.remotes import KINDS, Remote, check_settings, secrets_of
from ouzel.model.targets import plain_name
from ouzel.services.remotes import Remotes, remote_repo
from ouzel.services.settings import SecretBox, open_layer, seal
from ouzel.services.telling_exports import LEFT_OUT
from ouzel.store.db import Db, Tx


class RemoteExports:
    """Args: box: opens and seals secrets; None: they are left out."""

    def __init__(self, db: Db, box: SecretBox | None) -> None:
        self._db = db
        self._box = box

    async def read(self) -> dict[str, dict[str, Any]]:
        """By name. Raises: SecretUnreadable."""
        return {each.name: self._doc(each.spec) for each in await remote_repo(self._db).all()}

    def _doc(self, remote: Remote) -> dict[str, Any]:
        if self._box is not None:
            return remote.doc() | {"settings": open_layer(remote.settings, self._box)}
        secret = secrets_of(remote.kind)
        shown = {name: value for name, value in remote.settings.items() if name not in secret}
        hidden = [name for name in remote.settings if name in secret]
        return remote.doc() | {"settings": shown} | ({LEFT_OUT: hidden} if hidden else {})

    async def put_back_in(self, tx: Tx, remotes: Mapping[str, Mapping[str, Any]], by: str) -> None:
        """Those that are not there. None is tried: a step that copies to one that does not work tells it.

        Raises: BadConfig.
        """
        if not remotes:
            return
        assert self._box is not None
        known = Remotes(self._db, self._box)
        for name, doc in remotes.items():
            try:
                if await remote_repo(self._db).get_in(tx, plain_name(name, "remote")) is None:
                    await known.put_new_in(tx, name, self._read(doc), by=by)
            except BadOption as exc:
                raise BadConfig(f"remotes.{name[:60]}: {exc}") from None

    def _read(self, doc: Mapping[str, Any]) -> Remote:
        """Of one that came without its secrets what it has. Raises: BadOption."""
        assert self._box is not None
        remote = Remote.parse({key: value for key, value in doc.items() if key != LEFT_OUT})
        without = {each.name for each in KINDS[remote.kind] if each.needed and each.secret} - remote.settings.keys()
        filled = dict(remote.settings) | dict.fromkeys(without, "?")
        settings = {key: value for key, value in check_settings(remote.kind, filled).items() if key not in without}
        return replace(remote, settings=seal(settings, secrets_of(remote.kind), self._box))
