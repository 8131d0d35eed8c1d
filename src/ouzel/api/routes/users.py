"""Accounts, for administrators."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from ouzel.api.auth import IsAdmin
from ouzel.api.cursors import Page, Paging, Word
from ouzel.api.etags import IfMatch, show_revision
from ouzel.api.once import Made, Once
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.users import UserIn, UserOut, UserPatch
from ouzel.api.services import Served
from ouzel.base.errors import (
    ChangedSince,
    Conflict,
    Invalid,
    KeyReused,
    NotFound,
    WeakPassword,
)
from ouzel.services.users import checked_labels

router = APIRouter(prefix="/api/users", tags=["users"], responses=signed_in_problems())


@router.get("", responses=problems(Invalid))
async def list_users(services: Served, ask: Paging, who: IsAdmin, word: Word = "") -> Page[UserOut]:  # noqa: ARG001
    """In the order in which they were made."""
    found = await services.users.page(after=ask.after(str), limit=ask.more, word=word)
    total = await services.users.count(word) if ask.exact else None
    return ask.page(found, UserOut.of, key=lambda user: (user.id,), total=total)


@router.post(
    "", status_code=201, response_model=UserOut, responses=problems(Conflict, Invalid, KeyReused, WeakPassword)
)
async def add_user(body: UserIn, services: Served, once: Once, who: IsAdmin) -> Response:
    """Make an account. Not with an API key."""

    async def make() -> Made:
        user = await services.users.add(who, body.wanted())
        return Made(UserOut.of(user), f"/api/users/{user.id}")

    return await once.answer(make)


@router.get("/{user_id}", responses=problems(NotFound))
async def show_user(user_id: Id, request: Request, services: Served, who: IsAdmin) -> UserOut:  # noqa: ARG001
    """One account."""
    user = await services.users.get(user_id)
    show_revision(request, user.revision)
    return UserOut.of(user)


@router.patch("/{user_id}", responses=problems(NotFound, Conflict, ChangedSince, Invalid, WeakPassword))
async def change_user(
    user_id: Id, body: UserPatch, request: Request, services: Served, who: IsAdmin, expected: IfMatch
) -> UserOut:
    """Fields that are left out stay as they are. What an account loses, it loses at once."""
    changes = body.changes()
    password = changes.pop("password", None)
    if "labels" in changes:
        changes["labels"] = checked_labels(changes["labels"])
    user = await services.users.change(
        who, user_id, lambda user: replace(user, **changes), expected=expected, password=password
    )
    show_revision(request, user.revision)
    return UserOut.of(user)


@router.delete("/{user_id}", status_code=204, responses=problems(NotFound, Conflict, ChangedSince))
async def remove_user(user_id: Id, services: Served, who: IsAdmin, expected: IfMatch) -> None:
    """With its sessions and keys. The last administrator stays."""
    await services.users.remove(who, user_id, expected=expected)
