"""The steps of a plan, and the trash that somebody empties, one recording after the other. One that fails keeps no other."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ouzel.base.errors import StorageError
from ouzel.model.retention import Step, Why
from ouzel.services.jobs import JobContext
from ouzel.services.removal import Removal, Request

_log = logging.getLogger(__name__)
_MOST_WHY = 300


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    trashed: int = 0
    removed: int = 0
    freed_bytes: int = 0
    kept: int = 0
    """That may not go any more, or may not at all."""
    failed: int = 0
    why: str = ""
    """Of the last that failed."""

    def fields(self) -> dict[str, Any]:
        return asdict(self)


async def carry_out(work: JobContext, removal: Removal, steps: Sequence[Step]) -> Outcome:
    """Until all are done, or the job is to stop. Raises: StaleOwner."""
    outcome = Outcome()
    for number, step in enumerate(steps):
        if work.run.stopping.is_set():
            break
        request = Request(step.why)
        if step.unlink:
            await _remove(work, removal, step.item.id, request, outcome)
        elif await removal.trash(work.run, step.item.id, request):
            outcome.trashed += 1
        else:
            outcome.kept += 1
        work.progress((number + 1) / len(steps), f"{outcome.trashed + outcome.removed}/{len(steps)}")
    return outcome


async def empty_trash(work: JobContext, removal: Removal, wanted: Collection[str], *, by: str) -> Outcome:
    """Args: wanted: ids of recordings; what is not in the trash stays. Raises: StaleOwner."""
    outcome = Outcome()
    for number, recording_id in enumerate(wanted):
        if work.run.stopping.is_set():
            break
        await _remove(work, removal, recording_id, Request(Why.ASKED, by), outcome)
        work.progress((number + 1) / len(wanted), f"{outcome.removed}/{len(wanted)}")
    return outcome


async def _remove(work: JobContext, removal: Removal, recording_id: str, request: Request, outcome: Outcome) -> None:
    try:
        freed = await removal.remove(work.run, recording_id, request)
    except StorageError as exc:
        _log.warning("recording %s cannot be deleted: %s", recording_id, exc)
        outcome.failed += 1
        outcome.why = str(exc)[:_MOST_WHY]
        return
    if freed is None:
        outcome.kept += 1
    else:
        outcome.removed += 1
        outcome.freed_bytes += freed
