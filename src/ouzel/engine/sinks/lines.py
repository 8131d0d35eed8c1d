"""The ledger of a file that is being written: lines are whole or not there, and one process writes it."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from ouzel.base.errors import DiskFull, FileBusy, OutputExists, ReadOnly, StorageError
from ouzel.model import ledger
from ouzel.model.ledger_lines import Line


def append_line(fd: int, size: int, line: Line, path: Path) -> int:
    """Add a line to a ledger of `size` bytes.

    Returns: its size by now. Raises: DiskFull, ReadOnly, StorageError; it is then as it was.
    """
    data = ledger.render(line)
    try:
        if os.write(fd, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as exc:
        os.ftruncate(fd, size)
        raise storage_error(exc, path) from exc
    return size + len(data)


def lock_ledger(fd: int, why: str) -> None:
    """Held until `fd` is closed. Raises: FileBusy that says `why`, when another process has it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise FileBusy(why) from exc


def refuse_existing(*paths: Path) -> None:
    """Raises: OutputExists."""
    for path in paths:
        if os.path.lexists(path):
            raise OutputExists(f"{path} exists already; give another name or remove it")


def storage_error(exc: OSError, path: Path) -> StorageError:
    """The disk's words in ours."""
    if exc.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DiskFull(f"no space left for {path}", path=str(path))
    if exc.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return ReadOnly(f"{path} cannot be written: {os.strerror(exc.errno)}", path=str(path))
    return StorageError(f"{path}: {exc.strerror or exc}", path=str(path))
