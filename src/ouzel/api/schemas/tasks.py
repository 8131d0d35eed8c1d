"""What runs."""

from __future__ import annotations

from ouzel.api.schemas.base import Out
from ouzel.model.ownership import TaskState


class TaskOut(Out):
    key: str
    kind: str
    state: TaskState
    since_s: float
    epoch: int
    restarts: int
    last_error: str
    code: str


class TasksOut(Out):
    items: list[TaskOut]
