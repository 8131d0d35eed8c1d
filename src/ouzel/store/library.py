"""What is there to be watched: recordings that are over and downloads that are whole, in one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Select, false, func, literal, null, select, tuple_, union_all

from ouzel.model.downloads import DownloadState
from ouzel.model.recording import Item, ItemKind
from ouzel.model.states import RecordingState
from ouzel.store.db import Db
from ouzel.store.tables.broadcasts import recordings
from ouzel.store.tables.downloads import downloads


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items. Empty: all."""

    channels: Sequence[str] | None = None
    """Recordings of these alone."""
    downloads: bool = True
    kind: ItemKind | None = None
    text: str = ""
    """In the title."""


class LibraryRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def page(
        self, which: ItemFilter, *, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[Item]:
        """The latest first. `before`: `begun_at` and id of the one after which to go on."""
        both = _items(which).subquery()
        query = select(both)
        if before is not None:
            query = query.where(tuple_(both.c.begun_at, both.c.id) < before)
        query = query.order_by(both.c.begun_at.desc(), both.c.id.desc()).limit(limit)
        return [_item(row) for row in await self._db.read(query)]

    async def count(self, which: ItemFilter) -> int:
        return await self._db.scalar(select(func.count()).select_from(_items(which).subquery()))


def _item(row: Mapping[Any, Any]) -> Item:
    fields: dict[str, Any] = {**row, "kind": ItemKind(row["kind"])}
    return Item(**fields)


def _items(which: ItemFilter) -> CompoundSelect[Any]:
    return union_all(_recorded(which), _downloaded(which))


def _recorded(which: ItemFilter) -> Select[Any]:
    table = recordings.c
    columns: list[Any] = [
        literal(ItemKind.RECORDING.value).label("kind"), table.id, table.channel_id, table.title,
        table.started_at.label("begun_at"), table.ended_at, table.media_s, table.bytes, table.gaps,
    ]  # fmt: skip
    query: Any = select(*columns).where(table.state == RecordingState.DONE.value, table.deleted_at.is_(None))
    if which.kind is ItemKind.DOWNLOAD:
        query = query.where(false())
    if which.channels is not None:
        query = query.where(table.channel_id.in_(which.channels))
    return query.where(table.title.icontains(which.text, autoescape=True)) if which.text else query


def _downloaded(which: ItemFilter) -> Select[Any]:
    table = downloads.c
    names = (func.nullif(name, "") for name in (table.name, table.title, table.stem))
    title = func.coalesce(*names, table.address)
    columns: list[Any] = [
        literal(ItemKind.DOWNLOAD.value).label("kind"), table.id, null().label("channel_id"), title.label("title"),
        table.created_at.label("begun_at"), table.completed_at.label("ended_at"), table.media_s, table.bytes, table.gaps,
    ]  # fmt: skip
    query: Any = select(*columns).where(table.state == DownloadState.COMPLETED.value, table.after.is_(None))
    if which.kind is ItemKind.RECORDING or not which.downloads:
        query = query.where(false())
    return query.where(title.icontains(which.text, autoescape=True)) if which.text else query
