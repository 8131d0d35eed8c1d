"""What is told, and to whom."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from ouzel.api.auth import IsAdmin, SeesAll
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.telling import RouteIn, RouteOut, RoutePatch, RoutesOut
from ouzel.api.services import Served
from ouzel.base.errors import BadOption, ChangedSince, Conflict, KeyReused, NotFound

router = APIRouter(prefix="/api/routes", tags=["telling people"], responses=signed_in_problems())
_Name = Annotated[str, Path(min_length=1, max_length=60)]


@router.get("")
async def list_routes(services: Served, who: SeesAll) -> RoutesOut:  # noqa: ARG001
    """What is told, and to whom, in the order of their names."""
    return RoutesOut(items=[RouteOut.of(each) for each in await services.routes.all()])


@router.post("", status_code=201, response_model=RouteOut, responses=problems(Conflict, BadOption, KeyReused))
async def add_route(body: RouteIn, services: Served, once: Once, who: IsAdmin) -> Response:
    """From now on. Every condition that is set has to hold."""

    async def make() -> Made:
        return Made(RouteOut.of(await services.routes.add(body.name, body.doc(), by=who.by)), "/api/routes")

    return await once.answer(make)


@router.patch("/{name}", responses=problems(NotFound, ChangedSince, BadOption))
async def change_route(
    name: _Name, body: RoutePatch, request: Request, services: Served, who: IsAdmin, expected: IfMatch
) -> RouteOut:
    """What is left out stays."""
    changed = await services.routes.change(name, body.changes(), by=who.by, revision=expected)
    show_revision(request, changed.revision)
    return RouteOut.of(changed)


@router.delete("/{name}", status_code=204, responses=problems(NotFound, ChangedSince))
async def remove_route(name: _Name, services: Served, who: IsAdmin, expected: IfMatch) -> None:
    """What it has brought about already is still sent."""
    await services.routes.remove(name, by=who.by, revision=expected)
