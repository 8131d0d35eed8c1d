"""Rules that delete."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from ouzel.api.auth import CanRead, IsAdmin
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.policies import PoliciesOut, PolicyIn, PolicyOut, PolicyPatch
from ouzel.api.services import Served
from ouzel.base.errors import BadOption, ChangedSince, Conflict, KeyReused, NotFound

router = APIRouter(prefix="/api/policies", tags=["policies"], responses=signed_in_problems())
_Name = Annotated[str, Path(min_length=1, max_length=60)]


@router.get("")
async def list_policies(services: Served, who: CanRead) -> PoliciesOut:  # noqa: ARG001
    """Rules that delete, in the order of their names."""
    return PoliciesOut(items=[PolicyOut.of(each) for each in await services.policies.all()])


@router.post(
    "", status_code=201, response_model=PolicyOut,
    responses=problems(Conflict, BadOption, KeyReused),
)  # fmt: skip
async def add_policy(body: PolicyIn, services: Served, once: Once, who: IsAdmin) -> Response:
    """A rule, which deletes nothing until a channel or a layer names it."""

    async def make() -> Made:
        policy = await services.policies.add(body.name, body.rule(), by=who.by)
        return Made(PolicyOut.of(policy), "/api/policies")

    return await once.answer(make)


@router.patch("/{name}", responses=problems(NotFound, ChangedSince, BadOption))
async def change_policy(
    name: _Name, body: PolicyPatch, request: Request, services: Served, who: IsAdmin, expected: IfMatch
) -> PolicyOut:
    """Null: no such limit."""
    changes = body.changes()
    policy = await services.policies.change(name, lambda rule: replace(rule, **changes), by=who.by, revision=expected)
    show_revision(request, policy.revision)
    return PolicyOut.of(policy)


@router.delete("/{name}", status_code=204, responses=problems(NotFound, ChangedSince, Conflict))
async def remove_policy(name: _Name, services: Served, who: IsAdmin, expected: IfMatch) -> None:
    """Not while something names it."""
    await services.policies.remove(name, by=who.by, revision=expected)
