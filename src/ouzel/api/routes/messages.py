"""What was told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ouzel.api.auth import IsAdmin, SeesAll
from ouzel.api.cursors import Page, Paging
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.telling import MessageOut
from ouzel.api.services import Served
from ouzel.base.errors import Conflict, Invalid, NotFound
from ouzel.model.messages import Message, MessageState
from ouzel.store.messages import MessageFilter

router = APIRouter(prefix="/api/messages", tags=["telling people"], responses=signed_in_problems())


@router.get("", responses=problems(Invalid))
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


@router.post("/{message_id}/retry", responses=problems(NotFound, Conflict))
async def retry_message(message_id: Id, services: Served, who: IsAdmin) -> MessageOut:  # noqa: ARG001
    """Send it again, after it failed."""
    return MessageOut.model_validate(await services.messages.retry(message_id))


def _key(message: Message) -> tuple[str, str]:
    assert message.created_at is not None
    return message.created_at.isoformat(), message.id
