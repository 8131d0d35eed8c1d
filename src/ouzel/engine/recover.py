"""After a crash: cut unfinished files back to what their ledgers vouch for, close them, and say what was lost.

Here is what looks for them; `recover_file` closes each.
"""

from __future__ import annotations

import fcntl
import math
import os
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from ouzel.base.errors import FileBusy, InputError, MediaError, NotALedger, StorageError
from ouzel.engine import ledgers
from ouzel.engine.meter import Meter, OnProgress
from ouzel.engine.recipes import FORMATS
from ouzel.engine.sinks.file import CONVERTING, LEDGER, PART, storage_error
from ouzel.model import ledger
from ouzel.model.ledger_lines import Opening, Product
from ouzel.model.recovery import Outcome, Recovered
from ouzel.system.clock import Clock, SystemClock

if TYPE_CHECKING:
    from ouzel.engine.recover_file import Disk, Tools

_NATIVE = frozenset({".ts", ".mp4", ".flv"})


async def recover(
    folder: Path,
    *,
    on_file: Callable[[Recovered], None] | None = None,
    on_progress: OnProgress | None = None,
    disk: Disk | None = None,
    clock: Clock | None = None,
) -> list[Recovered]:
    """Go through a folder and all below it. Files that are being recorded are left alone.

    Args:
        on_file: told of each file when it is done.
    Raises: StorageError when the folder cannot be read. What goes wrong with one file is told of that file.
    """
    from ouzel.engine.recover_file import Disk, Tools

    done: list[Recovered] = []
    tasks, total = await anyio.to_thread.run_sync(_find, folder)
    tools = Tools(disk or Disk(), clock or SystemClock(), Meter(total, on_progress))
    for task in tasks:
        result = await anyio.to_thread.run_sync(_one, task, tools)
        if result is not None:
            done.append(result)
            if on_file is not None:
                on_file(result)
    return done


async def recover_files(
    paths: Iterable[Path],
    *,
    ours: bool = False,
    on_progress: OnProgress | None = None,
    disk: Disk | None = None,
    clock: Clock | None = None,
) -> list[Recovered]:
    """These files alone, each `NAME.EXT.part` or what of it was being converted; one that is not there is passed over.

    Args:
        ours: nobody else writes any of them.
    """
    tasks = [path for path in paths if _size(path) is not None]
    if not tasks:
        return []
    from ouzel.engine.recover_file import Disk, Tools  # and with it the readers of all formats

    total = sum(_size(path) or 0 for path in tasks)
    tools = Tools(disk or Disk(), clock or SystemClock(), Meter(total, on_progress), ours)
    done = [await anyio.to_thread.run_sync(_one, path, tools) for path in tasks]
    return [result for result in done if result is not None]


def unfinished_in(folder: Path, *, limit_s: float = math.inf) -> tuple[list[Path], bool]:
    """Everything in it and below that a recorder or a conversion has left; blocking. What cannot be read is passed over.

    Returns: what was found, and whether all was looked at within `limit_s`.
    """
    found: list[Path] = []
    until = time.monotonic() + limit_s
    for place, _, names in os.walk(folder):
        found += [Path(place, name) for name in names if _is_unfinished(name)]
        if time.monotonic() > until:
            return found, False
    return found, True


def _is_unfinished(name: str) -> bool:
    return name.endswith(CONVERTING) or (name.endswith(PART) and Path(name).with_suffix("").suffix in _NATIVE)


def _find(folder: Path) -> tuple[list[Path], int]:
    """Whatever may be left of a crash, unfinished media first; and how many bytes are to be read."""
    found: list[Path] = []
    total = 0
    if not os.path.isdir(folder):  # noqa: PTH112  # a name that is too long is none
        raise InputError(f"{folder} is not a folder", path=str(folder))
    for place, _, names in os.walk(folder, onerror=_fail):
        for name in names:
            path = Path(place, name)
            unfinished = name.endswith(PART) and path.with_suffix("").suffix in _NATIVE
            if (unfinished or name.endswith((LEDGER, CONVERTING))) and (size := _size(path)) is not None:
                total += size if unfinished else 0
                found.append(path)
    order = (PART, CONVERTING, LEDGER)
    return sorted(found, key=lambda path: (order.index(path.suffix), path)), total


