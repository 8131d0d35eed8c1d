"""What an engine tells of a download, as columns of its row, as data of an event; and what is told of one that failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from ouzel.model.download_tasks import Download
from ouzel.model.downloads import DownloadOutcome, DownloadProgress
from ouzel.model.notices import Trouble


def counted(progress: DownloadProgress) -> dict[str, Any]:
    """Columns of the row; none while nothing is known. A file is its own when something of it is: it may have met another's."""
    if not progress.pieces and not progress.bytes_done:
        return {}
    own = {"path": progress.file} if progress.file and progress.bytes_done else {}
    return own | {
        "pieces": progress.pieces, "pieces_done": progress.pieces_done, "bytes": progress.bytes_done,
        "bytes_total": progress.bytes_total, "media_done_s": progress.media_done_s, "media_s": progress.media_s,
        "gaps": progress.gaps,
    }  # fmt: skip


def kept(outcome: DownloadOutcome) -> dict[str, Any]:
    return {
        "path": str(outcome.path), "ledger": str(outcome.ledger) if outcome.ledger else None, "format": outcome.format,
        "bytes": outcome.size, "bytes_total": outcome.size, "media_s": outcome.media_s, "media_done_s": outcome.media_s,
        "pieces": outcome.pieces, "gaps": len(outcome.gaps), "tracks": [str(each) for each in outcome.tracks],
        "warnings": [*outcome.warnings], "title": outcome.title,
    }  # fmt: skip


def failures(failed: Sequence[Download]) -> list[Trouble]:
    """Of those that have failed; of several with one cause at one host, one that counts them."""
    found: defaultdict[tuple[str, str], list[Download]] = defaultdict(list)
    for each in failed:
        found[each.code or "", urlsplit(each.address).hostname or ""].append(each)
    return [
        _failure(group[0]) if len(group) == 1 else _alike(code, host, group) for (code, host), group in found.items()
    ]


def _alike(code: str, host: str, failed: Sequence[Download]) -> Trouble:
    ends = [each.completed_at for each in failed if each.completed_at is not None]
    newest = max(failed, key=lambda each: (each.completed_at is not None, each.completed_at, each.id))
    data = {
        "downloads": len(failed), "host": host, "code": code, "why": newest.why, "name": newest.shown_name,
        "download": newest.id,
    }  # fmt: skip
    return Trouble(
        f"downloads.failed:{code}:{host}",
        "downloads.failed",
        data,
        since=min(ends, default=None),
        last=max(ends, default=None),
    )


def _failure(download: Download) -> Trouble:
    data = {
        "name": download.shown_name, "address": download.address, "code": download.code, "why": download.why,
        "download": download.id,
    }  # fmt: skip
    return Trouble(f"download.failed:{download.id}", "download.failed", data, since=download.completed_at)


def told(progress: DownloadProgress) -> dict[str, Any]:
    return {
        "stage": progress.stage, "share": progress.share, "pieces": progress.pieces,
        "pieces_done": progress.pieces_done, "bytes": progress.bytes_done, "bytes_total": progress.bytes_total,
        "media_done_s": progress.media_done_s, "media_s": progress.media_s, "speed_bps": progress.speed_bps,
        "eta_s": progress.eta_s, "connections": progress.connections, "retries": progress.retries,
        "gaps": progress.gaps, "file": progress.file,
    }  # fmt: skip
