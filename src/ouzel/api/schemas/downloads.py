"""What is fetched once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field

from ouzel.api.schemas.base import In, Out, Patch, left_out
from ouzel.model.download_tasks import After, Download, NewDownload, fraction_of
from ouzel.model.downloads import MOST_CONNECTIONS, DownloadProgress, DownloadState, ProfileName, Stage
from ouzel.services.downloads import Fetching

Format: TypeAlias = Literal["mp4", "mkv", "ts", "flv", "m4a", "mp3"]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
_Language: TypeAlias = Annotated[str, Field(min_length=1, max_length=35)]
_MOST_AT_ONCE = 500


class DownloadIn(In):
    url: str = Field(min_length=1, examples=["https://example.org/vod/index.m3u8"])
    name: str = Field("", max_length=300, description="of the task, and of its file; empty: by its title or address")
    folder: str = Field("", max_length=4096, description="below the folder for downloads; empty: that folder")
    quality: str = Field("best", min_length=1, max_length=200, examples=["1080p"])
    profile: ProfileName | None = None
    format: Format | None = Field(None, description="null: as it comes")
    audio: list[_Language] = Field(default_factory=list[str], max_length=50, description="languages, or `all`")
    subtitles: list[_Language] = Field(default_factory=list[str], max_length=50, description="languages, or `all`")
    keep_tracks: bool = False
    from_s: Seconds | None = Field(None, description="of the programme")
    to_s: Seconds | None = None
    in_order: bool = Field(default=False, description="one segment after the other")
    allow_gaps: bool = Field(default=False, description="also whole when segments are missing")
    connections: int | None = Field(None, ge=1, le=MOST_CONNECTIONS)
    rate_bps: int | None = Field(None, ge=1024, le=10**12, description="bytes a second, at most")
    key: str | None = Field(None, max_length=40, description="32 hexadecimal digits, in place of the playlist's keys")
    prio: int = Field(0, ge=-1000, le=1000, description="greater is more urgent")
    paused: bool = Field(default=False, description="not to begin yet")
    metadata: dict[str, Any] = Field(
        default_factory=dict[str, Any], max_length=100, description="your own; nothing in it is looked at"
    )

    def wanted(self) -> NewDownload:
        own = self.model_dump(include=_WISH)
        return NewDownload(
            self.url, self.name, self.folder, self.profile or "", own, self.key or "", self.prio, self.paused,
            self.metadata,
        )  # fmt: skip


_WISH = {
    "quality", "format", "audio", "subtitles", "keep_tracks", "from_s", "to_s", "in_order", "allow_gaps", "connections",
    "rate_bps",
}  # fmt: skip


class DownloadPatch(Patch):
    name: str = left_out(str, max_length=300, description="the file keeps its own")
    prio: int = left_out(int, ge=-1000, le=1000, description="greater is more urgent")
    metadata: dict[str, Any] = left_out(dict[str, Any], max_length=100)


class DownloadsIn(In):
    downloads: list[DownloadIn] = Field(min_length=1, max_length=_MOST_AT_ONCE)


class ProgressOut(Out):
    """As it is at this moment."""

    stage: Stage
    share: float = Field(description="of the stage, 0 to 1")
    speed_bps: float = Field(description="bytes a second")
    eta_s: float | None
    connections: int
    retries: int = Field(description="of segments")
    file: str = Field(description="what is being written")


class DownloadOut(Out):
    id: str
    name: str
    title: str
    address: str = Field(description="without its secrets")
    folder: str
    state: DownloadState
    after: After | None = Field(description="what becomes of it as soon as it has heard")
    prio: int
    profile: str
    options: dict[str, Any] = Field(description="what was asked for, where it is not as usual")
    metadata: dict[str, Any]
    fraction: float = Field(description="how much of it is there, 0 to 1")
    pieces: int = Field(description="segments, or ranges of a file; 0: not known yet")
    pieces_done: int
    bytes: int
    bytes_total: int | None
    media_done_s: float
    media_s: float
    gaps: int
    path: str | None
    ledger: str | None
    format: str | None
    tracks: list[str] = Field(description="what was kept beside the file")
    warnings: list[str]
    code: str | None = Field(description="of the last error")
    why: str | None
    retries: int = Field(description="after errors, since somebody asked for it last")
    not_before: datetime | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None = Field(description="when it was whole, failed, or was cancelled")
    running: ProgressOut | None = Field(description="while it is fetched")

    @classmethod
    def of(cls, download: Download, running: Fetching | None) -> Self:
        told: dict[str, Any] = {name: getattr(download, name) for name in cls.model_fields if hasattr(download, name)}
        told |= {"options": dict(download.wish), "fraction": download.fraction, "running": None}
        told |= {name: list(told[name]) for name in ("tracks", "warnings")}
        if running is not None and download.state is DownloadState.DOWNLOADING:
            told |= _fresh(running.progress)
        return cls(**told)


def _fresh(progress: DownloadProgress) -> dict[str, Any]:
    """What its row says of it counts until more is known."""
    if not progress.pieces and not progress.bytes_done:
        return {"running": ProgressOut.model_validate(progress)}
    return {
        "running": ProgressOut.model_validate(progress), "fraction": fraction_of(progress), "pieces": progress.pieces,
        "pieces_done": progress.pieces_done, "bytes": progress.bytes_done, "bytes_total": progress.bytes_total,
        "media_done_s": progress.media_done_s, "media_s": progress.media_s, "gaps": progress.gaps,
    }  # fmt: skip


class DownloadItemOut(Out):
    id: str | None
    code: str | None
    detail: str | None
    existing: str | None = Field(description="id of what stands in the way")


class DownloadsOut(Out):
    items: list[DownloadItemOut] = Field(description="one for each, in their order")
    added: int
