"""One daemon to a data folder: who holds it has a lock on `ouzel.lock`, and says in that file who it is.

The kernel gives the lock up when its holder ends, however that ends. What stands in the file is only for people; the file is
never removed, since two could then hold two files of the same name.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from ouzel.base.errors import DataFolderBusy, StorageError
from ouzel.engine.sinks.file import make_folder, storage_error
from ouzel.model.ledger import stamp

NAME = "ouzel.lock"
_MOST_BYTES = 4096
_TRIES, _APART_S = 10, 0.01
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EINVAL})


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a data folder."""

    pid: int
    host: str
    """The machine's name: the folder may be on a file system that several share."""
    since: str
    """As `stamp` writes it."""
    address: str = ""
    """Of its API, once it listens."""

    def __str__(self) -> str:
        place = f", {self.address}" if self.address else ""
        return f"process {self.pid} on {self.host}, since {self.since}{place}"


class Lock:
    """A data folder that is ours. Made by `hold`."""

    def __init__(self, fd: int, holder: Holder) -> None:
        self._fd = fd
        self.holder = holder

    def tell(self, address: str) -> None:
        """Say where we can be reached. Blocking, short. Raises: StorageError."""
        self.holder = replace(self.holder, address=address)
        _write(self._fd, json.dumps(asdict(self.holder)) + "\n")


@contextmanager
def hold(folder: Path, *, now: datetime) -> Generator[Lock]:
    """The folder, made if it is not there, for as long as the context lasts. Blocking, short.

    Raises: DataFolderBusy, which says who holds it; ReadOnly, DiskFull, StorageError.
    """
    make_folder(folder)
    fd = _locked(folder)
    try:
        lock = Lock(fd, Holder(os.getpid(), socket.gethostname(), stamp(now)))
        lock.tell("")
        yield lock
        _write(fd, "")
    finally:
        os.close(fd)


def held_by(folder: Path) -> Holder | bool:
    """Who holds a folder now; True: somebody who does not say who; False: nobody. Blocking. Raises: StorageError."""
    path = folder / NAME
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as exc:
        raise storage_error(exc, path) from exc
    try:
        if _try(fd, path, fcntl.LOCK_SH):
            return False
        return _read(fd) or True
    finally:
        os.close(fd)


def _locked(folder: Path) -> int:
    path = folder / NAME
    while True:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise storage_error(exc, path) from exc
        try:
            if not _try_again(fd, path):
                holder = _read(fd)
                raise DataFolderBusy(f"{folder} is held by another Ouzel" + (f": {holder}" if holder else ""))
            if _is_at(fd, path):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)  # somebody removed the file between our opening and locking it


def _try_again(fd: int, path: Path) -> bool:
    """Whoever asks `held_by` holds it for a moment."""
    for _ in range(_TRIES):
        if _try(fd, path, fcntl.LOCK_EX):
            return True
        time.sleep(_APART_S)
    return False


def _try(fd: int, path: Path, how: int) -> bool:
    """Raises: StorageError where the file system has no locks."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno in _NO_LOCKS:
            raise StorageError(f"{path} cannot be locked: its file system has no locks; use a local disk") from exc
        raise storage_error(exc, path) from exc
    return True


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _read(fd: int) -> Holder | None:
    """None: it has not said yet who it is, or in words of another version."""
    try:
        doc: Any = json.loads(os.pread(fd, _MOST_BYTES, 0))
    except ValueError:
        return None
    if not isinstance(doc, dict):
        return None
    known = {each.name for each in fields(Holder)}
    told = {str(key): value for key, value in cast("dict[object, Any]", doc).items() if key in known}
    return Holder(**told) if {"pid", "host", "since"} <= set(told) else None


def _write(fd: int, text: str) -> None:
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, text.encode(), 0)
    except OSError as exc:
        raise storage_error(exc, Path(NAME)) from exc
