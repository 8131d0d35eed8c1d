"""Where media go."""

from __future__ import annotations

from fastapi import APIRouter

from ouzel.api.auth import CanRead
from ouzel.api.problems import signed_in_problems
from ouzel.api.schemas.storage import RootOut, RootsOut
from ouzel.api.services import Served

router = APIRouter(prefix="/api/storage", tags=["daemon"], responses=signed_in_problems())


@router.get("")
async def list_storage(services: Served, who: CanRead) -> RootsOut:  # noqa: ARG001
    """Storage roots: whether they take media, what they hold, and for how long they will do."""
    return RootsOut(items=[RootOut.of(view) for view in await services.storage.views()])
