"""What is told, and to whom; and what was."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from ouzel.api.auth import IsAdmin, SeesAll
from ouzel.api.cursors import Page, Paging
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.telling import MessageOut, RouteIn, RouteOut, RoutePatch, RoutesOut
from ouzel.api.services import Served
from ouzel.base.errors import BadOption, ChangedSince, Conflict, Invalid, KeyReused, NotFound
from ouzel.model.messages import Message, MessageState
from ouzel.store.messages import MessageFilter

router = APIRouter(prefix="/api/routes", tags=["telling people"], responses=signed_in_problems())
messages = APIRouter(prefix="/api/messages", tags=["telling people"], responses=signed_in_problems())
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


@messages.get("", responses=problems(Invalid))
async def list_messages(
    services: Served,
    ask: Paging,
    who: SeesAll,  # noqa: ARG001
    state: MessageState | None = None,
    target: Annotated[str | None, Query(max_length=60)] = None,
    word: Annotated[str, Query(max_length=200, description="only those whose id begins with it")] = "",
) -> Page[MessageOut]:
    """What was told, waits, failed, or was dropped; the latest first."""
    which = MessageFilter(state.value if state else None, target, word)
    found = await services.messages.page(which, before=ask.after_instant(), limit=ask.more)
    total = await services.messages.count(which) if ask.exact else None
    return ask.page(found, MessageOut.model_validate, key=_key, total=total)


@messages.post("/{message_id}/retry", responses=problems(NotFound, Conflict))
async def retry_message(message_id: Id, services: Served, who: IsAdmin) -> MessageOut:  # noqa: ARG001
    """Send it again, after it failed."""
    return MessageOut.model_validate(await services.messages.retry(message_id))


def _key(message: Message) -> tuple[str, str]:
    assert message.created_at is not None
    return message.created_at.isoformat(), message.id
