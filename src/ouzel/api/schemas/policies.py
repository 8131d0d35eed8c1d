"""Rules that delete."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from ouzel.api.schemas.base import In, Out, Patch, left_out
from ouzel.model.policies import Per, Rule
from ouzel.store.named import Named


class RuleFields(In):
    keep_days: float | None = Field(None, gt=0, le=36_500, description="since it ended")
    keep_bytes: int | None = Field(None, gt=0, le=1 << 53)
    keep_count: int | None = Field(None, gt=0, le=1_000_000)
    per: Per = Per.CHANNEL
    keep_free: int | None = Field(
        None, gt=0, le=1 << 53, description="bytes: while a storage root has less room, the oldest on it go at once"
    )

    def rule(self) -> Rule:
        return Rule(self.keep_days, self.keep_bytes, self.keep_count, self.per, self.keep_free)


class PolicyIn(RuleFields):
    name: str = Field(min_length=1, max_length=60, examples=["two weeks"])
    keep_days: float | None = Field(None, gt=0, le=36_500, examples=[14])


class PolicyPatch(Patch):
    keep_days: float | None = left_out(lambda: None, gt=0, le=36_500)
    keep_bytes: int | None = left_out(lambda: None, gt=0, le=1 << 53)
    keep_count: int | None = left_out(lambda: None, gt=0, le=1_000_000)
    per: Per = left_out(lambda: Per.CHANNEL)
    keep_free: int | None = left_out(lambda: None, gt=0, le=1 << 53)


class PolicyOut(Out):
    name: str
    keep_days: float | None
    keep_bytes: int | None
    keep_count: int | None
    per: Per
    keep_free: int | None
    revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, policy: Named[Rule]) -> Self:
        rule = policy.spec
        return cls(
            name=policy.name, keep_days=rule.keep_days, keep_bytes=rule.keep_bytes, keep_count=rule.keep_count,
            per=rule.per, keep_free=rule.keep_free, revision=policy.revision,
            created_at=policy.created_at, updated_at=policy.updated_at,
        )  # fmt: skip


class PoliciesOut(Out):
    items: list[PolicyOut]
