"""The data folder and that of the recordings: whether they can be written, are to be trusted, and have room."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ouzel.base.errors import StorageError
from ouzel.config.roots import USUAL, storage_roots
from ouzel.config.settings import Settings
from ouzel.daemon.checkup.result import Result, error, ok, warning
from ouzel.engine.disk import DiskGate
from ouzel.engine.sinks.file import storage_error, sync_folder

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "afs",
    "ceph",
    "glusterfs",
    "9p",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.s3fs",
    "davfs",
    "beegfs",
)
"""File systems on other machines, by the beginnings of their names."""
_ESCAPE = re.compile(r"\\([0-7]{3})")
_IN_MEMORY = ("tmpfs", "ramfs")


def check_folders(settings: Settings) -> Iterator[Result]:
    """Blocking. A folder that is not there is not made: what is above it is looked at. In one that is there a small file is
    written, renamed and removed."""
    storage, roots = settings.storage, storage_roots(settings)
    yield from _check_writable("data", storage.data)
    yield from _check_kind("data", storage.data, is_data=True)
    for name, root in roots.items():
        if name != USUAL and not root.path.is_dir():
            yield error("root_none", root=name, path=str(root.path))
            continue
        yield from _check_writable(name, root.path)
        yield from _check_kind(name, root.path)
        yield _check_room(root.path, root.min_free)
    if _existing(storage.data).stat().st_dev == _existing(storage.recordings).stat().st_dev:
        yield ok("one_mount")
    else:
        yield ok("two_mounts")


def _check_writable(name: str, folder: Path) -> Iterator[Result]:
    place = _existing(folder)
    if not place.is_dir():
        yield error("folder_none", folder=name, path=str(folder), place=str(place))
    elif place != folder:
        may = os.access(place, os.W_OK | os.X_OK)
        about = {"folder": name, "path": str(folder), "place": str(place)}
        yield ok("folder_new", **about) if may else error("folder_unwritable", **about, why=os.strerror(errno.EACCES))
    else:
        try:
            _try(folder)
        except StorageError as exc:
            yield error("folder_unwritable", folder=name, path=str(folder), place=str(folder), why=str(exc))
        else:
            yield ok("folder", folder=name, path=str(folder))


def _try(folder: Path) -> None:
    """What each recording does at its end. Raises: StorageError."""
    try:
        fd, path = tempfile.mkstemp(prefix=".ouzel-check-", dir=folder)
        renamed = f"{path}.renamed"
        try:
            os.write(fd, b"ouzel")
            os.fsync(fd)
            Path(path).rename(renamed)
            sync_folder(folder)
        finally:
            os.close(fd)
            for each in (path, renamed):
                Path(each).unlink(missing_ok=True)
    except OSError as exc:
        raise storage_error(exc, folder) from exc


def _check_kind(name: str, folder: Path, *, is_data: bool = False) -> Iterator[Result]:
    kind = kind_of(_existing(folder))
    if kind.startswith(_NETWORK) and is_data:
        yield warning("data_on_network", path=str(folder), kind=kind)
    elif kind.startswith(_NETWORK):
        yield ok("recordings_on_network", path=str(folder), kind=kind)
    elif kind in _IN_MEMORY:
        yield warning("folder_in_memory", folder=name, path=str(folder), kind=kind)


def _check_room(folder: Path, floor: int) -> Result:
    free = DiskGate(_existing(folder), min_free_bytes=floor, probe_s=0.0).free_bytes()
    about = {"path": str(folder), "free_bytes": free, "floor_bytes": floor}
    if free < floor:
        return error("room_none", **about)
    return warning("room_small", **about) if free < 2 * floor else ok("room", **about)


def kind_of(folder: Path, mounts: Path = _MOUNTS) -> str:
    """The name of its file system, `ext4`; empty where the system does not tell. Blocking."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:  # no Linux
        return ""
    best, kind = -1, ""
    place = folder.resolve()
    for line in lines:
        words = line.split()
        point = Path(_ESCAPE.sub(lambda found: chr(int(found[1], 8)), words[4]))
        if place.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), words[words.index("-") + 1]
    return kind


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    while not is_there(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def is_there(path: Path) -> bool:
    """False also of what stands in a folder that we may not look into."""
    try:
        path.stat()
    except OSError:
        return False
    return True
