"""What is known of a file, at a glance: the ledger is read, the media is not."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread

from ouzel.base.errors import InputError, NotALedger
from ouzel.engine import ledgers
from ouzel.engine.probe import probe
from ouzel.engine.sinks.file import storage_error
from ouzel.formats.shape import Track
from ouzel.model.info import Info, State, info_of
from ouzel.model.media import Found


async def describe(path: Path) -> Info:
    """Everything known of a recording, finished or running, of a product, or of a file without a ledger.

    Raises: InputError when there is no such file; NotMedia, MediaError when there is neither a ledger nor anything that can be
        read; StorageError.
    """
    known = await anyio.to_thread.run_sync(_by_ledger, path)
    if known is not None:
        return known
    found = await probe(path, depth="header")
    size = await anyio.to_thread.run_sync(lambda: path.stat().st_size)
    return Info(str(path), "foreign", found.container, size, found.duration_s or 0.0, _tracks(found))


def _by_ledger(path: Path) -> Info | None:
    try:
        size = path.stat().st_size
    except FileNotFoundError as exc:
        raise InputError(f"{path} does not exist", path=str(path)) from exc
    except OSError as exc:
        raise storage_error(exc, path) from exc
    try:
        held = ledgers.find(path)
    except NotALedger:
        return None
    if held is None:
        return None
    state: State = "closed"
    if held.product is not None:
        state = "product"
    elif held.is_open:
        state = "recording" if ledgers.is_written(held.ledger_path) else "unfinished"
    return info_of(held.ledger, path=str(path), ledger_path=str(held.ledger_path), state=state, bytes_=size)


def _tracks(found: Found) -> tuple[Track, ...]:
    return tuple(
        Track(number, s.kind, s.codec, s.width, s.height, s.sample_rate, s.channels)
        for number, s in enumerate(found.streams)
        if s.kind == "video" or s.kind == "audio"
    )
