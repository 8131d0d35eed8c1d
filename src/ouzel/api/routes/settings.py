"""Settings in layers, and what was edited: for channels, layers, rules and pipelines alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request

from ouzel.api.auth import CanEdit, CanRead, IsAdmin, SeesAll
from ouzel.api.cursors import Page, Paging
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.settings import LayerOut, LayerPatch, LayersOut, RevisionOut, UndoneOut
from ouzel.api.services import Served, Services
from ouzel.base.docstrings import field_docs
from ouzel.base.errors import BadOption, ChangedSince, Conflict, Invalid, NotAllowed, NotFound
from ouzel.model.channel_settings import ChannelSettings, json_schema
from ouzel.model.users import Scope
from ouzel.platforms.registry import registry
from ouzel.services.channels import check_scope
from ouzel.services.revisions import hides
from ouzel.services.settings import shown_layer
from ouzel.store.channels import RevisionFilter

router = APIRouter(prefix="/api", tags=["settings"], responses=signed_in_problems())


@router.get("/settings/schema")
async def show_settings_schema(who: CanRead) -> dict[str, Any]:  # noqa: ARG001
    """What can be set for channels, as JSON Schema: types, ranges, defaults, and what each is for."""
    return json_schema(field_docs(ChannelSettings))


@router.get("/settings/channels")
async def list_layers(services: Served, who: SeesAll) -> LayersOut:  # noqa: ARG001
    """The settings for all channels, and those of each platform that has some."""
    scopes = dict.fromkeys(["global", *services.channels.scopes])
    return LayersOut(items=[_layer(services, scope) for scope in scopes])


@router.get("/settings/channels/{scope}", responses=problems(NotFound))
async def show_layer(scope: str, request: Request, services: Served, who: SeesAll) -> LayerOut:  # noqa: ARG001
    """`global`, or `platform:NAME`."""
    layer = _layer(services, _scope(scope))
    show_revision(request, layer.revision)
    return layer


@router.patch("/settings/channels/{scope}", responses=problems(NotFound, ChangedSince, BadOption))
async def change_layer(
    scope: str, body: LayerPatch, request: Request, services: Served, who: IsAdmin, expected: IfMatch
) -> LayerOut:
    """For all channels that do not say otherwise themselves."""
    await services.channels.set_layer(_scope(scope), body.root, by=who.by, revision=expected)
    layer = _layer(services, scope)
    show_revision(request, layer.revision)
    return layer


def _scope(scope: str) -> str:
    return check_scope(scope, [platform.name for platform in registry()])


def _layer(services: Services, scope: str) -> LayerOut:
    layer, revision = services.channels.layer(scope)
    return LayerOut(scope=scope, settings=shown_layer(layer), revision=revision)


@router.get("/revisions", responses=problems(Invalid))
async def list_revisions(
    services: Served,
    ask: Paging,
    who: CanRead,
    kind: Literal["channel", "layer", "policy", "pipeline", "target", "route", "remote", "video"] | None = None,
    subject: Annotated[str | None, Query(max_length=100)] = None,
) -> Page[RevisionOut]:
    """What was edited, by whom, and how it was before; the latest first."""
    which = RevisionFilter(kind, subject, await services.labels.visible(who.grants))
    found = await services.revisions.page(which, before=ask.after(int), limit=ask.more)
    total = await services.revisions.count(which) if ask.exact else None
    return ask.page(found, RevisionOut.model_validate, key=lambda each: (each.number,), total=total)


@router.post("/revisions/{number}/undo", responses=problems(NotFound, Conflict))
async def undo_revision(number: Annotated[int, Path(ge=1, le=2**53)], services: Served, who: CanEdit) -> UndoneOut:
    """Make it as it was before: what was edited together is undone together. That is an edit, too, and can be undone."""
    together = await services.revisions.together(number)
    if hides(together, await services.labels.visible(who.grants)):
        raise NotFound(f"there is no revision {number}")
    if any(each.kind not in {"channel", "video"} for each in together) and not who.may(Scope.ADMIN):
        raise NotAllowed("settings for all, rules that delete, and pipelines are for administrators")
    return UndoneOut(subjects=await services.revisions.undo(number, by=who.by))
