"""An unfinished file that is ours alone while something makes it."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.to_thread

from ouzel.base.errors import FileBusy, StorageError
from ouzel.engine.sinks.file import storage_error


@asynccontextmanager
async def reserved(temporary: Path) -> AsyncGenerator[None, None]:
    """The unfinished product is ours alone; whatever is left of it at the end is removed. Raises: FileBusy, StorageError."""
    file = await anyio.to_thread.run_sync(_reserve, temporary)
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_give_up, file, temporary)


def _reserve(temporary: Path) -> BinaryIO:
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        while True:
            file = _locked(temporary)
            if temporary.exists() and os.path.samestat(temporary.stat(), os.fstat(file.fileno())):
                if not os.fstat(file.fileno()).st_size:
                    return file
                temporary.unlink()  # a crash left it behind, and a child of it may be in the middle of a last write
            file.close()
    except OSError as exc:
        raise storage_error(exc, temporary) from exc


def _locked(temporary: Path) -> BinaryIO:
    """Raises: FileBusy, StorageError; OSError."""
    # a pipe of that name is not waited for
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    file = os.fdopen(fd, "ab")
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        file.close()
        raise StorageError(f"{temporary} is in the way, and is no file", path=str(temporary))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        file.close()
        raise FileBusy(f"another process is making {temporary.with_suffix('')}") from exc
    return file


def _give_up(file: BinaryIO, temporary: Path) -> None:
    temporary.unlink(missing_ok=True)
    file.close()
