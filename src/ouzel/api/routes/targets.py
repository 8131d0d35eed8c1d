"""Where messages go."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from ouzel.api.auth import CanRead, IsAdmin, SeesAll
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.telling import (
    KindsOut,
    TargetIn,
    TargetOut,
    TargetPatch,
    TargetsOut,
    TestedOut,
)
from ouzel.api.services import Served
from ouzel.base.errors import BadOption, ChangedSince, Conflict, KeyReused, NotFound, OuzelError
from ouzel.model.targets import KINDS

router = APIRouter(prefix="/api", tags=["telling people"], responses=signed_in_problems())
_Name = Annotated[str, Path(min_length=1, max_length=60)]


@router.get("/targets")
async def list_targets(services: Served, who: SeesAll) -> TargetsOut:  # noqa: ARG001
    """Where messages go, in the order of their names. Secrets are hidden."""
    return TargetsOut(items=[TargetOut.of(each) for each in await services.targets.all()])


@router.get("/target-kinds")
async def list_kinds_of_targets(who: CanRead) -> KindsOut:  # noqa: ARG001
    """The sorts of targets, and what each has to be told."""
    return KindsOut.of(KINDS)


@router.post("/targets", status_code=201, response_model=TargetOut, responses=problems(Conflict, BadOption, KeyReused))
async def add_target(body: TargetIn, services: Served, once: Once, who: IsAdmin) -> Response:
    """It is told nothing until a route leads to it."""

    async def make() -> Made:
        return Made(TargetOut.of(await services.targets.add(body.name, body.doc(), by=who.by)), "/api/targets")

    return await once.answer(make)


@router.patch("/targets/{name}", responses=problems(NotFound, ChangedSince, BadOption))
async def change_target(
    name: _Name, body: TargetPatch, request: Request, services: Served, who: IsAdmin, expected: IfMatch
) -> TargetOut:
    """Of the settings only those that are named. What waits for it is tried at once."""
    changed = await services.targets.change(name, body.doc(), by=who.by, revision=expected)
    show_revision(request, changed.revision)
    return TargetOut.of(changed)


@router.delete("/targets/{name}", status_code=204, responses=problems(NotFound, ChangedSince, Conflict))
async def remove_target(name: _Name, services: Served, who: IsAdmin, expected: IfMatch) -> None:
    """Not while a route leads to it. What waits for it is dropped."""
    await services.targets.remove(name, by=who.by, revision=expected)


@router.post("/targets/{name}/test", responses=problems(NotFound))
async def test_target(name: _Name, services: Served, who: IsAdmin) -> TestedOut:  # noqa: ARG001
    """Send it a message now, in quiet hours too, and tell what came of it."""
    try:
        await services.targets.test(name)
    except NotFound:
        raise
    except OuzelError as exc:
        return TestedOut(sent=False, code=exc.code, why=str(exc))
    return TestedOut(sent=True, code=None, why=None)
