"""Everything that people have set, as text: read from the database, and what channels and layers leave over put back into it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ouzel.base.errors import BadConfig, BadOption
from ouzel.base.ids import new_id
from ouzel.base.urls import redact
from ouzel.config.exports import Export, ExportedChannel, render_export
from ouzel.engine.sinks.file import storage_error, sync_folder
from ouzel.model.channel import Channel, Layer
from ouzel.model.channel_settings import SECRETS
from ouzel.model.happening import Happening
from ouzel.model.pipelines import parse_steps, short_step
from ouzel.model.policies import Per, Rule, check_rule
from ouzel.model.targets import plain_name
from ouzel.model.users import Role, User, name_key
from ouzel.platforms.registry import registry
from ouzel.services.importing import exported
from ouzel.services.remote_exports import RemoteExports
from ouzel.services.settings import SecretBox, open_layer
from ouzel.services.telling_exports import TellingExports
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx
from ouzel.store.named import Named
from ouzel.store.pipelines import PipelineRepo
from ouzel.store.policies import PolicyRepo
from ouzel.store.users import UserRepo

_PAGE = 500
_HASH = re.compile(r"\$argon2(id|i|d)\$v=\d+\$m=\d{1,7},t=\d{1,3},p=\d{1,2}\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}")


class Exports:
    """Args: box: opens secrets; None: they are left out."""

    def __init__(self, db: Db, box: SecretBox | None = None) -> None:
        self._db = db
        self._box = box
        self._policies = PolicyRepo(db)
        self._pipelines = PipelineRepo(db)
        self._users = UserRepo(db)

    async def text(self) -> str:
        """Of equal rows equal texts. Raises: SecretUnreadable, StorageError."""
        return render_export(await self.read(), hidden=() if self._box else SECRETS)

    async def read(self) -> Export:
        """Without what is in the trash. Raises: SecretUnreadable, StorageError."""
        repo = ChannelRepo(self._db)
        layers = {scope: self._opened(layer) for scope, (layer, _) in sorted((await repo.layers()).items()) if layer}
        channels = [self._exported(channel) for channel in await repo.all()]
        policies = {policy.name: _said(asdict(policy.spec)) for policy in await self._policies.all()}
        pipelines = {
            each.name: {"steps": [short_step(step) for step in each.spec]} for each in await self._pipelines.all()
        }
        telling = TellingExports(self._db, self._box)
        return Export(
            tuple(channels), layers, policies, pipelines, await self._accounts(), await telling.targets(),
            await telling.routes(), await RemoteExports(self._db, self._box).read(),
        )  # fmt: skip

    def _exported(self, channel: Channel) -> ExportedChannel:
        found = exported(channel, self._opened(channel.settings))
        if self._box is not None:
            return found
        pages = registry()  # their addresses hold no secrets, and numbers that look like some
        shown = [each if pages.known(each) else redact(each) for each in found.addresses]
        return replace(found, addresses=tuple(shown))

    def _opened(self, layer: Layer) -> dict[str, Any]:
        return dict(sorted((open_layer(layer, self._box) if self._box else layer).items()))

    async def _accounts(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        after: str | None = None
        while page := await self._users.page(after=after, limit=_PAGE):
            for user in page:
                doc = {
                    "role": user.role.value, "labels": sorted(user.labels), "disabled": user.disabled,
                    "language": user.language,
                }  # fmt: skip
                if self._box is not None:
                    doc["password_hash"] = await self._users.password_hash(user.id)
                found[user.name] = _said(doc)
            after = page[-1].id
        return dict(sorted(found.items()))

    # -- putting back -------------------------------------------------------------------------------------------------

    async def put_back(self, export: Export, *, by: str) -> list[str]:
        """Its rules, remotes, pipelines, accounts, targets and routes that are not there; those that are there stay as they are.
        Channels and layers go the way of every import.

        Returns: names of accounts that came without a password: nobody can sign in with them before they are given one.
        Raises: BadConfig, and then nothing is written.
        """
        without: list[str] = []
        async with self._db.transaction() as tx:
            for name, doc in export.policies.items():
                await self._put_policy(tx, name, doc, by)
            await RemoteExports(self._db, self._box).put_back_in(tx, export.remotes, by)
            for name, doc in export.pipelines.items():
                await self._put_pipeline(tx, name, doc, by)
            for name, doc in export.users.items():
                if await self._put_user(tx, name, doc) and not doc.get("password_hash"):
                    without.append(name)
            await TellingExports(self._db, self._box).put_back_in(tx, export.targets, export.routes, by)
        return without

    async def _put_policy(self, tx: Tx, name: str, doc: Mapping[str, Any], by: str) -> None:
        now = self._db.clock.now()
        policy = Named(_read_name(name), _read_rule(name, doc), 1, now, now)
        if await self._policies.get_in(tx, policy.name) is None:
            await self._policies.put_in(tx, policy)
            tx.emit(Happening("policy.changed", policy.name, {"action": "added", "by": by}))

    async def _put_pipeline(self, tx: Tx, name: str, doc: Mapping[str, Any], by: str) -> None:
        """What this machine cannot do is told by its first run."""
        now, where = self._db.clock.now(), f"pipelines.{name[:60]}"
        _check(where, doc, {"steps": (list,)})
        try:
            pipeline = Named(plain_name(name, "pipeline"), parse_steps(doc.get("steps", ())), 1, now, now)
        except BadOption as exc:
            raise BadConfig(f"{where}: {exc}") from None
        if await self._pipelines.get_in(tx, pipeline.name) is None:
            await self._pipelines.put_in(tx, pipeline)
            tx.emit(Happening("pipeline.changed", pipeline.name, {"action": "added", "by": by}))

    async def _put_user(self, tx: Tx, name: str, doc: Mapping[str, Any]) -> bool:
        """Whether it was not there."""
        given = _read_user(name, doc)
        if not name_key(name) or await self._users.name_taken_in(tx, name):
            return False
        now = self._db.clock.now()
        user = User(
            new_id(now), name, Role(given["role"]), frozenset(given["labels"]), given["disabled"], given["language"], 1,
            now, None,
        )  # fmt: skip
        await self._users.add_in(tx, user, given["password_hash"] or _NO_PASSWORD)
        tx.emit(Happening("user.changed", user.id, {"name": name}))
        return True


_NO_PASSWORD = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"  # noqa: S105
"""A hash that is well-formed, and of no password that anybody knows."""


def write_whole(path: Path, text: str) -> None:
    """The file is the old one or the new one, never a part; only its owner may read it. Blocking.

    Raises: ReadOnly, DiskFull, StorageError.
    """
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(draft).unlink()
            raise
        sync_folder(path.parent)
    except OSError as exc:
        raise storage_error(exc, path) from exc


def _said(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Only what there is something to say of."""
    return {name: value for name, value in doc.items() if value not in (None, False, [])}


