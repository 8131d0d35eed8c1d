"""What machines ask: whether all is well, and numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from ouzel import __version__
from ouzel.api.auth import MayMeasure
from ouzel.api.problems import problems
from ouzel.api.schemas.base import Out
from ouzel.api.services import Served
from ouzel.base.errors import NotAllowed, NotSignedIn

router = APIRouter(tags=["daemon"])


class HealthOut(Out):
    status: Literal["healthy", "degraded"]
    timestamp: datetime
    version: str
    degraded: list[str] = Field(description="what does not work as it should, in a word each")


@router.get("/health")
async def show_health(services: Served) -> HealthOut:
    """Open to everybody. Always 200 while it can answer: what is degraded is not mended by starting it again."""
    degraded = await services.health.degraded()
    return HealthOut(
        status="degraded" if degraded else "healthy", timestamp=services.db.clock.now(), version=__version__,
        degraded=degraded,
    )  # fmt: skip


@router.get(
    "/metrics", response_class=Response, dependencies=[MayMeasure],
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}} | problems(NotSignedIn, NotAllowed),
)  # fmt: skip
async def show_metrics(services: Served) -> Response:
    """For Prometheus. An API key that may read and sees all channels, unless `[metrics] open` says that nobody is asked."""
    return Response(await services.metrics.page(), media_type=services.metrics.content_type)
