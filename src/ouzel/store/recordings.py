"""Recordings, with their files, gaps and chapters, in the database."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select, tuple_, update

from ouzel.model.flow import Gap, GapCode
from ouzel.model.recording import FileRole, FileState, RecordedFile, Recording
from ouzel.model.states import RecordingState
from ouzel.store.db import Db, Tx
from ouzel.store.tables.broadcasts import chapters, files, gaps, recordings
from ouzel.store.words import meant_by

_MAYBE = ("recording_id", "download_id", "import_id", "was_root", "was_path")
"""Columns of a file that are null where its field is empty."""
_ROUNDED_S = 0.001
"""Where a file begins is rounded; where something is missing is not."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """From here on the broadcast is called so."""

    at_s: float
    wall: datetime
    title: str
    category: str


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of a recording, as the owner of this epoch says."""

    recording_id: str
    epoch: int
    bytes: int
    media_s: float


@dataclass(frozen=True, slots=True)
class RecordingFilter:
    """Which recordings. Empty: all that are not in the trash."""

    channels: Sequence[str] | None = None
    states: Sequence[str] | None = None
    has_gaps: bool | None = None
    pinned: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    """In the title."""
    deleted: bool = False
    word: str = ""
    """In the title, or the beginning of the id."""


class RecordingRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def get(self, recording_id: str) -> Recording | None:
        row = await self._db.one(select(recordings).where(recordings.c.id == recording_id))
        return _recording(row) if row is not None else None

    async def get_in(self, tx: Tx, recording_id: str) -> Recording | None:
        row = await tx.one(select(recordings).where(recordings.c.id == recording_id))
        return _recording(row) if row is not None else None

    async def of_broadcast_in(self, tx: Tx, broadcast_id: str) -> Recording | None:
        row = await tx.one(select(recordings).where(recordings.c.broadcast_id == broadcast_id))
        return _recording(row) if row is not None else None

    async def open(self) -> list[Recording]:
        """All that are not over."""
        rows = await self._db.read(select(recordings).where(recordings.c.state != RecordingState.DONE.value))
        return [_recording(row) for row in rows]

    async def page(
        self, which: RecordingFilter, *, before: tuple[datetime, str] | None = None, limit: int = 60
    ) -> list[Recording]:
        """The latest first. `before`: beginning and id of the one after which to go on."""
        query = _filtered(select(recordings), which)
        if before is not None:
            query = query.where(tuple_(recordings.c.started_at, recordings.c.id) < before)
        query = query.order_by(recordings.c.started_at.desc(), recordings.c.id.desc()).limit(limit)
        return [_recording(row) for row in await self._db.read(query)]

    async def count(self, which: RecordingFilter) -> int:
        return await self._db.scalar(_filtered(select(func.count()), which))

    async def add_in(self, tx: Tx, recording: Recording) -> None:
        await tx.execute(insert(recordings).values(_row(recording)))

    async def change_in(self, tx: Tx, recording_id: str, **values: Any) -> None:
        changed = {name: value.value if isinstance(value, RecordingState) else value for name, value in values.items()}
        changed["updated_at"] = self._db.clock.now()
        await tx.execute(update(recordings).where(recordings.c.id == recording_id).values(changed))

    async def grow_in(self, tx: Tx, sizes: Sequence[Size]) -> None:
        """All of them with one statement. What has a later epoch is left as it is."""
        grown = update(recordings).where(recordings.c.id == bindparam("of"), recordings.c.epoch == bindparam("by"))
        grown = grown.values(bytes=bindparam("kept"), media_s=bindparam("long_s"), updated_at=self._db.clock.now())
        rows = [
            {"of": each.recording_id, "by": each.epoch, "kept": each.bytes, "long_s": each.media_s} for each in sizes
        ]
        await tx.execute(grown, rows)

    # -- files --------------------------------------------------------------------------------------------------------

    async def files(self, recording_ids: Iterable[str]) -> dict[str, list[RecordedFile]]:
        """Of each recording, in the order in which they were on air; of each part what came first, then what was made of it."""
        wanted = [*recording_ids]
        query = select(files).where(files.c.recording_id.in_(wanted)).order_by(files.c.part, files.c.id)
        rows = await self._db.read(query)
        found: dict[str, list[RecordedFile]] = {recording_id: [] for recording_id in wanted}
        for row in rows:
            found[row["recording_id"]].append(_file(row))
        return found

    async def files_in(self, tx: Tx, item: str) -> list[RecordedFile]:
        """The same of one recording, or of a download."""
        of = (files.c.recording_id == item) | (files.c.download_id == item)
        return [_file(row) for row in await tx.read(select(files).where(of).order_by(files.c.part, files.c.id))]

    async def open_files(self) -> list[RecordedFile]:
        """Those that were being written when this was last looked at."""
        return [_file(row) for row in await self._db.read(select(files).where(files.c.state == FileState.OPEN.value))]

    async def settled_files(self, *, after: str = "", limit: int = 200) -> list[RecordedFile]:
        """Those that nobody writes, of all recordings, by their ids. `after`: the last one that was read."""
        query = select(files).where(files.c.id > after, files.c.state != FileState.OPEN.value)
        return [_file(row) for row in await self._db.read(query.order_by(files.c.id).limit(limit))]

    async def is_at(self, root: str, path: str) -> bool:
        """Whether there is a row of a file that is there."""
        here = select(files.c.id).where(files.c.root == root, files.c.path == path)
        return await self._db.one(here) is not None

    async def file_at_in(self, tx: Tx, root: str, path: str) -> RecordedFile | None:
        row = await tx.one(select(files).where(files.c.root == root, files.c.path == path))
        return _file(row) if row is not None else None

    async def file_was_at_in(self, tx: Tx, root: str, path: str) -> RecordedFile | None:
        """One that was moved from there, and may lie there still."""
        row = await tx.one(select(files).where(files.c.was_root == root, files.c.was_path == path))
        return _file(row) if row is not None else None

    async def moved_files(self) -> list[RecordedFile]:
        """Those that may lie where they were, too."""
        return [_file(row) for row in await self._db.read(select(files).where(files.c.was_root.is_not(None)))]

    async def add_file_in(self, tx: Tx, file: RecordedFile) -> None:
        await tx.execute(insert(files).values(_file_row(file)))

    async def change_file_in(self, tx: Tx, file_id: str, **values: Any) -> None:
        changed = {name: value.value if isinstance(value, StrEnum) else value for name, value in values.items()}
        await tx.execute(update(files).where(files.c.id == file_id).values(changed))

    async def remove_file_in(self, tx: Tx, file_id: str) -> None:
        await tx.execute(delete(files).where(files.c.id == file_id))

    async def totals_in(self, tx: Tx, recording_id: str) -> dict[str, Any]:
        """Media time, bytes, gaps and what they miss, as its originals and gaps have them."""
        media = select(
            func.coalesce(func.sum(files.c.media_s), 0.0).label("media_s"),
            func.coalesce(func.sum(files.c.bytes), 0).label("bytes"),
        )
        missing = select(func.count().label("gaps"), func.coalesce(func.sum(gaps.c.missing_s), 0.0).label("missing_s"))
        counted = files.c.role == FileRole.ORIGINAL.value
        (kept,) = await tx.read(media.where(files.c.recording_id == recording_id, counted))
        (lost,) = await tx.read(missing.where(gaps.c.recording_id == recording_id))
        return {**kept, **lost}

    # -- gaps and chapters --------------------------------------------------------------------------------------------

    async def gaps(self, recording_id: str) -> list[Gap]:
        rows = await self._db.read(
            select(gaps).where(gaps.c.recording_id == recording_id).order_by(gaps.c.at_s, gaps.c.number)
        )
        return [
            Gap(
                row["at_s"], GapCode(row["code"]), row["why"], row["wall_start"], row["wall_end"], row["missing_s"],
                scope=row["scope"],
            )
            for row in rows
        ]  # fmt: skip

    async def last_gap(self, recording_id: str) -> int:
        """Its number; 0: there is none."""
        query = select(func.coalesce(func.max(gaps.c.number), 0))
        number: int = await self._db.scalar(query.where(gaps.c.recording_id == recording_id))
        return number

    async def set_gaps_in(
        self,
        tx: Tx,
        recording_id: str,
        found: Iterable[Gap],
        *,
        since_s: float,
        until_s: float = math.inf,
        kept: int = 0,
    ) -> None:
        """Those from `since_s` on, and before `until_s`, are these and no others; those up to number `kept` stay."""
        old = (gaps.c.recording_id == recording_id) & (gaps.c.number > kept) & (gaps.c.at_s >= since_s - _ROUNDED_S)
        if until_s < math.inf:
            old &= gaps.c.at_s < until_s - _ROUNDED_S
        await tx.execute(delete(gaps).where(old))
        rows = [
            {
                "recording_id": recording_id, "at_s": gap.at_s, "code": gap.code.value, "why": gap.why,
                "wall_start": gap.wall_start, "wall_end": gap.wall_end, "missing_s": gap.missing_s, "scope": gap.scope,
            }
            for gap in found
        ]  # fmt: skip
        if rows:
            await tx.execute(insert(gaps), rows)

    async def chapters(self, recording_id: str) -> list[Chapter]:
        query = select(chapters.c.at_s, chapters.c.wall, chapters.c.title, chapters.c.category)
        rows = await self._db.read(query.where(chapters.c.recording_id == recording_id).order_by(chapters.c.at_s))
        return [Chapter(**row) for row in rows]

    async def last_chapter_in(self, tx: Tx, recording_id: str) -> Chapter | None:
        query = select(chapters.c.at_s, chapters.c.wall, chapters.c.title, chapters.c.category)
        query = query.where(chapters.c.recording_id == recording_id).order_by(chapters.c.number.desc()).limit(1)
        row = await tx.one(query)
        return Chapter(**row) if row is not None else None

    async def add_chapter_in(self, tx: Tx, recording_id: str, chapter: Chapter) -> None:
        """One at the same place is replaced: nothing was recorded under its name."""
        await tx.execute(
            delete(chapters).where(chapters.c.recording_id == recording_id, chapters.c.at_s >= chapter.at_s)
        )
        await tx.execute(insert(chapters).values(recording_id=recording_id, **asdict(chapter)))


