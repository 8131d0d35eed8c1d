"""What somebody should know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from ouzel.api.schemas.base import Out
from ouzel.model.notices import Severity


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
