"""What rules delete, and the trash."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from ouzel.api.auth import CanRead, IsAdmin, SeesAll
from ouzel.api.cursors import Page, Paging
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.jobs import JobOut
from ouzel.api.schemas.retention import EmptyIn, PlanOut, StepOut, TrashedOut
from ouzel.api.services import Served
from ouzel.base.errors import Invalid, NotFound
from ouzel.model.jobs import Job
from ouzel.store.recordings import RecordingFilter, RecordingRepo

router = APIRouter(prefix="/api", tags=["retention"], responses=signed_in_problems())


@router.get("/retention/plan")
async def plan_retention(
    services: Served,
    who: SeesAll,  # noqa: ARG001
    limit: Annotated[int, Query(ge=0, le=5000, description="steps that are shown")] = 200,
) -> PlanOut:
    """What the rules would delete now, in which order and why. Nothing is done."""
    planned = await services.retention.plan()
    steps = [
        StepOut.of(step, planned.recordings[step.item.id].title, services.channels.name_of(step.item.channel_id))
        for step in planned.plan.steps[:limit]
    ]
    return PlanOut.of(planned, services.retention.rules, steps)


@router.post("/retention/run", status_code=202)
async def run_retention(services: Served, who: IsAdmin) -> JobOut:  # noqa: ARG001
    """Do it now, as a job that plans anew."""
    return _job(await services.retention.start())


@router.get("/trash", responses=problems(Invalid))
async def list_trash(services: Served, ask: Paging, who: CanRead) -> Page[TrashedOut]:
    """Recordings that were removed, by somebody or by a rule; those that were begun last first.
    `POST /api/recordings/{id}/restore` takes one out.
    """
    which = RecordingFilter(await services.labels.visible(who.grants), deleted=True)
    repo, rules = RecordingRepo(services.db), services.retention.rules
    found = await repo.page(which, before=ask.after_instant(), limit=ask.more)
    total = await repo.count(which) if ask.exact else None
    return ask.page(
        found,
        lambda each: TrashedOut.of(each, services.channels.name_of(each.channel_id), rules.trash if rules.on else None),
        key=lambda each: (each.started_at.isoformat(), each.id),
        total=total,
    )


@router.post("/trash/empty", status_code=202, responses=problems(NotFound))
async def empty_trash(body: EmptyIn, services: Served, who: IsAdmin) -> JobOut:
    """Delete for good what is in the trash, all of it or some. What is pinned by its channel, or in use, stays."""
    for recording_id in body.recordings or ():
        if (await services.library.get(recording_id)).deleted_at is None:
            raise NotFound(f"there is no recording {recording_id} in the trash")
    return _job(await services.retention.empty(body.recordings or (), by=who.by))


def _job(job: Job) -> JobOut:
    return JobOut.model_validate(asdict(job))
