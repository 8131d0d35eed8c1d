"""Sites with live channels."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter

from ouzel.api.auth import CanRead
from ouzel.api.problems import signed_in_problems
from ouzel.api.schemas.platforms import PlatformOut, PlatformsOut
from ouzel.api.services import Served
from ouzel.platforms.registry import registry

router = APIRouter(prefix="/api/platforms", tags=["daemon"], responses=signed_in_problems())


@router.get("")
async def list_platforms(services: Served, who: CanRead) -> PlatformsOut:
    """All that are known, and how much each is asked."""
    loads = {load.platform: load for load in services.watching.loads()}
    watched = Counter(each.platform for each in services.channels.all() if each.watch and who.sees(each.labels))
    items: list[PlatformOut] = []
    for platform in registry():
        load = loads.get(platform.name)
        items.append(
            PlatformOut(
                name=platform.name, title=platform.title, title_zh=platform.title_zh, example=platform.example,
                access=platform.access, channels=watched[platform.name], requests=load and load.requests,
                requests_per_minute=load and load.requests_per_minute, closed=load is not None and load.closed,
                strained=load is not None and load.strained,
            )
        )  # fmt: skip
    return PlatformsOut(items=items)
