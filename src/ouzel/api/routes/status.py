"""Everything at a glance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter

from ouzel.api.auth import CanRead
from ouzel.api.problems import signed_in_problems
from ouzel.api.services import Served

router = APIRouter(prefix="/api/status", tags=["daemon"], responses=signed_in_problems())


@router.get("")
async def show_status(services: Served, who: CanRead) -> dict[str, Any]:
    """Everything at a glance: channels, tasks, storage roots, notices, totals. Without what one may not see."""
    seen = await services.overviews.look()
    visible = await services.labels.visible(who.grants)
    if visible is not None:
        ids = set(visible)
        channels = tuple(each for each in seen.channels if each.id in ids)
        notices = tuple(each for each in seen.notices if each.channel_id in ids)
        seen = replace(seen, channels=channels, notices=notices, tasks=())
    return seen.fields()
