"""A row of a download as it is read, written, and told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping

from ouzel.base.errors import NotFound
from ouzel.model.download_tasks import After, Download
from ouzel.model.downloads import DownloadState
from ouzel.model.happening import Happening
from ouzel.store.db import Tx


def found(row: RowMapping | None, download_id: str) -> Download:
    if row is None:
        raise NotFound(f"there is no download {download_id}", id=download_id)
    return download_of(row)


def download_of(row: Mapping[Any, Any]) -> Download:
    fields: dict[str, Any] = {
        **row,
        "state": DownloadState(row["state"]),
        "after": After(row["after"]) if row["after"] else None,
        "tracks": tuple(row["tracks"]),
        "warnings": tuple(row["warnings"]),
    }
    return Download(**fields)


def row_of(download: Download) -> dict[str, Any]:
    return asdict(download) | {"state": download.state.value}


def tell(tx: Tx, download: Download) -> None:
    data = {
        "name": download.shown_name, "state": download.state.value, "prio": download.prio, "code": download.code,
        "why": download.why,
    }  # fmt: skip
    tx.emit(Happening("download.changed", download.id, data))


def finished_of(download: Download) -> dict[str, Any]:
    return {
        "name": download.shown_name, "title": download.title, "path": download.path, "ledger": download.ledger,
        "format": download.format, "bytes": download.bytes, "media_s": download.media_s, "gaps": download.gaps,
        "tracks": [*download.tracks],
    }  # fmt: skip
