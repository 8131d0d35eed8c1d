"""The files of a download that is whole, as rows among those of recordings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self

import anyio.to_thread

from ouzel.base.errors import NotALedger, StorageError
from ouzel.base.ids import new_id
from ouzel.engine import ledgers
from ouzel.model.download_tasks import Download
from ouzel.model.recording import FileState, RecordedFile
from ouzel.services.places import Places


async def files_of_download(download: Download, places: Places, now: datetime) -> list[RecordedFile]:
    """One; of what was on air as many as there are."""
    if download.path is None:
        return []
    paths = [Path(download.path), *(Path(each) for each in download.tracks if download.is_recorded)]
    sizes = await anyio.to_thread.run_sync(_sizes, paths) if len(paths) > 1 else [_Size.of(download)]
    found: list[RecordedFile] = []
    for part, (path, size) in enumerate(zip(paths, sizes, strict=True), 1):
        root, inside = places.place(path, download.folder)
        file = RecordedFile(
            id=new_id(now), recording_id="", download_id=download.id, part=part, root=root, path=inside,
            state=FileState.CLOSED, format=path.suffix.lstrip("."), opened_at=download.started_at or now, closed_at=now,
            bytes=size.bytes, media_s=size.media_s, gaps=size.gaps,
        )  # fmt: skip
        found.append(file)
    return found


class _Size(NamedTuple):
    bytes: int
    media_s: float
    gaps: int

    @classmethod
    def of(cls, download: Download) -> Self:
        return cls(download.bytes, download.media_s, download.gaps)


def _sizes(paths: Sequence[Path]) -> list[_Size]:
    """As the files and their ledgers tell; blocking."""
    found: list[_Size] = []
    for path in paths:
        try:
            held = ledgers.find(path)
        except (NotALedger, StorageError):  # that a download is whole does not wait for it
            held = None
        size = path.stat().st_size if path.exists() else 0
        found.append(_Size(size, held.ledger.media_s, len(held.ledger.gaps)) if held else _Size(size, 0.0, 0))
    return found
