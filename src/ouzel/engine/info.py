"""What is known of a file, at a glance: the ledger is read; of the media, where there is none or it is a product, the head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio.to_thread

from ouzel.base.errors import MediaError, NotALedger
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
    if isinstance(known, str):
        return replace(await _by_itself(path), ledger_damage=known)
    if known is not None and known.state == "product":  # the ledger has the tracks of what it was made of
        try:
            return replace(known, tracks=_tracks(await probe(path, depth="header")))
        except MediaError:
            return replace(known, tracks=())
    if known is not None:
        return known
    return await _by_itself(path)


async def _by_itself(path: Path) -> Info:
    found = await probe(path, depth="header")
    size = await anyio.to_thread.run_sync(lambda: path.stat().st_size)
    return Info(str(path), "foreign", found.container, size, found.duration_s or 0.0, _tracks(found))


def _by_ledger(path: Path) -> Info | str | None:
    """None without a ledger; what is wrong with it where one of ours cannot be read."""
    ledgers.check_media(path)
    try:
        size = path.stat().st_size
    except OSError as exc:
        raise storage_error(exc, path) from exc
    try:
        held = ledgers.find(path)
    except NotALedger as exc:
        return str(exc) if ledgers.looks_like_one(ledgers.ledger_path(path)) else None
    if held is None:
        return None
    state: State = "closed"
    if held.product is not None:
        state = "product"
    elif held.is_open or held.ledger.closing is None:
        running = held.is_open and ledgers.is_written(held.ledger_path)
        if held.opening.download:
            state = "downloading" if running else "interrupted"
        else:
            state = "recording" if running else "unfinished"
    return info_of(held.ledger, path=str(path), ledger_path=str(held.ledger_path), state=state, bytes_=size)


def _tracks(found: Found) -> tuple[Track, ...]:
    return tuple(
        Track(number, s.kind, s.codec, s.width, s.height, s.sample_rate, s.channels)
        for number, s in enumerate(found.streams)
        if s.kind == "video" or s.kind == "audio"
    )
