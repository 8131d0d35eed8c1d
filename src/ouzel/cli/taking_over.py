"""What an import does: to the database; through the API while a daemon holds it, or when it is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from ouzel.base.urls import redact
from ouzel.cli.client import Api, connect, running_on
from ouzel.config.exports import Export, parse_export
from ouzel.config.load import load_settings
from ouzel.config.settings import Settings
from ouzel.config.sources import Override
from ouzel.daemon.lock import hold
from ouzel.platforms.registry import registry
from ouzel.services.adoption import AdoptionPlan
from ouzel.services.channel_forms import NewChannel
from ouzel.services.channels import Channels
from ouzel.services.exports import Exports
from ouzel.services.import_plan import ImportPlan
from ouzel.services.importing import new_channel
from ouzel.services.secrets import load_secrets
from ouzel.services.taking_over import Taken, TakingOver
from ouzel.store.db import open_db
from ouzel.system.clock import SystemClock

_CONFLICT = "conflict"


def take_over(
    plan: ImportPlan, adoptions: Sequence[AdoptionPlan], *, server: str | None, key: str | None, data: Path | None
) -> dict[str, Any]:
    """Blocking. Returns: what came of it, as JSON.

    Raises: NoDaemon, DataFolderBusy, StorageError, BadConfig; what the daemon refuses as a whole.
    """
    overrides = [Override("--data", "storage.data", str(data))] if data is not None else []
    settings = load_settings(None, [platform.name for platform in registry()], overrides)
    folder = settings.storage.data
    if server is not None or running_on(folder) is not None:
        with connect(server, key, folder) as api:
            return _through(api, plan, adoptions)
    clock = SystemClock()
    with hold(folder, now=clock.now()):
        done, locked = anyio.run(_take_over, plan, adoptions, settings)
    return _fields(done) | {"left": [], "locked": locked}


# -- while a daemon runs ----------------------------------------------------------------------------------------------


def _through(api: Api, plan: ImportPlan, adoptions: Sequence[AdoptionPlan]) -> dict[str, Any]:
    wanted = [_body(new_channel(each)) for each in plan.channels]
    done = [*zip(plan.channels, api.add_channels(wanted), strict=True)]
    for scope, layer in plan.layers.items():
        api.patch(f"settings/channels/{scope}", layer)
    names = [channel.name for channel in plan.channels if channel.name]
    adopted = [
        api.ask("POST", "adoptions", body={"folder": str(each.folder.absolute()), "names": names}, patient=True)
        for each in adoptions
    ]
    return {
        "added": [
            {"id": item["id"], "url": planned.shown_url, "name": item["name"]} for planned, item in done if item["id"]
        ],
        "already": sum(item["code"] == _CONFLICT for _, item in done),
        "refused": [
            {"url": planned.shown_url, "line": planned.line, "code": item["code"], "message": item["detail"]}
            for planned, item in done
            if not item["id"] and item["code"] != _CONFLICT
        ],
        "layers": [*plan.layers],
        "recordings": sum(each["recordings"] for each in adopted),
        "known": sum(each["known"] for each in adopted),
        "left": ["policies", "users"] if any(each.policies or each.users for each in _exports(plan)) else [],
        "locked": [],
    }


def _exports(plan: ImportPlan) -> list[Export]:
    """Of what the files of our own say beside channels and settings."""
    return [parse_export(Path(file).read_text("utf-8-sig")) for file, format_ in plan.files if format_ == "ouzel"]


def _body(new: NewChannel) -> dict[str, Any]:
    return {
        "addresses": new.addresses, "name": new.name, "watch": new.watch, "labels": new.labels, "settings": new.settings,
        "folder": new.folder,
    }  # fmt: skip


# -- while none runs --------------------------------------------------------------------------------------------------


async def _take_over(
    plan: ImportPlan, adoptions: Sequence[AdoptionPlan], settings: Settings
) -> tuple[list[Taken], list[str]]:
    """What came of it, and the accounts with which nobody can sign in before they are given a password."""
    data = settings.storage.data
    async with open_db(data / "ouzel.db", SystemClock()) as db:
        box = load_secrets(data / "secret.key").box
        channels = Channels(db, box, settings.platforms)
        await channels.load()
        locked = [name for each in _exports(plan) for name in await Exports(db, box).put_back(each, by="import")]
        taking_over = TakingOver(db, channels, {"recordings": settings.storage.recordings})
        done = [await taking_over.apply(plan, by="import")]
        done += [await taking_over.adopt(each, by="import") for each in adoptions]
        return done, locked


def _fields(done: Sequence[Taken]) -> dict[str, Any]:
    return {
        "added": [{"id": each.id, "url": redact(each.address), "name": each.name} for t in done for each in t.added],
        "already": sum(len(each.already) for each in done),
        "refused": [
            {"url": planned.shown_url, "line": planned.line, "code": error.code, "message": str(error)}
            for each in done
            for planned, error in each.refused
        ],
        "layers": [scope for each in done for scope in each.layers],
        "recordings": sum(each.recordings for each in done),
        "known": sum(each.known for each in done),
    }
