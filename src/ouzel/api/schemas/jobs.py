"""Finite work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from ouzel.api.schemas.base import Out, Patch, left_out
from ouzel.model.jobs import JobState


class JobOut(Out):
    id: str
    kind: str
    queue: str
    args: dict[str, Any]
    prio: int = Field(description="greater is more urgent")
    state: JobState
    not_before: datetime | None
    attempts: int
    max_attempts: int
    fraction: float | None = Field(description="how far this attempt is, 0 to 1")
    eta_s: float | None
    message: str
    result: dict[str, Any] | None
    code: str | None
    why: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class JobPatch(Patch):
    prio: int = left_out(int, ge=-1000, le=1000, description="greater is more urgent")
