"""A closed file gets a second place, on the same disk or another one; the first stays.

    SOURCE ──another name for it, where both are on one file system───────────────────▶ TARGET
           └─copied─▶ TARGET.converting ──fsync, read again, digests compared──────────▶ TARGET

Whatever is interrupted before the last arrow leaves no file that looks whole; done again, it takes what is there.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.to_thread

from ouzel.base.errors import OutputExists, OutsideRoot, StorageError, ToolFailed
from ouzel.engine import ledgers
from ouzel.engine.ledgers import OnBytes
from ouzel.engine.reserving import reserved
from ouzel.engine.sinks.file import CONVERTING, make_folder, storage_error, sync_folder
from ouzel.system.process import NICE, run

_COPYING = "ouzel.engine.copying"
_NO_SECOND_NAME = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
)
"""Another file system, or one whose files have one name each."""
PASSES = 2
"""Each byte is read twice: in the source, and in what was written."""


def size_of(path: Path) -> int:
    """Bytes; blocking. Raises: OutsideRoot: it is a link, or no file; StorageError."""
    try:
        status = path.lstat()
    except OSError as exc:
        raise storage_error(exc, path) from exc
    if not stat.S_ISREG(status.st_mode):
        raise OutsideRoot(f"{path} is a link, or no file: it stays where it is", path=str(path))
    return status.st_size


def is_on_one_disk(path: Path, folder: Path) -> bool:
    """Whether a file can get a second name in a folder, as far as one can tell; blocking. Raises: StorageError."""
    try:
        return path.stat().st_dev == folder.stat().st_dev
    except OSError as exc:
        raise storage_error(exc, path) from exc


async def place(source: Path, target: Path, on_bytes: OnBytes, *, nice: int = NICE) -> bool:
    """Give a closed file a second place. It lasts when this returns.

    Args:
        on_bytes: told of `PASSES` times its size, in pieces.
    Returns: whether it was not there before.
    Raises: OutputExists: something else is there; OutsideRoot: the source is no file; FileBusy; DiskFull, ReadOnly, StorageError;
        ToolFailed: what was read again is not what was written. There is then no target.
    """
    size = await anyio.to_thread.run_sync(size_of, source)
    await anyio.to_thread.run_sync(_make_folders, target.parent)
    temporary = target.with_name(target.name + CONVERTING)
    async with reserved(temporary):
        if await anyio.to_thread.run_sync(_is_there, source, target):
            on_bytes(PASSES * size)
            return False
        if await anyio.to_thread.run_sync(_link, source, target):
            on_bytes(PASSES * size)
        else:
            await _copy(source, temporary, size, on_bytes, nice)
            await anyio.to_thread.run_sync(_name, temporary, target)
        return True


def _is_there(source: Path, target: Path) -> bool:
    """Raises: OutputExists: something else is."""
    if not os.path.lexists(target):
        return False
    if target.is_file() and not target.is_symlink():
        same = os.path.samefile(source, target)  # noqa: PTH121 - of two paths
        if same or (
            source.stat().st_size == target.stat().st_size and ledgers.digest(source) == ledgers.digest(target)
        ):
            _sync(target)
            return True
    raise OutputExists(
        f"{target} is there already, and is another file: rename or remove one of the two", path=str(target)
    )


def _link(source: Path, target: Path) -> bool:
    """False: that is not possible. Raises: ReadOnly, StorageError."""
    try:
        os.link(source, target, follow_symlinks=False)
        sync_folder(target.parent)
    except OSError as exc:
        if exc.errno in _NO_SECOND_NAME:
            return False
        raise storage_error(exc, target) from exc
    return True


async def _copy(source: Path, temporary: Path, size: int, on_bytes: OnBytes, nice: int) -> None:
    doc = await _ask(source, temporary, on_bytes, nice)
    if (refusal := doc.get("refused")) is not None:
        failure = OSError(refusal["errno"], os.strerror(refusal["errno"]))
        raise storage_error(failure, Path(refusal["path"])) from failure
    if (doc["size"], doc["digest"]) != (doc["size_again"], doc["digest_again"]):
        raise ToolFailed(
            f"{temporary} was read again and is not what was written: look after that disk", path=str(temporary)
        )
    if doc["size"] != size:
        raise StorageError(f"{source} changed while it was copied", path=str(source))


async def _ask(source: Path, temporary: Path, on_bytes: OnBytes, nice: int) -> dict[str, Any]:
    """What the child has answered; the rest of its bytes is told with its end."""
    doc: dict[str, Any] = {}
    told = 0

    def read(line: str) -> None:
        nonlocal told
        doc.update(json.loads(line))
        done = cast("int", doc.pop("done", doc.get("size", 0) * PASSES))
        on_bytes(max(0, done - told))
        told = max(told, done)

    await run([sys.executable, "-P", "-m", _COPYING, str(source), str(temporary)], on_line=read, nice=nice)
    return doc


def _name(temporary: Path, target: Path) -> None:
    """Raises: OutputExists, StorageError."""
    if os.path.lexists(target):
        raise OutputExists(f"{target} exists already; give another name or remove it", path=str(target))
    try:
        temporary.rename(target)
        sync_folder(target.parent)
    except OSError as exc:
        raise storage_error(exc, target) from exc


def _make_folders(folder: Path) -> None:
    """As `make_folder`, and they last. Raises: ReadOnly, DiskFull, StorageError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    make_folder(folder)
    try:
        for each in reversed(missing):
            sync_folder(each.parent)
    except OSError as exc:
        raise storage_error(exc, folder) from exc


def _sync(path: Path) -> None:
    """Raises: StorageError."""
    try:
        with path.open("rb") as file:
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as exc:
        raise storage_error(exc, path) from exc
