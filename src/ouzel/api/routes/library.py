"""What is there to be watched, whatever it was made by: recordings that are over, and downloads that are whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ouzel.api.auth import CanRead
from ouzel.api.cursors import Page, Paging
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.library import ItemOut
from ouzel.api.services import Served
from ouzel.base.errors import Invalid
from ouzel.model.recording import Item, ItemKind
from ouzel.store.library import ItemFilter, LibraryRepo

router = APIRouter(prefix="/api/library", tags=["library"], responses=signed_in_problems())


@router.get("", responses=problems(Invalid))
async def list_items(
    services: Served,
    ask: Paging,
    who: CanRead,
    kind: ItemKind | None = None,
    text: Annotated[str, Query(max_length=200, description="in the title")] = "",
) -> Page[ItemOut]:
    """The latest first. Downloads are told to who sees all channels."""
    visible = await services.labels.visible(who.grants)
    which = ItemFilter(visible, visible is None, kind, text)
    repo = LibraryRepo(services.db)
    found = await repo.page(which, before=ask.after_instant(), limit=ask.more)
    total = await repo.count(which) if ask.exact else None

    def show(item: Item) -> ItemOut:
        return ItemOut.of(item, services.channels.name_of(item.channel_id) if item.channel_id else "")

    return ask.page(found, show, key=lambda each: (each.begun_at.isoformat(), each.id), total=total)
