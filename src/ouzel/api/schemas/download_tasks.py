"""Downloads in the words of the HLS downloader."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self, TypeAlias

from pydantic import Field

from ouzel.api.schemas.base import In, Out
from ouzel.model.download_tasks import Download, NewDownload, fraction_of
from ouzel.model.downloads import DownloadProgress, DownloadState
from ouzel.services.downloads import Fetching

Status: TypeAlias = Literal["pending", "downloading", "completed", "failed", "cancelled"]


def status_of(state: DownloadState) -> Status:
    """It knows no pause."""
    match state:
        case DownloadState.PAUSED | DownloadState.PENDING:
            return "pending"
        case DownloadState.DOWNLOADING:
            return "downloading"
        case DownloadState.COMPLETED:
            return "completed"
        case DownloadState.FAILED:
            return "failed"
        case DownloadState.CANCELLED:
            return "cancelled"


class TaskIn(In):
    url: str = Field(min_length=1)
    name: str | None = Field(None, max_length=300)
    quality: str | None = Field(None, max_length=200)
    output_dir: str | None = Field(None, max_length=4096)

    def wanted(self) -> NewDownload:
        wish = {"quality": self.quality} if self.quality else {}
        return NewDownload(self.url, self.name or "", self.output_dir or "", wish=wish)


class TaskMadeOut(Out):
    task_id: str
    status: Status
    created_at: datetime


class TaskStatusOut(Out):
    task_id: str
    status: Status
    progress: float = Field(description="0 to 100")
    downloaded_segments: int
    total_segments: int
    current_file: str
    speed: str = Field(examples=["5.2 MB/s"])
    eta: str = Field(examples=["00:02:15"], description="empty: not known")
    message: str

    @classmethod
    def of(cls, download: Download, running: Fetching | None) -> Self:
        return cls(**_status(download, running))


class TaskOut(TaskStatusOut):
    name: str
    url: str = Field(description="without its secrets")
    output_path: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    error_message: str | None
    metadata: dict[str, Any]

    @classmethod
    def of(cls, download: Download, running: Fetching | None) -> Self:
        return cls(
            **_status(download, running), name=download.shown_name, url=download.address, output_path=download.path,
            created_at=download.created_at, started_at=download.started_at, completed_at=download.completed_at,
            error_message=download.why, metadata=dict(download.metadata),
        )  # fmt: skip


class TasksOut(Out):
    tasks: list[TaskOut]


def _status(download: Download, running: Fetching | None) -> dict[str, Any]:
    live = running.progress if running is not None and download.state is DownloadState.DOWNLOADING else None
    known = live if live is not None and (live.pieces or live.bytes_done) else None
    return {
        "task_id": download.id, "status": status_of(download.state),
        "progress": round(100 * (fraction_of(known) if known else download.fraction), 1),
        "downloaded_segments": known.pieces_done if known else download.pieces_done,
        "total_segments": known.pieces if known else download.pieces,
        "current_file": (known.file if known else download.path) or "",
        "speed": _speed(live.speed_bps if live else 0.0), "eta": _eta(live),
        "message": live.stage if live else download.why or download.state.value,
    }  # fmt: skip


def _speed(bytes_per_s: float) -> str:
    return f"{bytes_per_s / 1e6:.1f} MB/s"


def _eta(live: DownloadProgress | None) -> str:
    if live is None or live.eta_s is None:
        return ""
    seconds = round(live.eta_s)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