def _read_name(name: str) -> str:
    try:
        return plain_name(name, "rule")
    except BadOption as exc:
        raise BadConfig(f"policies.{name[:60]}: {exc}") from None


def _read_rule(name: str, doc: Mapping[str, Any]) -> Rule:
    """Raises: BadConfig."""
    where = f"policies.{name[:60]}"
    given: dict[str, Any] = {
        "keep_days": None,
        "keep_bytes": None,
        "keep_count": None,
        "per": Per.CHANNEL.value,
        "keep_free": None,
    } | dict(doc)
    kinds: dict[str, tuple[type, ...]] = {
        "keep_days": (int, float),
        "keep_bytes": (int,),
        "keep_count": (int,),
        "per": (str,),
        "keep_free": (int,),
    }
    _check(where, given, kinds)
    try:
        rule = Rule(given["keep_days"], given["keep_bytes"], given["keep_count"], Per(given["per"]), given["keep_free"])
        check_rule(rule)
    except (BadOption, ValueError) as exc:
        raise BadConfig(f"{where}: {exc}") from None
    return rule


def _read_user(name: str, doc: Mapping[str, Any]) -> dict[str, Any]:
    """Raises: BadConfig."""
    where = f"users.{name[:60]}"
    usual: dict[str, Any] = {"labels": [], "disabled": False, "language": None, "password_hash": None}
    given = usual | dict(doc)
    kinds: dict[str, tuple[type, ...]] = {
        "role": (str,),
        "labels": (list,),
        "disabled": (bool,),
        "language": (str,),
        "password_hash": (str,),
    }
    _check(where, given, kinds)
    if given["password_hash"] and not _HASH.fullmatch(given["password_hash"]):
        raise BadConfig(f"{where}: its password_hash is none of argon2")
    if given.get("role") not in {*Role} or not all(isinstance(label, str) for label in given["labels"]):
        raise BadConfig(f"{where}: its role is one of {', '.join(Role)}, and its labels are texts")
    return given


def _check(where: str, given: Mapping[str, Any], kinds: Mapping[str, tuple[type, ...]]) -> None:
    for name, value in given.items():
        if name not in kinds:
            raise BadConfig(f"{where} has no key {name[:40]}; there are {', '.join(kinds)}")
        if value is not None and (type(value) not in kinds[name]):
            raise BadConfig(f"{where}: {name} is not what it should be")
