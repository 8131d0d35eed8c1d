"""What runs."""

from __future__ import annotations

from fastapi import APIRouter

from ouzel.api.auth import SeesAll
from ouzel.api.problems import signed_in_problems
from ouzel.api.schemas.tasks import TaskOut, TasksOut
from ouzel.api.services import Served

router = APIRouter(prefix="/api/tasks", tags=["daemon"], responses=signed_in_problems())


@router.get("")
async def list_tasks(services: Served, who: SeesAll) -> TasksOut:  # noqa: ARG001
    """What runs for long in this process, and what waits to be run again."""
    return TasksOut(items=[TaskOut.model_validate(each) for each in services.tasks.snapshot()])