def _filtered(query: Select[Any], which: RecordingFilter) -> Select[Any]:
    table = recordings.c
    query = query.where(table.deleted_at.is_not(None) if which.deleted else table.deleted_at.is_(None))
    if which.channels is not None:
        query = query.where(table.channel_id.in_(which.channels))
    if which.states is not None:
        query = query.where(table.state.in_(which.states))
    if which.has_gaps is not None:
        query = query.where(table.gaps > 0 if which.has_gaps else table.gaps == 0)
    if which.pinned is not None:
        query = query.where(table.pinned.is_(which.pinned))
    if which.since is not None:
        query = query.where(table.started_at >= which.since)
    if which.until is not None:
        query = query.where(table.started_at < which.until)
    if which.text:
        query = query.where(table.title.icontains(which.text, autoescape=True))
    if which.word:
        query = query.where(meant_by(which.word, table.id, table.title))
    return query


def _row(recording: Recording) -> dict[str, Any]:
    return asdict(recording) | {"state": recording.state.value}


def _recording(row: Mapping[Any, Any]) -> Recording:
    fields: dict[str, Any] = {**row, "state": RecordingState(row["state"])}
    return Recording(**fields)


def _file(row: Mapping[Any, Any]) -> RecordedFile:
    fields: dict[str, Any] = {
        **row, "state": FileState(row["state"]), "role": FileRole(row["role"]), "made_of": tuple(row["made_of"]),
        **{name: row[name] or "" for name in _MAYBE},
    }  # fmt: skip
    return RecordedFile(**fields)


def _file_row(file: RecordedFile) -> dict[str, Any]:
    of = {name: getattr(file, name) or None for name in _MAYBE}
    return asdict(file) | of | {"state": file.state.value, "role": file.role.value, "made_of": [*file.made_of]}
