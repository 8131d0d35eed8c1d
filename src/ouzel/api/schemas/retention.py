"""What rules delete, and the trash."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from pydantic import Field

from ouzel.api.schemas.base import Id, In, Out
from ouzel.model.recording import Recording
from ouzel.model.retention import Kept, RootPlan, Step, Why
from ouzel.services.retention import Planned, RetentionRules

MOST_NAMED = 100


class StepOut(Out):
    recording: str
    title: str
    channel_id: str
    channel: str
    why: Why
    bytes: int
    unlink: bool = Field(description="its files go at once; else it is put into the trash")

    @classmethod
    def of(cls, step: Step, title: str, channel: str) -> Self:
        """Args: channel: its name."""
        item = step.item
        return cls(
            recording=item.id, title=title, channel_id=item.channel_id, channel=channel, why=step.why,
            bytes=item.total_bytes, unlink=step.unlink,
        )  # fmt: skip


class RootPlanOut(Out):
    name: str
    free_bytes: int
    keep_free_bytes: int = Field(
        description="the largest `keep_free` of the rules that are used for it; 0: none has one"
    )
    floor_bytes: int = Field(description="that, and what recordings need to go on")
    frees_bytes: int = Field(description="at once")
    lacks_bytes: int = Field(description="of the floor, when all is done")
    out_of_reach: bool = Field(
        description="`keep_free_bytes` are more than there were without any recording: nothing goes for them"
    )
    kept: Kept | None = Field(description="why nothing on it is touched")
    unknown_bytes: int = Field(description="of recordings that the database does not know; 0 unless it is held back")

    @classmethod
    def of(cls, root: RootPlan, unknown: int) -> Self:
        return cls(
            name=root.name, free_bytes=root.free, keep_free_bytes=root.keep_free, floor_bytes=root.floor,
            frees_bytes=root.frees, lacks_bytes=root.lacks, out_of_reach=root.is_beyond, kept=root.kept, unknown_bytes=unknown,
        )  # fmt: skip


class PlanOut(Out):
    on: bool = Field(description="`[retention] on`: off, this is done only when somebody asks for it")
    every_s: float
    trash_s: float = Field(description="how long something stays in the trash, while there is room")
    count: int = Field(description="of all steps")
    frees_bytes: int = Field(description="at once, by all steps")
    steps: list[StepOut] = Field(description="in their order, as many as were asked for")
    roots: list[RootPlanOut]
    kept: dict[Kept, int] = Field(description="recordings under a rule, or in the trash, that stay, by why they do")

    @classmethod
    def of(cls, planned: Planned, rules: RetentionRules, steps: list[StepOut]) -> Self:
        plan = planned.plan
        return cls(
            on=rules.on, every_s=rules.every_s, trash_s=rules.trash.total_seconds(), count=len(plan.steps),
            frees_bytes=plan.frees, steps=steps, kept=dict(plan.kept),
            roots=[RootPlanOut.of(root, planned.unknown.get(root.name, (0, 0))[0]) for root in plan.roots],
        )  # fmt: skip


class TrashedOut(Out):
    id: str
    channel_id: str
    channel: str
    title: str
    started_at: datetime
    media_s: float
    bytes: int
    deleted_at: datetime = Field(description="since when it is in the trash")
    goes_at: datetime | None = Field(
        description="when it leaves it, if there is room until then; null: when somebody says so"
    )
    deleting: bool = Field(description="its files are being deleted: it cannot be brought back")

    @classmethod
    def of(cls, recording: Recording, channel: str, stays: timedelta | None) -> Self:
        """Args: stays: how long it is in the trash; None: until somebody empties that."""
        assert recording.deleted_at is not None
        return cls(
            id=recording.id, channel_id=recording.channel_id, channel=channel, title=recording.title,
            started_at=recording.started_at, media_s=recording.media_s, bytes=recording.bytes,
            deleted_at=recording.deleted_at, goes_at=None if stays is None else recording.deleted_at + stays,
            deleting=recording.deleting_at is not None,
        )  # fmt: skip


class EmptyIn(In):
    recordings: list[Id] | None = Field(None, min_length=1, max_length=MOST_NAMED, description="null: all in the trash")
