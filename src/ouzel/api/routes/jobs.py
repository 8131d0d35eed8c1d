"""Finite work: what waits, runs, is over, and how far."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from ouzel.api.auth import EditsAll, SeesAll
from ouzel.api.cursors import Page, Paging
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.jobs import JobOut, JobPatch
from ouzel.api.services import Served
from ouzel.base.errors import Conflict, Invalid, NotFound
from ouzel.model.jobs import Job, JobState

router = APIRouter(prefix="/api/jobs", tags=["jobs"], responses=signed_in_problems())


@router.get("", responses=problems(Invalid))
async def list_jobs(
    services: Served,
    ask: Paging,
    who: SeesAll,  # noqa: ARG001
    state: JobState | None = None,
    queue: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    word: Annotated[str, Query(max_length=200, description="only those whose id begins with it")] = "",
) -> Page[JobOut]:
    """The newest first."""
    which: dict[str, Any] = {"states": frozenset([state] if state else ()), "queue": queue, "kind": kind, "word": word}
    found = await services.jobs.page(**which, before=ask.after_instant(), limit=ask.more)
    total = await services.jobs.count(**which) if ask.exact else None
    return ask.page(found, _job, key=lambda job: (job.created_at.isoformat(), job.id), total=total)


@router.get("/{job_id}", responses=problems(NotFound))
async def show_job(job_id: Id, services: Served, who: SeesAll) -> JobOut:  # noqa: ARG001
    """What it is, and how far."""
    return _job(await services.jobs.get(job_id))


@router.patch("/{job_id}", responses=problems(NotFound, Conflict))
async def change_job(job_id: Id, body: JobPatch, services: Served, who: EditsAll) -> JobOut:  # noqa: ARG001
    """Let it go before others, or after them. The last one that says so is right."""
    if "prio" not in body.changes():
        return _job(await services.jobs.get(job_id))
    return _job(await services.jobs.prioritize(job_id, body.prio))


@router.post("/{job_id}/cancel", responses=problems(NotFound, Conflict))
async def cancel_job(job_id: Id, services: Served, who: EditsAll) -> JobOut:  # noqa: ARG001
    """At once when it does not run; else as soon as it has heard."""
    return _job(await services.jobs.abort(job_id))


@router.post("/{job_id}/retry", responses=problems(NotFound, Conflict))
async def retry_job(job_id: Id, services: Served, who: EditsAll) -> JobOut:  # noqa: ARG001
    """From the beginning, after it failed or was cancelled."""
    return _job(await services.jobs.retry(job_id))


def _job(job: Job) -> JobOut:
    return JobOut.model_validate(asdict(job))
