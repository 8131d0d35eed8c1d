"""What retention asks of the database: every recording with what it holds, and who works on it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import RowMapping, Select, case, delete, func, select

from ouzel.model.broadcast import BroadcastState
from ouzel.model.jobs import OPEN
from ouzel.model.recording import FileState
from ouzel.model.states import RecordingState
from ouzel.store.db import Db, Tx
from ouzel.store.tables import broadcasts, files, jobs, recordings

_PIECE = 1000


@dataclass(frozen=True, slots=True)
class HeldRecording:
    """A recording, as retention sees it. Instants are aware UTC, sizes bytes."""

    id: str
    channel_id: str
    title: str
    policy: str | None
    pinned: bool
    is_over: bool
    """It, and its broadcast: it cannot be taken up again."""
    since: datetime
    """When it ended, or was taken out of the trash last."""
    deleted_at: datetime | None
    deleting_at: datetime | None
    bytes: dict[str, int]
    """By name of the root; of files that are there."""
    has_lost: bool
    """Of its files one is not where it was."""


class RetentionRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def all(self) -> list[HeldRecording]:
        """In the trash or not. Read in pieces, between which everything else has its turn."""
        found: list[HeldRecording] = []
        query = _recordings().order_by(recordings.c.id).limit(_PIECE)
        while rows := await self._db.read(query.where(recordings.c.id > (found[-1].id if found else ""))):
            held, lost = await self._held(rows[0]["id"], rows[-1]["id"])
            found += [_recording(row, held[row["id"]], has_lost=row["id"] in lost) for row in rows]
        return found

    async def one_in(self, tx: Tx, recording_id: str) -> HeldRecording | None:
        """Without its files."""
        row = await tx.one(_recordings().where(recordings.c.id == recording_id))
        return None if row is None else _recording(row, {}, has_lost=False)

    async def trash(self) -> list[str]:
        """Ids of what is in it, the oldest first."""
        query = select(recordings.c.id).where(recordings.c.deleted_at.is_not(None))
        return [row["id"] for row in await self._db.read(query.order_by(recordings.c.deleted_at, recordings.c.id))]

    async def stems(self, root: str) -> set[str]:
        """Paths of its files from the root on, without their endings; of those that were moved away, while they may lie there."""
        found: set[str] = set()
        after = ""
        query = select(files.c.id, files.c.path).where(files.c.root == root).order_by(files.c.id).limit(_PIECE)
        while rows := await self._db.read(query.where(files.c.id > after)):
            found |= {_stem(row["path"]) for row in rows}
            after = rows[-1]["id"]
        moved = await self._db.read(select(files.c.was_path).where(files.c.was_root == root))
        return found | {_stem(row["was_path"]) for row in moved}

    async def in_jobs(self) -> set[str]:
        """Ids of recordings that jobs name which are not over: `recording` in their arguments."""
        named = func.json_extract(jobs.c.args, "$.recording").label("recording")
        rows = await self._db.read(select(named).where(jobs.c.state.in_(OPEN), named.is_not(None)))
        return {row["recording"] for row in rows}

    async def delete_in(self, tx: Tx, recording_id: str) -> None:
        """With its files, gaps and chapters."""
        await tx.execute(delete(recordings).where(recordings.c.id == recording_id))

    async def _held(self, first: str, last: str) -> tuple[defaultdict[str, dict[str, int]], set[str]]:
        """By recording and root; and which recordings have lost a file. Args: first, last: ids of recordings."""
        is_lost = files.c.state == FileState.LOST.value
        query = select(
            files.c.recording_id,
            files.c.root,
            func.sum(case((is_lost, 0), else_=files.c.bytes)).label("bytes"),
            func.max(is_lost).label("lost"),
        ).where(files.c.recording_id.between(first, last))
        held: defaultdict[str, dict[str, int]] = defaultdict(dict)
        lost: set[str] = set()
        for row in await self._db.read(query.group_by(files.c.recording_id, files.c.root)):
            held[row["recording_id"]][row["root"]] = row["bytes"]
            if row["lost"]:
                lost.add(row["recording_id"])
        return held, lost


def _stem(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return folder + slash + PurePosixPath(name).stem


def _recordings() -> Select[Any]:
    table = recordings.c
    query: Any = select(
        table.id, table.channel_id, table.title, table.policy, table.pinned, table.state, table.started_at, table.ended_at,
        table.restored_at, table.deleted_at, table.deleting_at, broadcasts.c.state.label("on_air"),
    )  # fmt: skip
    return query.join_from(recordings, broadcasts)


def _recording(row: RowMapping, held: dict[str, int], *, has_lost: bool) -> HeldRecording:
    moments = (row["ended_at"] or row["started_at"], row["restored_at"])
    return HeldRecording(
        row["id"], row["channel_id"], row["title"], row["policy"], row["pinned"],
        row["state"] == RecordingState.DONE and row["on_air"] == BroadcastState.ENDED,
        max(moment for moment in moments if moment is not None), row["deleted_at"], row["deleting_at"], held, has_lost,
    )  # fmt: skip
