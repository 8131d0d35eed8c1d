"""API keys: everybody's own, and for administrators those of all."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from ouzel.api.auth import SignedIn
from ouzel.api.cursors import Page, Paging, Word
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.users import KeyIn, KeyOut, NewKeyOut
from ouzel.api.services import Served
from ouzel.base.errors import Conflict, Invalid, KeyReused, NotAllowed, NotFound
from ouzel.model.users import Scope

router = APIRouter(prefix="/api/keys", tags=["keys"], responses=signed_in_problems())


@router.get("", responses=problems(Invalid))
async def list_keys(
    services: Served,
    ask: Paging,
    who: SignedIn,
    of: Annotated[Literal["me", "all"], Query(description="`all`: for administrators")] = "me",
    word: Word = "",
) -> Page[KeyOut]:
    """Without their secrets, which nobody has but who made them."""
    if of == "all" and not who.may(Scope.ADMIN):
        raise NotAllowed("only administrators see the keys of others")
    user_id = who.user_id if of == "me" else None
    found = await services.users.keys(user_id=user_id, after=ask.after(str), limit=ask.more, word=word)
    total = await services.users.count_keys(user_id=user_id, word=word) if ask.exact else None
    return ask.page(found, KeyOut.of, key=lambda key: (key.id,), total=total)


@router.post("", status_code=201, response_model=NewKeyOut, responses=problems(Conflict, Invalid, KeyReused, NotFound))
async def add_key(body: KeyIn, services: Served, once: Once, who: SignedIn) -> Response:
    """Make a key for one's own account. It is shown this once. Not with an API key."""

    async def make() -> Made:
        key, secret = await services.users.add_key(who, body.wanted())
        return Made(NewKeyOut.with_secret(key, secret), f"/api/keys/{key.id}")

    return await once.answer(make)


@router.delete("/{key_id}", status_code=204, responses=problems(NotFound))
async def remove_key(key_id: Id, services: Served, who: SignedIn) -> None:
    """From now on it opens nothing."""
    await services.users.remove_key(who, key_id)
