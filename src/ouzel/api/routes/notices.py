"""What somebody should know."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ouzel.api.auth import CanEdit, CanRead, require_visible
from ouzel.api.cursors import Page, Paging
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.base import Id
from ouzel.api.schemas.notices import NoticeOut
from ouzel.api.services import Served
from ouzel.base.errors import Invalid, NotFound
from ouzel.model.notices import Severity
from ouzel.store.notices import NoticeFilter

router = APIRouter(prefix="/api/notices", tags=["notices"], responses=signed_in_problems())


@router.get("", responses=problems(Invalid))
async def list_notices(
    services: Served,
    ask: Paging,
    who: CanRead,
    is_open: Annotated[bool | None, Query(alias="open", description="false: those that are over or dismissed")] = None,
    severity: Severity | None = None,
    word: Annotated[str, Query(max_length=200, description="only those whose id begins with it")] = "",
) -> Page[NoticeOut]:
    """What somebody should know; the latest first."""
    channels = await services.labels.visible(who.grants)
    which = NoticeFilter(is_open, [severity.value] if severity else None, None, channels, word)
    found = await services.notices.page(which, before=ask.after_instant(), limit=ask.more)
    total = await services.notices.count(which) if ask.exact else None
    return ask.page(
        found, NoticeOut.model_validate, key=lambda each: (each.raised_at.isoformat(), each.id), total=total
    )


@router.post("/{notice_id}/dismiss", responses=problems(NotFound))
async def dismiss_notice(notice_id: Id, services: Served, who: CanEdit) -> NoticeOut:
    """Somebody knows. It is not told again before it has been over."""
    notice = await services.notices.get(notice_id)
    labels = () if notice.channel_id is None else await services.labels.of(notice.channel_id)
    require_visible(who, labels, "notice")
    return NoticeOut.model_validate(await services.notices.dismiss(notice_id, who.by))