def _size(path: Path) -> int | None:
    """None of what is no file: a pipe, a link to nowhere, or one that its recorder has just closed."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError:
        return 0  # it is told of when it is opened
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _fail(exc: OSError) -> None:
    raise storage_error(exc, Path(exc.filename))


def _one(path: Path, tools: Tools) -> Recovered | None:
    from ouzel.engine.recover_file import NamedFile, UnfinishedFile

    try:
        if path.suffix == PART:
            return UnfinishedFile(path, tools).recover()
        if path.suffix == CONVERTING:
            return _leftover(path, tools.disk)
        if (media := _unsettled(path)) is not None:
            return NamedFile(media, tools).recover()
        return _orphan(path, tools.disk)
    except FileBusy:
        return Recovered(str(path), Outcome.BUSY)
    except FileNotFoundError:
        return None
    except NotALedger as exc:
        return Recovered(str(path), Outcome.UNREADABLE, detail=str(exc))
    except MediaError as exc:  # its head is not one of ours any more
        return Recovered(str(path), Outcome.UNREADABLE, detail=str(exc))
    except StorageError as exc:
        return Recovered(str(path), Outcome.FAILED, detail=str(exc))
    except OSError as exc:
        return Recovered(str(path), Outcome.FAILED, detail=str(storage_error(exc, path)))


def _unsettled(path: Path) -> Path | None:
    """The file beside a ledger that has its final name, and yet is not closed, or whose ledger is damaged."""
    try:
        held = ledger.read(ledgers.content(path))
    except NotALedger:
        return _last_one(path)
    media = path.with_suffix(Path(held.opening.file).suffix)
    settled = not held.chunks or (held.closing is not None and not held.torn)
    if settled or media.suffix not in _NATIVE or not media.is_file() or Path(f"{media}{PART}").exists():
        return None
    found = ledgers.find(media)
    return media if found is not None and found.product is None else None


def _last_one(path: Path) -> Path | None:
    """The only file beside a ledger of ours without a beginning that is none of its products."""
    lines = ledgers.remains(path)
    if not lines or isinstance(lines[0], Opening):  # another program's, or of a newer version
        return None
    products = {Path(line.file).suffix for line in lines if isinstance(line, Product)}
    media = [found for ending in sorted(_NATIVE - products) if (found := path.with_suffix(ending)).is_file()]
    unfinished = any(path.with_suffix(ending + PART).exists() for ending in _NATIVE)
    return media[0] if len(media) == 1 and not unfinished else None


def _leftover(path: Path, disk: Disk) -> Recovered | None:
    """A conversion that was broken off; its source is removed only after the product has its name."""
    if path.with_suffix("").suffix.lstrip(".") not in FORMATS:
        return None
    with ledgers.writable(path) as fd:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Recovered(str(path), Outcome.BUSY)
        disk.remove(path)
    return Recovered(str(path), Outcome.LEFTOVER)


def _orphan(path: Path, disk: Disk) -> Recovered | None:
    """A ledger of ours beside which none of the files is that it speaks of."""
    try:
        held = ledger.read(ledgers.content(path))
    except NotALedger:
        return None  # other programs have files with this ending
    endings = {Path(name).suffix for name in (held.opening.file, *(p.file for p in held.products))}
    ending = Path(held.opening.file).suffix
    part = path.with_suffix(ending + PART)
    if held.opening.download and ending not in _NATIVE and part.exists():  # others are found by themselves
        from ouzel.engine.recover_file import left_to_download

        with ledgers.locked(path):
            return left_to_download(part, held)
    if any(path.with_suffix(e + rest).exists() for e in endings for rest in ("", PART)):
        return None
    if ledgers.is_written(path):
        return Recovered(str(path), Outcome.BUSY)
    if held.chunks:
        return Recovered(str(path), Outcome.ORPHAN, held.media_s, 0, len(held.chunks), detail=held.opening.file)
    disk.remove(path)
    return Recovered(str(path), Outcome.EMPTY)
