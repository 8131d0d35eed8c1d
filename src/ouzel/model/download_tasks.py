"""A download as a task of the daemon: its row, and when it is tried again. Seconds, bytes, aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from ouzel.base.errors import HttpStatus, OuzelError, Retry
from ouzel.model.downloads import DownloadProgress, DownloadState, Pace
from ouzel.model.jobs import DISK_S, is_of_the_disk

_LATER_S = 30.0
_LONGEST_S = 3600.0


class After(StrEnum):
    """What becomes of a download that runs, once its body has ended."""

    PAUSE = "pause"
    CANCEL = "cancel"
    REMOVE = "remove"  # its row goes, its files stay
    ERASE = "erase"  # both go


GOING = frozenset({After.REMOVE, After.ERASE})
"""For everybody but the body that still runs, such a row is not there any more."""


@dataclass(frozen=True, slots=True)
class Download:
    """A row."""

    id: str
    name: str
    """As the user calls it; empty: as its title, or its file."""
    address: str
    """Redacted."""
    url: Any
    """A text, or `{"sealed": "…"}` where something in it is secret."""
    target: str
    """What it will write; of two that are not over none has the same."""
    folder: str
    stem: str
    """Empty: made from the title, or the address."""
    state: DownloadState
    after: After | None
    prio: int
    """Greater is more urgent."""
    profile: str
    wish: Mapping[str, Any]
    """Fields of `DownloadWish` that are not columns, as JSON."""
    key: Any
    """Sealed; None: what the playlist names."""
    metadata: Mapping[str, Any]
    """The user's own."""
    not_before: datetime | None
    retries: int
    """After errors, since somebody asked for it last."""
    epoch: int
    revision: int
    title: str
    pieces: int
    pieces_done: int
    bytes: int
    bytes_total: int | None
    media_done_s: float
    media_s: float
    gaps: int
    path: str | None
    """Of the file; while it is not whole, of what is being written."""
    ledger: str | None
    format: str | None
    tracks: tuple[str, ...]
    warnings: tuple[str, ...]
    code: str | None
    """Of the last error."""
    why: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    """When it was whole, failed, or was cancelled."""
    pinned: bool = False
    deleted_at: datetime | None = None
    """Since when it is in the trash, as a recording."""
    deleting_at: datetime | None = None
    restored_at: datetime | None = None

    @property
    def shown_name(self) -> str:
        return self.name or self.title or self.stem or self.address

    @property
    def is_recorded(self) -> bool:
        """Something of it is there, and it has no pieces: it was on air."""
        return self.path is not None and not self.pieces

    @property
    def fraction(self) -> float:
        """How much of it is there, 0 to 1."""
        if self.state is DownloadState.COMPLETED:
            return 1.0
        return _share(self.media_done_s, self.media_s, self.bytes, self.bytes_total, self.pieces_done, self.pieces)


@dataclass(frozen=True, slots=True)
class NewDownload:
    """What somebody wants, unread."""

    url: str = field(repr=False)
    name: str = ""
    folder: str = ""
    """From the folder for downloads on, or an absolute path inside it; empty: that folder itself."""
    profile: str = ""
    """Empty: the usual one."""
    wish: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`quality`, `format`, `audio`, `subtitles`, `keep_tracks`, `from_s`, `to_s`, `in_order`, `allow_gaps`, `connections`,
    `rate_bps`; what is left out is as usual."""
    key: str = field(default="", repr=False)
    """32 hexadecimal digits."""
    prio: int = 0
    paused: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


def fraction_of(progress: DownloadProgress) -> float:
    """How much of it is there, 0 to 1."""
    done, whole = progress.media_done_s, progress.media_s
    return _share(
        done, whole, progress.bytes_done, progress.bytes_total, progress.pieces_done, progress.pieces
    )  # fmt: skip


def _share(media_done_s: float, media_s: float, done: int, total: int | None, pieces_done: int, pieces: int) -> float:
    for part, whole in ((media_done_s, media_s), (done, total or 0), (pieces_done, pieces)):
        if whole:
            return min(1.0, part / whole)
    return 0.0


def retry_in_s(error: Exception, retries: int, pace: Pace) -> float | None:
    """Seconds until it is begun again; None: it has failed. What is no error of ours is a bug, and may have been a passing one.

    Args:
        retries: that there were already.
    """
    if is_of_the_disk(error):
        return DISK_S
    retry = error.retry if isinstance(error, OuzelError) else Retry.SOON
    if retry is Retry.NEVER or retries >= pace.retries:
        return None
    first_s = pace.retry_delay_s if retry is Retry.SOON else max(_LATER_S, pace.retry_delay_s)
    asked_s = (isinstance(error, HttpStatus) and error.retry_after_s) or 0.0
    return min(_LONGEST_S, max(asked_s, first_s * 2 ** min(retries, 20)))
