"""The library's list in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, literal, select, tuple_, update

from ouzel.base.ids import new_id
from ouzel.model.video_filters import VideoFilter
from ouzel.model.videos import Sort, Tag, TagKind, Video, VideoKind, VideoState
from ouzel.store.db import Db, Tx
from ouzel.store.tables.base import Instant
from ouzel.store.tables.videos import tags, video_tags, videos
from ouzel.store.video_conditions import Viewer, conditions, tag_key

_COLUMNS: Mapping[Sort, ColumnElement[Any]] = {
    Sort.AT: videos.c.at,
    Sort.ADDED: videos.c.added_at,
    Sort.TITLE: videos.c.title.collate("NOCASE"),
    Sort.DURATION: videos.c.duration_s,
    Sort.SIZE: videos.c.bytes,
    Sort.RESOLUTION: videos.c.lines,
    Sort.GAPS: videos.c.gaps,
}
"""Each has an index that ends in `number`, and none is ever null."""
_FIELDS = [videos.c[each.name] for each in fields(Video)]
_MANY = 500
_INSTANT = Instant()


class VideoRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def get(self, video_id: str, viewer: Viewer) -> Video | None:
        """In the trash or not, finished or not, if `viewer` may see it."""
        query = _selected().where(videos.c.id == video_id)
        if viewer.visible is not None:
            query = query.where(videos.c.channel_id.in_(viewer.visible))
        row = await self._db.one(query)
        return _video(row) if row is not None else None

    async def get_in(self, tx: Tx, video_id: str) -> Video | None:
        row = await tx.one(_selected().where(videos.c.id == video_id))
        return _video(row) if row is not None else None

    async def page(
        self,
        which: VideoFilter,
        viewer: Viewer,
        sort: Sort = Sort.AT,
        *,
        ascending: bool = False,
        after: tuple[Any, int] | None = None,
        limit: int = 50,
    ) -> list[Video]:
        """Args: after: sort key and number of the one after which to go on."""
        column, number = _COLUMNS[sort], videos.c.number
        query = _selected().where(*conditions(which, viewer))
        if after is not None:
            first, place, last = literal(after[0]), tuple_(column, number), tuple_(literal(after[0]), literal(after[1]))
            query = query.where(place > last if ascending else place < last)
            query = query.where(
                column >= first if ascending else column <= first
            )  # else one with a collation is a walk
        order = (column.asc(), number.asc()) if ascending else (column.desc(), number.desc())
        return [_video(row) for row in await self._db.read(query.order_by(*order).limit(limit))]

    async def count(self, which: VideoFilter, viewer: Viewer) -> int:
        return await self._db.scalar(select(func.count()).select_from(videos).where(*conditions(which, viewer)))

    async def totals(self, which: VideoFilter, viewer: Viewer) -> tuple[int, int, float]:
        """How many, their bytes, and their seconds."""
        sums = (func.count(), func.total(videos.c.bytes), func.total(videos.c.duration_s))
        row = await self._db.one(select(*sums).where(*conditions(which, viewer)))
        assert row is not None
        count, size, duration_s = row.values()
        return count, int(size), duration_s

    async def edit_in(self, tx: Tx, video: Video, edited: Mapping[str, Any]) -> None:
        """`edited`: with `at` as it is stored."""
        changed = update(videos).where(videos.c.id == video.id)
        await tx.execute(changed.values(edited=dict(edited), revision=video.revision + 1))

    # -- tags ---------------------------------------------------------------------------------------------------------

    async def tags_of(self, numbers: Collection[int]) -> dict[int, list[Tag]]:
        """Of each: its tags and people, by name."""
        found: dict[int, list[Tag]] = {number: [] for number in numbers}
        for some in _portions(sorted(numbers)):
            for row in await self._db.read(_tagged().where(video_tags.c.number.in_(some))):
                found[row["number"]].append(_tag(row))
        return found

    async def tags_of_in(self, tx: Tx, number: int) -> list[Tag]:
        return [_tag(row) for row in await tx.read(_tagged().where(video_tags.c.number == number))]

    async def all_tags(self, kind: TagKind | None = None) -> list[Tag]:
        """By name."""
        query = select(tags).order_by(tags.c.name.collate("NOCASE"))
        return [_tag(row) for row in await self._db.read(query if kind is None else query.where(tags.c.kind == kind))]

    async def tag_in(self, tx: Tx, kind: TagKind, name: str, at: datetime) -> str:
        """Id of the one of this name, made if there is none."""
        key = tag_key(name)
        row = await tx.one(select(tags.c.id).where(tags.c.kind == kind, tags.c.key == key))
        if row is not None:
            return row["id"]
        made = new_id(at)
        new = insert(tags).values(id=made, kind=kind.value, name=name, key=key, colour="", revision=1, created_at=at)
        await tx.execute(new)
        return made

    async def set_tags_in(self, tx: Tx, number: int, kind: TagKind, names: Iterable[str], at: datetime) -> None:
        """These and no others of this kind."""
        wanted = [await self.tag_in(tx, kind, name, at) for name in names]
        has = {each.id for each in await self.tags_of_in(tx, number) if each.kind is kind}
        for gone in has.difference(wanted):
            await tx.execute(delete(video_tags).where(video_tags.c.number == number, video_tags.c.tag_id == gone))
        for new in dict.fromkeys(wanted):
            if new not in has:
                await tx.execute(insert(video_tags).values(tag_id=new, number=number, at=at))


def sort_key(video: Video, sort: Sort) -> Any:
    """What the list is ordered by: of an instant, as it is stored."""
    match sort:
        case Sort.AT:
            return stored(video.at)
        case Sort.ADDED:
            return stored(video.added_at)
        case Sort.TITLE:
            return video.title
        case Sort.DURATION:
            return video.duration_s
        case Sort.SIZE:
            return video.bytes
        case Sort.RESOLUTION:
            return video.lines
        case Sort.GAPS:
            return video.gaps


def stored(at: datetime) -> int:
    """An instant as the database has it."""
    value = _INSTANT.process_bind_param(at, None)  # type: ignore[arg-type]
    assert value is not None
    return value


def _selected() -> Select[Any]:
    return select(*_FIELDS)


def _tagged() -> Select[Any]:
    joined = video_tags.join(tags, tags.c.id == video_tags.c.tag_id)
    return select(video_tags.c.number, *tags.c).select_from(joined).order_by(tags.c.name.collate("NOCASE"))


def _video(row: Mapping[Any, Any]) -> Video:
    known: dict[str, Any] = {**row, "kind": VideoKind(row["kind"]), "state": VideoState(row["state"])}
    return Video(**known)


def _tag(row: Mapping[Any, Any]) -> Tag:
    return Tag(
        row["id"], TagKind(row["kind"]), row["name"], row["colour"], row["videos"], row["revision"], row["created_at"]
    )


def _portions(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    return (numbers[start : start + _MANY] for start in range(0, len(numbers), _MANY))
