"""The library as its owners see it and arrange it: what is in it, what people wrote of it, and what they take back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ouzel.base.errors import BadOption, Conflict, NotFound
from ouzel.model.happening import Happening
from ouzel.model.video_filters import VideoFilter, Words
from ouzel.model.videos import MOST_TAGS, Sort, Tag, TagKind, Video, VideoState, edited, tag_name
from ouzel.model.watches import Watch, reached
from ouzel.services.channel_forms import check_revision
from ouzel.services.video_words import VideoWords
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx
from ouzel.store.video_conditions import Viewer
from ouzel.store.videos import VideoRepo, stored
from ouzel.store.watches import WatchRepo

KIND = "video"
"""Of its revisions."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is None stays."""

    fields: Mapping[str, Any]
    """Of `model.videos.EDITABLE`: null takes back what people wrote."""
    tags: Sequence[str] | None = None
    """All that it is to have, by name."""
    people: Sequence[str] | None = None


class Videos:
    kind = KIND

    def __init__(self, db: Db, words: VideoWords) -> None:
        self._db = db
        self._words = words
        self.repo = VideoRepo(db)
        self.watches = WatchRepo(db)
        self._revisions = ChannelRepo(db)

    async def get(self, video_id: str, viewer: Viewer) -> Video:
        """Raises: NotFound, also where `viewer` may not see it."""
        return _there(await self.repo.get(video_id, viewer), video_id)

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
        await self._find_all(which)
        return await self.repo.page(which, viewer, sort, ascending=ascending, after=after, limit=limit)

    async def count(self, which: VideoFilter, viewer: Viewer) -> int:
        await self._find_all(which)
        return await self.repo.count(which, viewer)

    async def _find_all(self, which: VideoFilter) -> None:
        """Also what was written, or tagged, a moment ago."""
        if any(isinstance(term, Words) for term in which.terms):
            await self._words.settle()

    async def edit(self, video_id: str, edit: Edit, *, by: str, revision: int | None = None) -> Video:
        """Raises: NotFound, BadOption; ChangedSince when `revision` is not the present one."""
        async with self._db.transaction() as tx:
            before = _there(await self.repo.get_in(tx, video_id), video_id)
            check_revision(before.revision, revision)
            return await self._edit_in(tx, before, edit, by, "changed")

    async def watch(
        self,
        user_id: str,
        video: Video,
        *,
        position_s: float | None = None,
        watched: bool | None = None,
        favourite: bool | None = None,
    ) -> Watch:
        """What one user tells of it; what is None stays. Nobody else sees it, so that it is no edit."""
        now = self._db.clock.now()
        async with self._db.transaction() as tx:
            watch = await self.watches.get_in(tx, user_id, video.number)
            if position_s is not None:
                is_over = video.state is VideoState.READY
                watch = reached(watch, position_s, duration_s=video.duration_s, is_over=is_over, at=now)
            if watched is not None:
                watch = replace(watch, watched=watched, position_s=0.0 if watched else watch.position_s)
            if favourite is not None:
                watch = replace(watch, favourite_at=(watch.favourite_at or now) if favourite else None)
            await self.watches.put_in(tx, user_id, video.number, watch)
        return watch

    async def undo(self, number: int, *, by: str) -> str:
        """Make undone what this revision did. Returns: the id. Raises: NotFound; Conflict when it was changed since."""
        async with self._db.transaction() as tx:
            row = await self._revisions.revision_in(tx, number)
            if row is None or row["kind"] != KIND:
                raise NotFound(f"there is no revision {number} of a video")
            video = _there(await self.repo.get_in(tx, row["subject"]), row["subject"])
            if video.revision != row["revision"]:
                raise Conflict(f"{video.title} was changed since")
            before = row["before"]
            await self.repo.edit_in(tx, video, before["edited"])
            await self._tag_in(tx, video.number, before["tags"], before["people"])
            await self._note(tx, row["after"], _there(await self.repo.get_in(tx, video.id), video.id), by, "restored")
        return video.id

    async def _edit_in(self, tx: Tx, video: Video, edit: Edit, by: str, action: str) -> Video:
        before = await self._doc(tx, video)
        at = edit.fields.get("at")
        written = edited(video.edited, edit.fields, stored(at) if isinstance(at, datetime) else None)
        await self.repo.edit_in(tx, video, written)
        await self._tag_in(tx, video.number, edit.tags, edit.people)
        after = _there(await self.repo.get_in(tx, video.id), video.id)
        await self._note(tx, before, after, by, action)
        return after

    async def _tag_in(self, tx: Tx, number: int, tags: Sequence[str] | None, people: Sequence[str] | None) -> None:
        for kind, names in ((TagKind.TAG, tags), (TagKind.PERSON, people)):
            if names is not None:
                if len(names) > MOST_TAGS:
                    raise BadOption(f"a video has {MOST_TAGS} tags at most", pointer="/tags")
                plain = [tag_name(name) for name in names]
                await self.repo.set_tags_in(tx, number, kind, plain, self._db.clock.now())

    async def _doc(self, tx: Tx, video: Video) -> dict[str, Any]:
        has = await self.repo.tags_of_in(tx, video.number)
        return {"edited": dict(video.edited), "tags": _named(has, TagKind.TAG), "people": _named(has, TagKind.PERSON)}

    async def _note(self, tx: Tx, before: Mapping[str, Any], after: Video, by: str, action: str) -> None:
        number = await self._revisions.note_in(
            tx, KIND, after.id, revision=after.revision, action=action, by=by, before=before,
            after=await self._doc(tx, after),
        )  # fmt: skip
        tx.emit(Happening("video.changed", after.id, {"action": action, "by": by, "number": number}, after.channel_id))


def _named(tags: Sequence[Tag], kind: TagKind) -> list[str]:
    return [each.name for each in tags if each.kind is kind]


def _there(video: Video | None, video_id: str) -> Video:
    if video is None:
        raise NotFound(f"there is no video {video_id[:40]}")
    return video
