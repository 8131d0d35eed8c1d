"""Who did what, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ouzel.api.auth import IsAdmin
from ouzel.api.cursors import Page, Paging
from ouzel.api.problems import problems, signed_in_problems
from ouzel.api.schemas.users import AuditOut
from ouzel.api.services import Served
from ouzel.base.errors import Invalid
from ouzel.store.audit import AuditFilter

router = APIRouter(prefix="/api/audit", tags=["audit"], responses=signed_in_problems())


@router.get("", responses=problems(Invalid))
async def list_audit(
    services: Served,
    ask: Paging,
    who: IsAdmin,  # noqa: ARG001
    by: Annotated[str | None, Query(max_length=100)] = None,
    what: Annotated[str | None, Query(max_length=100, description="how the operation's id begins")] = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
) -> Page[AuditOut]:
    """The latest first."""
    wanted = AuditFilter(by, what, subject)
    found = await services.audit.page(wanted, before=ask.after(int), limit=ask.more)
    total = await services.audit.count(wanted) if ask.exact else None
    return ask.page(found, AuditOut.of, key=lambda line: (line.number,), total=total)
