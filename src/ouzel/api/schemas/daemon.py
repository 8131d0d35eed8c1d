"""What the daemon does, and what should be known of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from ouzel.api.schemas.base import In, Out, Patch, left_out
from ouzel.model.jobs import JobState
from ouzel.model.notices import Severity
from ouzel.model.ownership import TaskState
from ouzel.model.policies import Per, Policy, Rule
from ouzel.services.storage import RootState, RootView


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


class NoticeOut(Out):
    id: str
    key: str
    code: str
    severity: Severity
    channel_id: str | None
    data: dict[str, Any] = Field(description="what its sentence is made of")
    count: int
    raised_at: datetime
    last_at: datetime
    over_at: datetime | None
    dismissed_at: datetime | None


class RootOut(Out):
    name: str
    folder: str
    state: RootState
    why: str
    total_bytes: int
    free_bytes: int
    min_free_bytes: int
    files: int
    held_bytes: int = Field(description="by the recordings in it")
    per_day_bytes: float
    days_left: float | None = Field(description="until it takes no more, if it goes on like this")

    @classmethod
    def of(cls, view: RootView) -> Self:
        return cls.model_validate(
            {name: getattr(view, name) for name in cls.model_fields} | {"folder": str(view.folder)}
        )


class RootsOut(Out):
    items: list[RootOut]


class RuleFields(In):
    keep_days: float | None = Field(None, gt=0, le=36_500, description="since it ended")
    keep_bytes: int | None = Field(None, gt=0, le=1 << 53)
    keep_count: int | None = Field(None, gt=0, le=1_000_000)
    per: Per = Per.CHANNEL

    def rule(self) -> Rule:
        return Rule(self.keep_days, self.keep_bytes, self.keep_count, self.per)


class PolicyIn(RuleFields):
    name: str = Field(min_length=1, max_length=60, examples=["two weeks"])
    keep_days: float | None = Field(None, gt=0, le=36_500, examples=[14])


class PolicyPatch(Patch):
    keep_days: float | None = left_out(lambda: None, gt=0, le=36_500)
    keep_bytes: int | None = left_out(lambda: None, gt=0, le=1 << 53)
    keep_count: int | None = left_out(lambda: None, gt=0, le=1_000_000)
    per: Per = left_out(lambda: Per.CHANNEL)


class PolicyOut(Out):
    name: str
    keep_days: float | None
    keep_bytes: int | None
    keep_count: int | None
    per: Per
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, policy: Policy) -> Self:
        rule = policy.rule
        return cls(
            name=policy.name, keep_days=rule.keep_days, keep_bytes=rule.keep_bytes, keep_count=rule.keep_count,
            per=rule.per, revision=policy.revision, created_at=policy.created_at, updated_at=policy.updated_at,
        )  # fmt: skip


class PoliciesOut(Out):
    items: list[PolicyOut]


class PlatformOut(Out):
    name: str
    title: str
    title_zh: str
    example: str
    access: str = Field(description="whether it is open, or wants a cookie or a login")
    channels: int = Field(description="that are watched, as far as whoever asks may see them")
    requests: int | None = Field(description="since the daemon began; null: it is not asked")
    requests_per_minute: float | None = Field(description="the most")
    closed: bool = Field(description="it blocks, and is left alone")
    strained: bool = Field(description="the most is too little for its channels")


class PlatformsOut(Out):
    items: list[PlatformOut]


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
