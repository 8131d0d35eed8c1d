"""What an import does to the database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio

from ouzel.base.urls import redact
from ouzel.config.load import load_settings
from ouzel.config.settings import Settings
from ouzel.config.sources import Override
from ouzel.daemon.lock import hold
from ouzel.platforms.registry import registry
from ouzel.services.adoption import AdoptionPlan
from ouzel.services.channels import Channels
from ouzel.services.import_plan import ImportPlan
from ouzel.services.secrets import load_secrets
from ouzel.services.taking_over import Taken, TakingOver
from ouzel.store.db import open_db
from ouzel.system.clock import SystemClock


def take_over(plan: ImportPlan, adoptions: Sequence[AdoptionPlan], data: Path | None) -> dict[str, Any]:
    """Blocking. Returns: what came of it, as JSON. Raises: DataFolderBusy while the daemon runs; StorageError, BadConfig."""
    overrides = [Override("--data", "storage.data", str(data))] if data is not None else []
    settings = load_settings(None, [platform.name for platform in registry()], overrides)
    clock = SystemClock()
    with hold(settings.storage.data, now=clock.now()):
        done = anyio.run(_take_over, plan, adoptions, settings)
    return _fields(done)


async def _take_over(plan: ImportPlan, adoptions: Sequence[AdoptionPlan], settings: Settings) -> list[Taken]:
    data = settings.storage.data
    async with open_db(data / "ouzel.db", SystemClock()) as db:
        channels = Channels(db, load_secrets(data / "secret.key").box, settings.platforms)
        await channels.load()
        taking_over = TakingOver(db, channels, {"recordings": settings.storage.recordings})
        done = [await taking_over.apply(plan, by="import")]
        return [*done, *[await taking_over.adopt(each, by="import") for each in adoptions]]


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
