"""Looks again and again at how things stand, and makes the notices agree with it.

Nothing hangs on an event that was missed: a notice is raised because something is so, and over because it is not so any more,
also when that changed while the daemon was not there.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import anyio
from sqlalchemy.engine import RowMapping

from ouzel.base.errors import OuzelError
from ouzel.model.happening import StoredEvent
from ouzel.model.notices import CODES, Notice, Trouble
from ouzel.model.ownership import TaskState, TaskView
from ouzel.services.notices import Notices
from ouzel.store.db import Db
from ouzel.store.troubles import TroubleRepo

_log = logging.getLogger(__name__)
Source: TypeAlias = Callable[[], Awaitable[Sequence[Trouble]]]
"""What is wrong now, of one sort."""

PATIENCE = timedelta(minutes=5)
"""A platform may be out of order for so long before anybody is told."""
NOT_RECORDED_S = 180.0
"""On air, to be recorded, and nothing comes."""
TROUBLE_S = 120.0
"""A recording that has brought something, and is in trouble."""
_MANY = 5
"""So many channels of one platform in the same trouble are one notice."""
FAILED_FOR = timedelta(days=7)
_CALM_S = 600.0
"""A task that runs again for so long is well."""
_EVERY_S, _APART_S = 30.0, 5.0
_LOOK_AT = (
    "channel.", "recording.changed", "recording.finished", "recording.removed", "broadcast.", "storage.", "download."
)  # fmt: skip
_HAPPENS = frozenset(
    {
        "platform.strained", "task.crashed", "files.recovered", "follow.problem", "hook.failed", "hook.missed",
        "target.failed", "pipeline.failed", "pipeline.missing",
        "storage.all_pinned", "retention.freed", "retention.held_back", "retention.in_vain",
        "retention.out_of_reach", "retention.stuck",
    }
)  # fmt: skip
"""Raised where they happen; not ours to say that they are over."""
_LEVELS = CODES.keys() - _HAPPENS


class Noticing:
    """Args:
    sources: what else may be wrong; the codes are those of `model.notices`.
    tasks: `Supervisor.snapshot`.
    """

    def __init__(
        self,
        db: Db,
        notices: Notices,
        *,
        sources: Sequence[Source] = (),
        tasks: Callable[[], Sequence[TaskView]] = list,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._clock = db.clock
        self._notices = notices
        self._repo = TroubleRepo(db)
        self._sources = (self._channels, self._broadcasts, self._failed, *sources)
        self._tasks = tasks
        self._sleep = sleep
        self._seen: dict[str, tuple[object, datetime]] = {}
        """By key: the mark, and since when it is that."""
        self._wake = anyio.Event()

    def hear(self, event: StoredEvent) -> None:
        """For `Db.listen`."""
        if event.code.startswith(_LOOK_AT):
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake = anyio.Event()
            try:
                await self.look()
            except OuzelError as exc:  # the disk of the database is full, say: then there is no notice either
                _log.warning("notices could not be looked after: %s", exc)
            await self._sleep(_APART_S)
            async with anyio.create_task_group() as waiting:
                waiting.start_soon(self._until_next, waiting.cancel_scope)
                await self._wake.wait()
                waiting.cancel_scope.cancel()

    async def _until_next(self, scope: anyio.CancelScope) -> None:
        await self._sleep(_EVERY_S)
        scope.cancel()

    async def look(self) -> None:
        """Once."""
        now = self._clock.now()
        troubles = {trouble.key: trouble for source in self._sources for trouble in await source()}
        known = await self._notices.not_over()
        self._seen = {key: self._since(trouble, known.get(key), now) for key, trouble in troubles.items()}
        ripe = {
            key: trouble for key, trouble in troubles.items()
            if (now - self._seen[key][1]).total_seconds() >= trouble.patience_s
        }  # fmt: skip
        for key, trouble in ripe.items():
            if key not in known:
                await self._notices.raise_notice(key, trouble.code, None, trouble.data, trouble.channel_id)
            elif trouble.last is not None:
                await self._count(trouble, trouble.last, known[key])
            elif trouble.data.get("channels") != known[key].data.get(
                "channels"
            ):  # so many are in the same trouble by now
                await self._notices.restate(key, trouble.data)
        for key, notice in known.items():
            if notice.code in _LEVELS and key not in ripe:
                await self._notices.over(key)
        await self._look_at_tasks([notice for notice in known.values() if notice.code == "task.crashed"], now)
        await self._look_at_runs([notice for notice in known.values() if notice.code == "pipeline.failed"])

    async def _count(self, trouble: Trouble, last: datetime, known: Notice) -> None:
        """Who has dismissed those that were told knows nothing of one more."""
        if last > known.last_at:
            if known.dismissed_at is not None:
                await self._notices.over(trouble.key)
            await self._notices.raise_notice(trouble.key, trouble.code, None, trouble.data, trouble.channel_id)
        elif dict(trouble.data) != dict(known.data):
            await self._notices.restate(trouble.key, trouble.data)

    def _since(self, trouble: Trouble, known: Notice | None, now: datetime) -> tuple[object, datetime]:
        """Its mark, and since when it is so. After a new start what was told already is believed."""
        if trouble.since is not None:
            return trouble.mark, trouble.since
        mark, since = self._seen.get(trouble.key, (None, None))
        if since is not None:
            return trouble.mark, since if mark == trouble.mark else now
        return trouble.mark, now - timedelta(seconds=trouble.patience_s) if known is not None else now

    async def _look_at_tasks(self, crashed: Sequence[Notice], now: datetime) -> None:
        views = {view.key: view for view in self._tasks()} if crashed else {}
        for notice in crashed:
            view = views.get(notice.data.get("task", ""))
            if view is None:
                is_well = (now - notice.last_at).total_seconds() >= _CALM_S
            else:
                is_well = view.state is TaskState.RUNNING and view.since_s >= _CALM_S
            if is_well:
                await self._notices.over(notice.key)

    async def _look_at_runs(self, failed: Sequence[Notice]) -> None:
        """Nothing is to be done any more about what was removed."""
        runs = {notice.key.removeprefix("pipeline.failed:"): notice for notice in failed}
        for run_id in runs.keys() - await self._repo.failed_runs([*runs]):
            await self._notices.over(runs[run_id].key)

    # -- what may be wrong --------------------------------------------------------------------------------------------

    async def _channels(self) -> list[Trouble]:
        found: defaultdict[tuple[str, str], list[RowMapping]] = defaultdict(list)
        for row in await self._repo.unheard(self._clock.now() - PATIENCE):
            found[row["platform"], row["state"]].append(row)
        troubles: list[Trouble] = []
        for (platform, state), rows in found.items():
            code = f"platform.{state}"
            if len(rows) > _MANY and code in CODES:
                last = rows[-1]
                data = {"platform": platform, "channels": len(rows), "code": last["code"], "why": last["why"]}
                troubles.append(
                    Trouble(f"{code}:{platform}", code, data, since=min(row["since"] for row in rows))
                )  # fmt: skip
            else:
                troubles += [_of_channel(row) for row in rows]
        return troubles

    async def _broadcasts(self) -> list[Trouble]:
        """What is on air, and is not written down: whatever may be the reason, it shows here."""
        troubles: list[Trouble] = []
        for row in await self._repo.on_air():
            if row["state"] == "paused":  # for the disk, which has a notice of its own
                continue
            is_silent = not row["bytes"] or (row["state"] == "recording" and row["code"] is None)
            code = "broadcast.not_recorded" if is_silent else "recording.trouble"
            key = f"{code}:{row['id'] if is_silent else row['recording_id']}"
            data = _data(row, "name", "title", "code", "why")
            patience_s = NOT_RECORDED_S if is_silent else TROUBLE_S
            troubles.append(Trouble(key, code, data, row["channel_id"], patience_s=patience_s, mark=row["bytes"] or 0))
        return troubles

    async def _failed(self) -> list[Trouble]:
        rows = await self._repo.ended_badly(self._clock.now() - FAILED_FOR)
        return [
            Trouble(
                f"recording.failed:{row['id']}", "recording.failed",
                _data(row, "name", "title", "end_reason", "code", "why", "media_s") | {"recording": row["id"]},
                row["channel_id"], since=row["ended_at"],
            )
            for row in rows
        ]  # fmt: skip


def _of_channel(row: RowMapping) -> Trouble:
    code = f"channel.{row['state']}"
    data = _data(row, "name", "platform", "code", "why")
    return Trouble(f"{code}:{row['id']}", code, data, row["id"], since=row["since"])


def _data(row: RowMapping, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}
