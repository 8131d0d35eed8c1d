"""What an import does: to the database; through the API while a daemon holds it, or when it is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from ouzel.base.errors import Conflict, OuzelError
from ouzel.base.urls import redact
from ouzel.cli.client import Api, connect, running_on
from ouzel.config.exports import Export, parse_export, render_export
from ouzel.config.load import load_settings
from ouzel.config.roots import storage_roots
from ouzel.config.settings import Settings
from ouzel.config.sources import Override
from ouzel.daemon.downloading import download_rules
from ouzel.daemon.lock import hold
from ouzel.model.downloads import Downloading
from ouzel.platforms.registry import registry
from ouzel.services.adoption import AdoptionPlan
from ouzel.services.channel_forms import NewChannel
from ouzel.services.channels import Channels
from ouzel.services.downloads import Downloads
from ouzel.services.events import EventBus
from ouzel.services.exports import Exports
from ouzel.services.import_plan import ImportPlan, PlannedDownload
from ouzel.services.importing import new_channel, new_download
from ouzel.services.secrets import SecretBox, load_secrets
from ouzel.services.taking_over import Taken, TakingOver
from ouzel.store.db import Db, open_db
from ouzel.store.downloads import DownloadRepo
from ouzel.store.ownership import SqliteOwnership
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
    return _fields(done) | {"locked": locked}


# -- while a daemon runs ----------------------------------------------------------------------------------------------


def _through(api: Api, plan: ImportPlan, adoptions: Sequence[AdoptionPlan]) -> dict[str, Any]:
    named = Export(policies=plan.policies, pipelines=plan.pipelines)
    exports = [replace(each, channels=(), layers={}, targets={}, routes={}) for each in (*_exports(plan), named)]
    rest = [each for each in exports if each.policies or each.pipelines or each.users]
    locked = [name for each in rest for name in api.post("export/rest", {"text": render_export(each)})["locked"]]
    wanted = [_body(new_channel(each)) for each in plan.channels]
    done = [*zip(plan.channels, api.add_channels(wanted), strict=True)]
    fetched = [*zip(plan.downloads, api.add_downloads([download_body(each) for each in plan.downloads]), strict=True)]
    for scope, layer in plan.layers.items():
        api.patch(f"settings/channels/{scope}", layer)
    for each in _telling(plan):  # routes name channels
        api.post("export/rest", {"text": render_export(each)})
    names = [channel.name for channel in plan.channels if channel.name]
    adopted = [
        api.ask("POST", "adoptions", body={"folder": str(each.folder.absolute()), "names": names}, patient=True)
        for each in adoptions
    ]
    return {
        "added": [
            {"id": item["id"], "url": planned.shown_url, "name": item["name"]} for planned, item in done if item["id"]
        ],
        "downloads": sum(item["id"] is not None for _, item in fetched),
        "already": sum(item["code"] == _CONFLICT for _, item in (*done, *fetched)),
        "refused": [
            {"url": url, "line": line, "code": item["code"], "message": item["detail"]}
            for url, line, item in (
                *((planned.shown_url, planned.line, item) for planned, item in done),
                *((redact(planned.of.url), planned.of.line, item) for planned, item in fetched),
            )
            if not item["id"] and item["code"] != _CONFLICT
        ],
        "layers": [*plan.layers],
        "recordings": sum(each["recordings"] for each in adopted),
        "known": sum(each["known"] for each in adopted),
        "locked": locked,
    }


def _exports(plan: ImportPlan) -> list[Export]:
    """Of what the files say beside channels and settings."""
    own = [parse_export(Path(file).read_text("utf-8-sig")) for file, format_ in plan.files if format_ == "ouzel"]
    return [*own, Export(policies=plan.policies)] if plan.policies else own


def _telling(plan: ImportPlan) -> list[Export]:
    """Targets and routes alone."""
    found = [Export(targets=each.targets, routes=each.routes) for each in (*_exports(plan), plan.telling)]
    return [each for each in found if each.targets or each.routes]


def _body(new: NewChannel) -> dict[str, Any]:
    return {
        "addresses": new.addresses, "name": new.name, "watch": new.watch, "labels": new.labels, "settings": new.settings,
        "folder": new.folder, "aliases": new.aliases, "identity": new.identity,
    }  # fmt: skip


def download_body(planned: PlannedDownload) -> dict[str, Any]:
    """As the daemon takes it."""
    new = new_download(planned)
    return {"url": new.url, "name": new.name, "folder": new.folder, "profile": new.profile or None, **new.wish}


# -- while none runs --------------------------------------------------------------------------------------------------


async def _take_over(
    plan: ImportPlan, adoptions: Sequence[AdoptionPlan], settings: Settings
) -> tuple[list[Taken], list[str]]:
    """What came of it, and the accounts with which nobody can sign in before they are given a password."""
    data = settings.storage.data
    async with open_db(data / "ouzel.db", SystemClock()) as db:
        box = load_secrets(data / "secret.key").box
        roots = {name: root.path for name, root in storage_roots(settings).items()}
        channels = Channels(db, box, settings.platforms, roots=[*roots])
        await channels.load()
        rest = [replace(each, targets={}, routes={}) for each in _exports(plan)]
        locked = [name for each in rest for name in await Exports(db, box).put_back(each, by="import")]
        taking_over = TakingOver(db, channels, roots)
        done = [await taking_over.apply(plan, by="import")]
        done.append(await _add_downloads(db, box, settings, plan))
        for each in _telling(plan):  # routes name channels
            await Exports(db, box).put_back(each, by="import")
        done += [await taking_over.adopt(each, by="import") for each in adoptions]
        return done, locked


def _nobody() -> Downloading:
    raise AssertionError("without a daemon nothing is fetched")


async def _add_downloads(db: Db, box: SecretBox, settings: Settings, plan: ImportPlan) -> Taken:
    """They begin when a daemon does."""
    bus, rules = EventBus(db), download_rules(settings)
    repo = DownloadRepo(db, SqliteOwnership(db))
    downloads = Downloads(db, repo, bus, box, rules, _nobody)
    done = await downloads.add_many([new_download(each) for each in plan.downloads])
    bus.close()
    return Taken(downloads=tuple(zip(plan.downloads, done, strict=True)))


def _fields(done: Sequence[Taken]) -> dict[str, Any]:
    refused = [(planned.shown_url, planned.line, error) for each in done for planned, error in each.refused]
    fetched = [(planned, download) for each in done for planned, download in each.downloads]
    for planned, download in fetched:
        if isinstance(download, OuzelError) and not isinstance(download, Conflict):
            refused.append((redact(planned.of.url), planned.of.line, download))
    return {
        "added": [{"id": each.id, "url": redact(each.address), "name": each.name} for t in done for each in t.added],
        "downloads": sum(not isinstance(download, OuzelError) for _, download in fetched),
        "already": sum(len(each.already) for each in done) + sum(isinstance(each, Conflict) for _, each in fetched),
        "refused": [
            {"url": url, "line": line, "code": error.code, "message": str(error)} for url, line, error in refused
        ],
        "layers": [scope for each in done for scope in each.layers],
        "recordings": sum(each.recordings for each in done),
        "known": sum(each.known for each in done),
    }
