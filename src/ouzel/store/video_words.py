"""The words by which videos are found: written anew where they are due."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from ouzel.model.videos import TagKind
from ouzel.model.words import indexed
from ouzel.store.db import Db, Tx
from ouzel.store.tables.videos import tags, video_tags, video_words_due, video_words_text, videos

_COLUMNS = ("title", "tags", "people", "channel", "description")


class WordRepo:
    def __init__(self, db: Db) -> None:
        self._db = db

    async def is_due(self) -> bool:
        return await self._db.one(select(video_words_due.c.number).limit(1)) is not None

    async def write_in(self, tx: Tx, limit: int) -> int:
        """Of so many videos at most. Returns: of how many."""
        due = [row["number"] for row in await tx.read(select(video_words_due.c.number).limit(limit))]
        if not due:
            return 0
        names: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        joined = video_tags.join(tags, tags.c.id == video_tags.c.tag_id)
        of_them = select(video_tags.c.number, tags.c.kind, tags.c.name).select_from(joined)
        for row in await tx.read(of_them.where(video_tags.c.number.in_(due)).order_by(tags.c.name)):
            names[row["number"], row["kind"]].append(row["name"])
        told = select(videos.c.number, videos.c.title, videos.c.description, videos.c.channel_name)
        rows = [
            {
                "number": row["number"],
                "title": indexed([row["title"]]),
                "tags": indexed(names[row["number"], TagKind.TAG]),
                "people": indexed(names[row["number"], TagKind.PERSON]),
                "channel": indexed([row["channel_name"]]),
                "description": indexed([row["description"]]),
            }
            for row in await tx.read(told.where(videos.c.number.in_(due)))
        ]
        if rows:
            new = insert(video_words_text)
            written = {name: new.excluded[name] for name in _COLUMNS}
            await tx.execute(new.on_conflict_do_update(index_elements=["number"], set_=written), rows)
        await tx.execute(delete(video_words_due).where(video_words_due.c.number.in_(due)))
        return len(due)
