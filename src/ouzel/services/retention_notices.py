"""What retention tells: what was freed, and what keeps it from doing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ouzel.model.retention import Plan, RootPlan
from ouzel.services.emptying import Outcome
from ouzel.services.notices import Notices


class RetentionNotices:
    """Raised, and over, when retention says so."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    async def stands(self, plan: Plan, unknown: Mapping[str, tuple[int, int]]) -> None:
        """What stands in the way, for as long as it does.

        Args:
            unknown: of roots that are held back: bytes that no row knows, and those that rows know.
        """
        known = await self._notices.not_over()
        for root in plan.roots:
            is_beyond = root.is_beyond and root.kept is None
            lacks = root.lacks if root.kept is None and not is_beyond else 0
            held = unknown.get(root.name, (0, 0))
            await self._level(known, "storage.all_pinned", root.name, {"lacks": lacks} if lacks else None)
            beyond = {"keep_free": root.keep_free} if is_beyond else None
            await self._level(known, "retention.out_of_reach", root.name, beyond)
            trouble = {"unknown": held[0], "known": held[1]} if held[0] else None
            await self._level(known, "retention.held_back", root.name, trouble)

    async def _level(self, known: Mapping[str, object], code: str, root: str, data: Mapping[str, Any] | None) -> None:
        """Args: data: None: it is not so."""
        key = f"{code}:{root}"
        if data is None:
            await self._notices.over(key)
        elif key not in known:
            await self._notices.raise_notice(key, code, data={"root": root, **data})

    async def came(self, outcome: Outcome) -> None:
        """What came of a plan, or of emptying the trash."""
        if outcome.freed_bytes:
            data = {"recordings": outcome.removed, "bytes": outcome.freed_bytes}
            await self._notices.raise_notice("retention.freed", "retention.freed", data=data)
        if outcome.failed:
            data = {"recordings": outcome.failed, "why": outcome.why}
            await self._notices.raise_notice("retention.stuck", "retention.stuck", data=data)
        else:
            await self._notices.over("retention.stuck")

    async def helped(self, root: RootPlan, free: int, *, in_vain: bool) -> None:
        """Args: free: bytes, when what makes room was deleted."""
        key = f"retention.in_vain:{root.name}"
        if not in_vain:
            await self._notices.over(key)
            return
        data = {"root": root.name, "bytes": root.frees, "free": free}
        await self._notices.raise_notice(key, "retention.in_vain", data=data)
