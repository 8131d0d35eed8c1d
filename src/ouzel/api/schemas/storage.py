"""Where media go."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from ouzel.api.schemas.base import Out
from ouzel.services.storage import RootState, RootView


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
