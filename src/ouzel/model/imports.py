"""Files that came into the library by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_PICTURES = "3g2 3gp amv asf avi divx dv f4v flv m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogv rm rmvb ts vob webm wmv y4m"
_SOUND = "aac aif aiff amr ape flac m4a mka mp2 mp3 oga ogg opus tak tta wav wma wv"
MEDIA_ENDINGS = frozenset(f"{_PICTURES} {_SOUND}".split())
"""Of files that are worth looking into. What is media is decided by who can read it."""
SUBTITLE_ENDINGS = frozenset({"srt", "vtt", "ass", "ssa"})


class ImportHow(StrEnum):
    ADOPTED = "adopted"
    """It stays where it was."""
    UPLOADED = "uploaded"


class ImportState(StrEnum):
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Import:
    """Times in seconds, sizes in bytes, instants aware UTC."""

    id: str
    how: ImportHow
    title: str
    made_at: datetime
    """As its container tells it, else when the file was written last."""
    created_at: datetime
    media_s: float
    bytes: int
    by: str
    state: ImportState = ImportState.READY
    description: str = ""
    pinned: bool = False
    deleted_at: datetime | None = None
    deleting_at: datetime | None = None
    restored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way here. The file itself tells how much of it has come."""

    id: str
    user_id: str | None
    name: str
    """Of the file, as its sender calls it."""
    length: int
    root: str
    """Name of the storage root on which it will be."""
    by: str
    created_at: datetime
    touched_at: datetime
    path: str | None = None
    """From the root on: where it will be, or is; None: it has not come whole."""
    import_id: str | None = None
    """What it has become."""
    received: int = 0
