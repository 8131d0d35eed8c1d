"""What the daemon does: jobs, notices, storage, rules, platforms, tasks, and all of it at a glance."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from ouzel.api.auth import CanEdit, CanRead, EditsAll, IsAdmin, SeesAll, require_visible
from ouzel.api.cursors import Page, Paging
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.daemon import (
    JobOut,
    JobPatch,
    NoticeOut,
    PlatformOut,
    PlatformsOut,
    PoliciesOut,
    PolicyIn,
    PolicyOut,
    PolicyPatch,
    RootOut,
    RootsOut,
    TaskOut,
    TasksOut,
)
from ouzel.api.services import Served
from ouzel.base.errors import BadOption, ChangedSince, Conflict, Invalid, KeyReused, NotFound
from ouzel.model.jobs import Job, JobState
from ouzel.model.notices import Severity
from ouzel.platforms.registry import registry
from ouzel.store.notices import NoticeFilter

router = APIRouter(prefix="/api", responses=signed_in_problems())
_Name = Annotated[str, Path(min_length=1, max_length=60)]


@router.get("/jobs", tags=["jobs"], responses=problems(Invalid))
async def list_jobs(
    services: Served,
    ask: Paging,
    who: SeesAll,  # noqa: ARG001
    state: JobState | None = None,
    queue: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[JobOut]:
    """The newest first."""
    which: dict[str, Any] = {"states": frozenset([state] if state else ()), "queue": queue, "kind": kind}
    found = await services.jobs.page(**which, before=_before(ask), limit=ask.more)
    total = await services.jobs.count(**which) if ask.exact else None
    return ask.page(found, _job, key=lambda job: (job.created_at.isoformat(), job.id), total=total)


@router.get("/jobs/{job_id}", tags=["jobs"], responses=problems(NotFound))
async def show_job(job_id: Id, services: Served, who: SeesAll) -> JobOut:  # noqa: ARG001
    """What it is, and how far."""
    return _job(await services.jobs.get(job_id))


@router.patch("/jobs/{job_id}", tags=["jobs"], responses=problems(NotFound, Conflict))
async def change_job(job_id: Id, body: JobPatch, services: Served, who: EditsAll) -> JobOut:  # noqa: ARG001
    """Let it go before others, or after them."""
    if "prio" not in body.changes():
        return _job(await services.jobs.get(job_id))
    return _job(await services.jobs.prioritize(job_id, body.prio))


@router.post("/jobs/{job_id}/cancel", tags=["jobs"], responses=problems(NotFound, Conflict))
async def cancel_job(job_id: Id, services: Served, who: EditsAll) -> JobOut:  # noqa: ARG001
    """At once when it does not run; else as soon as it has heard."""
    return _job(await services.jobs.abort(job_id))


@router.post("/jobs/{job_id}/retry", tags=["jobs"], responses=problems(NotFound, Conflict))
async def retry_job(job_id: Id, services: Served, who: EditsAll) -> JobOut:  # noqa: ARG001
    """From the beginning, after it failed or was cancelled."""
    return _job(await services.jobs.retry(job_id))


@router.get("/notices", tags=["notices"], responses=problems(Invalid))
async def list_notices(
    services: Served,
    ask: Paging,
    who: CanRead,
    is_open: Annotated[bool | None, Query(alias="open", description="false: those that are over or dismissed")] = None,
    severity: Severity | None = None,
) -> Page[NoticeOut]:
    """What somebody should know; the latest first."""
    channels = await services.labels.visible(who.grants)
    which = NoticeFilter(is_open, [severity.value] if severity else None, None, channels)
    found = await services.notices.page(which, before=_before(ask), limit=ask.more)
    total = await services.notices.count(which) if ask.exact else None
    return ask.page(
        found, NoticeOut.model_validate, key=lambda each: (each.raised_at.isoformat(), each.id), total=total
    )


@router.post("/notices/{notice_id}/dismiss", tags=["notices"], responses=problems(NotFound))
async def dismiss_notice(notice_id: Id, services: Served, who: CanEdit) -> NoticeOut:
    """Somebody knows. It is not told again before it has been over."""
    notice = await services.notices.get(notice_id)
    labels = () if notice.channel_id is None else await services.labels.of(notice.channel_id)
    require_visible(who, labels, "notice")
    return NoticeOut.model_validate(await services.notices.dismiss(notice_id, who.by))


@router.get("/storage", tags=["daemon"])
async def list_storage(services: Served, who: CanRead) -> RootsOut:  # noqa: ARG001
    """Storage roots: whether they take media, what they hold, and for how long they will do."""
    return RootsOut(items=[RootOut.of(view) for view in await services.storage.views()])


@router.get("/policies", tags=["policies"])
async def list_policies(services: Served, who: CanRead) -> PoliciesOut:  # noqa: ARG001
    """Rules that delete, in the order of their names."""
    return PoliciesOut(items=[PolicyOut.of(each) for each in await services.policies.all()])


@router.post(
    "/policies", tags=["policies"], status_code=201, response_model=PolicyOut,
    responses=problems(Conflict, BadOption, KeyReused),
)  # fmt: skip
async def add_policy(body: PolicyIn, services: Served, once: Once, who: IsAdmin) -> Response:
    """A rule, which deletes nothing until a channel or a layer names it."""

    async def make() -> Made:
        policy = await services.policies.add(body.name, body.rule(), by=who.by)
        return Made(PolicyOut.of(policy), "/api/policies")

    return await once.answer(make)


@router.patch("/policies/{name}", tags=["policies"], responses=problems(NotFound, ChangedSince, BadOption))
async def change_policy(
    name: _Name, body: PolicyPatch, request: Request, services: Served, who: IsAdmin, expected: IfMatch
) -> PolicyOut:
    """Null: no such limit."""
    rule = replace((await services.policies.get(name)).rule, **body.changes())
    policy = await services.policies.change(name, rule, by=who.by, revision=expected)
    show_revision(request, policy.revision)
    return PolicyOut.of(policy)


@router.delete(
    "/policies/{name}", tags=["policies"], status_code=204, responses=problems(NotFound, ChangedSince, Conflict)
)
async def remove_policy(name: _Name, services: Served, who: IsAdmin, expected: IfMatch) -> None:
    """Not while something names it."""
    await services.policies.remove(name, by=who.by, revision=expected)


@router.get("/platforms", tags=["daemon"])
async def list_platforms(services: Served, who: CanRead) -> PlatformsOut:
    """All that are known, and how much each is asked."""
    loads = {load.platform: load for load in services.watching.loads()}
    watched = Counter(each.platform for each in services.channels.all() if each.watch and who.sees(each.labels))
    items: list[PlatformOut] = []
    for platform in registry():
        load = loads.get(platform.name)
        items.append(
            PlatformOut(
                name=platform.name, title=platform.title, title_zh=platform.title_zh, example=platform.example,
                access=platform.access, channels=watched[platform.name], requests=load and load.requests,
                requests_per_minute=load and load.requests_per_minute, closed=load is not None and load.closed,
                strained=load is not None and load.strained,
            )
        )  # fmt: skip
    return PlatformsOut(items=items)


@router.get("/tasks", tags=["daemon"])
async def list_tasks(services: Served, who: SeesAll) -> TasksOut:  # noqa: ARG001
    """What runs for long in this process, and what waits to be run again."""
    return TasksOut(items=[TaskOut.model_validate(each) for each in services.tasks.snapshot()])


@router.get("/status", tags=["daemon"])
async def show_status(services: Served, who: CanRead) -> dict[str, Any]:
    """Everything at a glance: channels, tasks, storage roots, notices, totals. Without what one may not see."""
    seen = await services.overviews.look()
    visible = await services.labels.visible(who.grants)
    if visible is not None:
        ids = set(visible)
        channels = tuple(each for each in seen.channels if each.id in ids)
        notices = tuple(each for each in seen.notices if each.channel_id in ids)
        seen = replace(seen, channels=channels, notices=notices, tasks=())
    return seen.fields()


def _job(job: Job) -> JobOut:
    return JobOut.model_validate(asdict(job))


def _before(ask: Paging) -> tuple[datetime, str] | None:
    after = ask.after_all(str, str)
    if after is None:
        return None
    try:
        return datetime.fromisoformat(after[0]), after[1]
    except ValueError:
        raise Invalid("this cursor is of another version: begin without one") from None
