"""One gate per storage root: when the disk takes nothing more, all its writers pause, and go on when it does again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import anyio

from ouzel.base.errors import DiskFull, StorageError
from ouzel.base.units import format_size
from ouzel.engine.sinks.file import make_folder, storage_error

_ROOM_BYTES = 4 * 1024 * 1024  # the gate opens only when a few chunks fit again, so that it does not flap


class DiskGate:
    """Whether a folder's file system may be written to."""

    def __init__(self, folder: Path, *, min_free_bytes: int, probe_s: float) -> None:
        self.folder = folder
        self.min_free_bytes = min_free_bytes
        self._probe_s = probe_s

    def free_bytes(self) -> int:
        """Free space for us on the file system of the folder, or of its nearest parent that exists.

        Raises: StorageError when that cannot be asked.
        """
        stat = self._statvfs()
        return stat.f_bavail * stat.f_frsize

    def check(self, *, room: int = 0) -> None:
        """Raises: DiskFull below the floor, StorageError when the disk does not answer."""
        free = self.free_bytes()
        if free < self.min_free_bytes + room:
            raise DiskFull(
                f"{self.folder} has {format_size(free)} free; the floor is {format_size(self.min_free_bytes)}",
                free=free,
                floor=self.min_free_bytes,
            )

    def check_writable(self) -> None:
        """Raises: ReadOnly, DiskFull, StorageError when no file can be made in the folder."""
        make_folder(self.folder)
        try:
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as exc:
            raise storage_error(exc, self.folder) from exc

    async def wait_open(self) -> None:
        """Return when a few chunks fit again and files can be made."""
        while True:
            try:
                self.check(room=min(_ROOM_BYTES, self._small_disk_share()))
                self.check_writable()
            except StorageError:
                await anyio.sleep(self._probe_s)
            else:
                return

    def _small_disk_share(self) -> int:
        stat = self._statvfs()
        return stat.f_blocks * stat.f_frsize // 8

    def _statvfs(self) -> os.statvfs_result:
        for folder in (self.folder, *self.folder.parents):  # it may be removed at any time
            try:
                return os.statvfs(folder)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as exc:  # a server that is gone, a disk that was pulled out
                raise storage_error(exc, self.folder) from exc
        raise StorageError(f"there is neither {self.folder} nor any folder above it", path=str(self.folder))
