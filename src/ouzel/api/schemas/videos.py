"""Items of the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import Field

from ouzel.api.schemas.base import Instant, Out, Patch, left_out
from ouzel.model.videos import (
    EDITABLE,
    MOST_CATEGORY,
    MOST_DESCRIPTION,
    MOST_TAG,
    MOST_TAGS,
    MOST_TITLE,
    Tag,
    TagKind,
    Video,
    VideoKind,
    VideoState,
)
from ouzel.model.watches import Watch
from ouzel.services.videos import Edit


class MineOut(Out):
    """What the account that asks has told of it."""

    position_s: float = Field(description="where to go on")
    watched: bool
    plays: int = Field(description="to its end")
    seen_at: datetime | None
    favourite: bool

    @classmethod
    def of(cls, watch: Watch) -> Self:
        known = {name: getattr(watch, name) for name in cls.model_fields if name != "favourite"}
        return cls(**known, favourite=watch.favourite_at is not None)


class MinePatch(Patch):
    position_s: float = left_out(float, ge=0, description="how far it was watched; at its end it is `watched`")
    watched: bool = left_out(bool)
    favourite: bool = left_out(bool)


class VideoOut(Out):
    id: str = Field(description="of its recording, download or import")
    kind: VideoKind
    state: VideoState
    channel_id: str | None
    channel: str = Field(description="name of the channel; empty: it is of none")
    platform: str
    title: str
    category: str
    description: str
    at: datetime = Field(description="when it was on air, or made")
    added_at: datetime
    duration_s: float
    bytes: int
    width: int | None
    height: int | None
    fps: float | None
    vcodec: str | None
    acodec: str | None
    gaps: int
    missing_s: float
    pinned: bool
    deleted_at: datetime | None
    tags: list[str]
    people: list[str]
    mine: MineOut

    @classmethod
    def of(cls, video: Video, tags: Sequence[Tag], mine: Watch | None) -> Self:
        return cls(**video_fields(video, tags, mine))


class Told(Out):
    """What was told or found, before people wrote something."""

    title: str
    category: str
    description: str
    at: datetime


class VideoDetailOut(VideoOut):
    edited: list[str] = Field(description="fields that people have written: null in a patch takes that back")
    told: Told

    @classmethod
    def of(cls, video: Video, tags: Sequence[Tag], mine: Watch | None) -> Self:
        told = Told(
            title=video.told_title, category=video.told_category, description=video.told_description, at=video.told_at
        )
        return cls(
            **video_fields(video, tags, mine), edited=[each for each in EDITABLE if each in video.edited], told=told
        )


class VideoPatch(Patch):
    title: str | None = left_out(str, min_length=1, max_length=MOST_TITLE)
    category: str | None = left_out(str, max_length=MOST_CATEGORY)
    description: str | None = left_out(str, max_length=MOST_DESCRIPTION)
    at: Instant | None = left_out(lambda: None)
    tags: list[str] = left_out(list, max_length=MOST_TAGS, description=f"all of them, of {MOST_TAG} characters at most")
    people: list[str] = left_out(list, max_length=MOST_TAGS)

    def wanted(self) -> Edit:
        changes = self.changes()
        fields = {name: changes[name] for name in EDITABLE if name in changes}
        return Edit(fields, changes.get("tags"), changes.get("people"))


def video_fields(video: Video, tags: Sequence[Tag], mine: Watch | None) -> Mapping[str, Any]:
    known = {name: getattr(video, name) for name in VideoOut.model_fields if hasattr(video, name)}
    return known | {
        "channel": video.channel_name,
        "tags": [each.name for each in tags if each.kind is TagKind.TAG],
        "people": [each.name for each in tags if each.kind is TagKind.PERSON],
        "mine": MineOut.of(mine or Watch()),
    }
