"""What somebody should know: raised once for each thing, counted while it lasts, and over when it is not so any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ouzel.base.errors import NotFound
from ouzel.model.happening import Happening
from ouzel.model.notices import CODES, Notice, Severity
from ouzel.model.ownership import TaskView
from ouzel.store.db import Db, Tx
from ouzel.store.notices import NoticeFilter, NoticeRepo

_MOST_WHY = 500


class Notices:
    """Use cases around notices."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._repo = NoticeRepo(db)

    # -- asking -------------------------------------------------------------------------------------------------------

    async def get(self, notice_id: str) -> Notice:
        """Raises: NotFound."""
        return _there(await self._repo.get(notice_id), notice_id)

    async def page(
        self, which: NoticeFilter | None = None, *, before: tuple[datetime, str] | None = None, limit: int = 60
    ) -> list[Notice]:
        """The latest first. `before`: `raised_at` and id of the one after which to go on."""
        return await self._repo.page(which or NoticeFilter(), before=before, limit=limit)

    async def count(self, which: NoticeFilter | None = None) -> int:
        return await self._repo.count(which or NoticeFilter())

    async def not_over(self) -> dict[str, Notice]:
        """By key: what is so still, whether somebody dismissed it or not."""
        return await self._repo.not_over()

    # -- raising ------------------------------------------------------------------------------------------------------

    async def raise_notice(
        self,
        key: str,
        code: str,
        severity: Severity | None = None,
        data: Mapping[str, Any] | None = None,
        channel_id: str | None = None,
    ) -> Notice:
        """It is so, or has happened once more.

        What somebody dismissed is only counted, until it has been over: who said that they know is not told again.

        Args:
            severity: None: as `model.notices.CODES` says.
            data: what the sentence is made of; JSON values, redacted. The last that was given stands.
        """
        async with self._db.transaction() as tx:
            return await self.raise_in(tx, key, code, severity, data, channel_id)

    async def raise_in(
        self,
        tx: Tx,
        key: str,
        code: str,
        severity: Severity | None = None,
        data: Mapping[str, Any] | None = None,
        channel_id: str | None = None,
    ) -> Notice:
        """The same in a transaction of the caller."""
        severity, data = severity or CODES[code], data or {}
        known = await self._repo.not_over_in(tx, key)
        if known is not None:
            values = {"count": known.count + 1, "last_at": self._db.clock.now(), "data": dict(data)}
            await self._repo.change_in(tx, known.id, **values)
            return _there(await self._repo.get_in(tx, known.id), known.id)
        notice = await self._repo.add_in(tx, key, code, severity, data, channel_id)
        told = {"key": key, "code": code, "severity": severity.value, "data": dict(data)}
        tx.emit(Happening("notice.raised", notice.id, told, channel_id))
        return notice

    async def restate(self, key: str, data: Mapping[str, Any]) -> None:
        """It is so still, and what its sentence is made of is something else by now."""
        async with self._db.transaction() as tx:
            if (known := await self._repo.not_over_in(tx, key)) is not None:
                await self._repo.change_in(tx, known.id, data=dict(data))

    async def over(self, key: str) -> bool:
        """It is not so any more. Returns: whether it was."""
        async with self._db.transaction() as tx:
            return await self.over_in(tx, key)

    async def over_in(self, tx: Tx, key: str) -> bool:
        """The same in a transaction of the caller."""
        over = await self._repo.over_in(tx, key)
        for notice in over:
            if notice.dismissed_at is None:
                _tell_over(tx, notice, "over")
        return bool(over)

    async def dismiss(self, notice_id: str, by: str) -> Notice:
        """Somebody knows, and does not want to see it. Raises: NotFound."""
        async with self._db.transaction() as tx:
            notice = _there(await self._repo.get_in(tx, notice_id), notice_id)
            if notice.dismissed_at is None:
                await self._repo.change_in(tx, notice.id, dismissed_at=self._db.clock.now(), dismissed_by=by)
                if notice.over_at is None:
                    _tell_over(tx, notice, "dismissed")
            return _there(await self._repo.get_in(tx, notice_id), notice_id)

    # -- of others ----------------------------------------------------------------------------------------------------

    async def crashed(self, task: TaskView) -> None:
        """For the supervisor's `on_crash`: a bug of ours. What is raised on purpose is told by who it concerns."""
        if task.code in ("", "internal"):
            data = {"task": task.key, "why": task.last_error[:_MOST_WHY], "restarts": task.restarts}
            await self.raise_notice(f"task.crashed:{task.key}", "task.crashed", data=data)


def _tell_over(tx: Tx, notice: Notice, how: str) -> None:
    data = {"key": notice.key, "code": notice.code, "how": how}
    tx.emit(Happening("notice.over", notice.id, data, notice.channel_id))


def _there(notice: Notice | None, notice_id: str) -> Notice:
    if notice is None:
        raise NotFound(f"there is no notice {notice_id[:40]}")
    return notice
