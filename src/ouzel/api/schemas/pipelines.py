"""What is done with what is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from ouzel.api.schemas.base import Id, In, Out
from ouzel.model.pipelines import MOST_STEPS, PipelineRun, RunState, Steps
from ouzel.store.named import Named

_STEPS = 'each `{"step": …}` with its fields, as `GET /api/steps` tells them'


class StepsIn(In):
    steps: list[dict[str, Any]] = Field(
        min_length=1, max_length=MOST_STEPS, description=_STEPS, examples=[[{"step": "remux", "format": "mp4"}]]
    )


class PipelineIn(StepsIn):
    name: str = Field(min_length=1, max_length=60, examples=["to mp4"])


class PipelineOut(Out):
    name: str
    steps: list[dict[str, Any]] = Field(description="with all their fields")
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, pipeline: Named[Steps]) -> Self:
        return cls(
            name=pipeline.name, steps=[each.doc() for each in pipeline.spec], revision=pipeline.revision,
            created_at=pipeline.created_at, updated_at=pipeline.updated_at,
        )  # fmt: skip


class PipelinesOut(Out):
    items: list[PipelineOut]


class RunIn(In):
    pipeline: str = Field(min_length=1, max_length=60, description="its name")


class MoveIn(In):
    to: str = Field(min_length=1, max_length=60, description="name of the storage root")


class RunOut(Out):
    id: str
    pipeline: str = Field(description="its name when it began")
    recording_id: Id | None
    download_id: Id | None
    steps: list[dict[str, Any]] = Field(description="as they were when it began")
    at: int = Field(description="the step that is to be done, from 0; the number of steps when all are")
    skipped: list[int] = Field(description="steps that failed, and behind which it went on")
    state: RunState
    job_id: str = Field(description="of the step at which it is")
    code: str | None = Field(description="of the error that ended it")
    why: str | None
    by: str | None = Field(description="who wanted it; null: it began by itself")
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, run: PipelineRun) -> Self:
        return cls(
            id=run.id, pipeline=run.pipeline, recording_id=run.recording_id or None, download_id=run.download_id or None,
            steps=[each.doc() for each in run.steps], at=run.at, skipped=[*run.skipped], state=run.state, job_id=run.job_id,
            code=run.code, why=run.why, by=run.by or None, created_at=run.created_at, ended_at=run.ended_at,
        )  # fmt: skip
