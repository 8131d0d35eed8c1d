"""Downloads by the addresses and in the words of the HLS downloader, for programs that speak to that. Nothing here is its own."""

from __future__ import annotations

from fastapi import APIRouter

from ouzel.api.auth import EditsAll, SeesAll
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.download_tasks import TaskIn, TaskMadeOut, TaskOut, TasksOut, TaskStatusOut, status_of
from ouzel.api.services import Served
from ouzel.base.errors import BadOption, BadUrl, Conflict, NotFound

router = APIRouter(prefix="/api/download", tags=["download tasks"], responses=signed_in_problems())
_PAGE = 200
_POINTERS = {"/folder": "/output_dir"}
"""What it calls otherwise."""


@router.post("/create", responses=problems(Conflict, BadUrl, BadOption))
async def create_download_task(body: TaskIn, services: Served, who: EditsAll) -> TaskMadeOut:  # noqa: ARG001
    """As `POST /api/downloads`."""
    try:
        download = await services.downloads.add(body.wanted())
    except BadOption as exc:
        exc.context["pointer"] = _POINTERS.get(str(exc.context.get("pointer")), exc.context.get("pointer"))
        raise
    return TaskMadeOut(task_id=download.id, status=status_of(download.state), created_at=download.created_at)


@router.get("/status/{task_id:ouzel_id}", responses=problems(NotFound))
async def show_download_task(task_id: Id, services: Served, who: SeesAll) -> TaskStatusOut:  # noqa: ARG001
    """As `GET /api/downloads/ID`."""
    download = await services.downloads.repo.get(task_id)
    return TaskStatusOut.of(download, services.downloads.running.get(task_id))


@router.get("/list")
async def list_download_tasks(services: Served, who: SeesAll) -> TasksOut:  # noqa: ARG001
    """All of them, the newest first; `GET /api/downloads` gives pages."""
    tasks: list[TaskOut] = []
    running, last = services.downloads.running, None
    while found := await services.downloads.repo.page(before=last, limit=_PAGE):
        tasks += [TaskOut.of(each, running.get(each.id)) for each in found]
        last = found[-1].created_at, found[-1].id
    return TasksOut(tasks=tasks)


@router.post("/cancel/{task_id:ouzel_id}", responses=problems(NotFound, Conflict))
async def cancel_download_task(task_id: Id, services: Served, who: EditsAll) -> TaskStatusOut:  # noqa: ARG001
    """As `POST /api/downloads/ID/cancel`."""
    download = await services.downloads.cancel(task_id)
    return TaskStatusOut.of(download, services.downloads.running.get(task_id))


@router.post("/retry/{task_id:ouzel_id}", responses=problems(NotFound, Conflict))
async def retry_download_task(task_id: Id, services: Served, who: EditsAll) -> TaskStatusOut:  # noqa: ARG001
    """As `POST /api/downloads/ID/retry`."""
    download = await services.downloads.retry(task_id)
    return TaskStatusOut.of(download, services.downloads.running.get(task_id))
