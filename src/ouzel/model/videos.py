"""Items of the library, whatever they were made by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ouzel.base.errors import BadOption

MOST_TITLE, MOST_DESCRIPTION, MOST_CATEGORY, MOST_TAG, MOST_TAGS = 500, 20_000, 100, 100, 100


class VideoKind(StrEnum):
    RECORDING = "recording"
    DOWNLOAD = "download"
    IMPORT = "import"


class VideoState(StrEnum):
    RUNNING = "running"
    """It is being recorded."""
    READY = "ready"
    UNFINISHED = "unfinished"
    """It is being downloaded, or could not be: it stands in no list that does not ask for it."""


class Sort(StrEnum):
    AT = "at"
    ADDED = "added"
    TITLE = "title"
    DURATION = "duration"
    SIZE = "size"
    RESOLUTION = "resolution"
    GAPS = "gaps"


class TagKind(StrEnum):
    TAG = "tag"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Video:
    """Times in seconds, sizes in bytes, instants aware UTC."""

    number: int
    """What the database calls it."""
    id: str
    """Of its recording, download or import."""
    kind: VideoKind
    state: VideoState
    channel_id: str | None
    channel_name: str
    platform: str
    title: str
    category: str
    description: str
    at: datetime
    """When it was on air, or made."""
    added_at: datetime
    duration_s: float
    bytes: int
    width: int | None
    height: int | None
    lines: int
    """The smaller of both, as in `1080p`; 0: not known."""
    fps: float | None
    vcodec: str | None
    acodec: str | None
    gaps: int
    missing_s: float
    pinned: bool
    deleted_at: datetime | None
    told_title: str
    told_category: str
    told_description: str
    told_at: datetime
    edited: Mapping[str, Any]
    """What people wrote: only that."""
    revision: int


@dataclass(frozen=True, slots=True)
class Tag:
    id: str
    kind: TagKind
    name: str
    colour: str
    videos: int
    """That have it, all of them."""
    revision: int
    created_at: datetime


EDITABLE = ("title", "category", "description", "at")


def edited(before: Mapping[str, Any], changes: Mapping[str, Any], at: Any = None) -> dict[str, Any]:
    """What people have written, after an edit. None in `changes` takes back what was written: what was told is valid again.

    Args:
        at: the instant of `changes`, as it is stored.
    Raises: BadOption.
    """
    after = dict(before)
    for name, value in changes.items():
        if value is None:
            after.pop(name, None)
        else:
            after[name] = at if name == "at" else _CHECKS[name](value)
    return after


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not title or len(title) > MOST_TITLE:
        raise BadOption(f"a title has 1 to {MOST_TITLE} characters", pointer="/title")
    return title


def _category(text: str) -> str:
    category = " ".join(text.split())
    if len(category) > MOST_CATEGORY:
        raise BadOption(f"a category has {MOST_CATEGORY} characters at most", pointer="/category")
    return category


def _description(text: str) -> str:
    if len(text) > MOST_DESCRIPTION:
        raise BadOption(f"a description has {MOST_DESCRIPTION} characters at most", pointer="/description")
    return text.strip()


_CHECKS = {"title": _title, "category": _category, "description": _description}


def tag_name(name: str) -> str:
    """As it is shown. Raises: BadOption."""
    plain = " ".join(name.split())
    if not plain or len(plain) > MOST_TAG or any(not each.isprintable() for each in plain):
        raise BadOption(f"a tag has 1 to {MOST_TAG} characters that can be seen", pointer="/tags")
    return plain
