"""Which files a download has made, and their removal."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import anyio.to_thread

from ouzel.base.errors import StorageError
from ouzel.engine import ledgers
from ouzel.engine.sinks.file import storage_error
from ouzel.model.download_tasks import Download
from ouzel.store.db import Tx
from ouzel.store.downloads import DownloadRepo

_log = logging.getLogger(__name__)

_LEDGER, _PART, _TRACKS, _CONVERTING = ".ledger", ".part", ".tracks", ".converting"


class ComesAfter(Protocol):
    """What comes after a download: `services.afterwards.Afterwards`."""

    async def downloaded_in(self, tx: Tx, download: Download) -> None: ...

    async def files_of(self, item_id: str) -> list[Path]: ...


def files_of(download: Download) -> Iterator[Path]:
    """What it has written, as its row tells, whether or not it is there; folders, too. Nothing outside its own folder.

    Of what was on air the ledgers tell it: it may have several files. Raises: StorageError.
    """
    folder = Path(download.folder)
    if not download.pieces:
        for ledger, book in ledgers.of_recording(folder, download.id):
            for media in ledgers.media_of(ledger, book):
                yield from (media, media.with_name(media.name + _PART), media.with_name(media.name + _CONVERTING))
            yield ledger
    for text in (download.path, download.ledger, *download.tracks):
        path = Path(text) if text else folder
        if path == folder or not path.is_relative_to(folder):
            continue
        inside = path.relative_to(folder).parts
        if inside[0].endswith(_TRACKS) and len(inside) > 1:
            yield folder / inside[0]
            continue
        whole = path.with_name(path.name.removesuffix(_PART))
        yield from (whole, whole.with_name(whole.name + _PART), whole.with_suffix(_LEDGER))
        yield whole.with_suffix(_TRACKS)


def erase(download: Download, made: Iterable[Path] = ()) -> None:
    """Blocking. Args: made: its files that have rows, wherever they are. Raises: OSError, StorageError."""
    ours = [*made]
    for path in dict.fromkeys((*ours, *(path.with_suffix(_LEDGER) for path in ours), *files_of(download))):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


async def erase_all(repo: DownloadRepo, afterwards: ComesAfter | None = None) -> None:
    """Files of what was removed with them, then its row. What cannot be removed now is tried again at the next start."""
    for download in await repo.erased():
        try:
            if not await repo.shares_its_file(download):
                made = await afterwards.files_of(download.id) if afterwards is not None else []
                await anyio.to_thread.run_sync(erase, download, made)
        except OSError as exc:
            _log.error("%s", storage_error(exc, Path(download.folder)))
        except StorageError as exc:
            _log.error("%s", exc)
        else:
            await repo.remove(download.id)
