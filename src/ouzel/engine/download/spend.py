"""Joining where there is no room for the tracks twice: what the muxer has read of a track is given back to the disk.

    track ─▶ read ─▶ FIFO ─▶ muxer
      └─ a hole where it was read

Only where there is not room for both, because it has a price: what a kill leaves has holes. Its ledger says that it is not
finished, and the next call fetches again what is not there any more.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread

from ouzel.engine import ledgers
from ouzel.engine.room import missing_bytes
from ouzel.engine.sinks.file import LEDGER, PART, storage_error, sync_folder
from ouzel.model import ledger
from ouzel.model.ledger_lines import CutLine

FIFO = ".fifo"
_READ_BYTES = 1 << 20
_PAGE = 4096
_KEEP_SIZE_PUNCH_HOLE = 0x01 | 0x02
"""Of fallocate(2)."""
_LOOK_S = 0.02


def is_tight(folder: Path, tracks: Sequence[Path]) -> bool:
    """Whether there is no room for the tracks a second time in the folder, and what was read can be given back. Blocking.

    Raises: StorageError.
    """
    return missing_bytes(folder, tracks) > 0 and _can_punch(tracks[0].parent)


class Spending:
    """A track on its way through a FIFO into a muxer.

    Args:
        give_back: what was read goes from the disk; else this is a rehearsal.
    """

    def __init__(self, track: Path, *, give_back: bool) -> None:
        self.fifo = track.with_suffix(FIFO)
        self._track = track
        self._part = track.with_name(track.name + PART)
        self._media = -1
        self._give_back = give_back

    def begin(self) -> None:
        """Blocking. Raises: StorageError."""
        try:
            self.fifo.unlink(missing_ok=True)
            os.mkfifo(self.fifo)
            if self._give_back:
                self._reopen()
                self._media = os.open(self._part, os.O_RDWR | os.O_CLOEXEC)
            else:
                self._media = os.open(self._track, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as exc:
            raise storage_error(exc, self._track) from exc

    async def pump(self) -> None:
        """Until all of it is in the muxer, or the muxer is gone: whose fault that is, it tells. Raises: StorageError."""
        fd = await self._opened()
        try:
            await self._pour(fd)
        except BrokenPipeError:
            pass
        except OSError as exc:
            raise storage_error(exc, self._track) from exc
        finally:
            os.close(fd)

    def end(self) -> None:
        """Let go of it, as it is. Blocking."""
        if self._media >= 0:
            os.close(self._media)
            self._media = -1
        self.fifo.unlink(missing_ok=True)

    def clear(self) -> None:
        """All of it is in a product that lasts. Blocking."""
        self._part.unlink(missing_ok=True)

    def _reopen(self) -> None:
        """Let it be told as unfinished before the first byte of it goes."""
        held = ledgers.find(self._track)
        assert held is not None, "a track has a ledger"
        line = CutLine(1 + max((chunk.index for chunk in held.ledger.chunks), default=0))
        with held.ledger_path.open("ab") as file:
            file.write(ledger.render(line))
            file.flush()
            os.fsync(file.fileno())
        self._track.rename(self._part)
        sync_folder(self._track.parent)

    async def _opened(self) -> int:
        """The FIFO, once somebody reads it."""
        while True:
            try:
                fd = os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as exc:
                if exc.errno != errno.ENXIO:
                    raise storage_error(exc, self.fifo) from exc
                await anyio.sleep(_LOOK_S)
                continue
            with suppress(OSError):  # beyond what this user may have: the usual 64 KiB will do
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _READ_BYTES)
            return fd

    async def _pour(self, fd: int) -> None:
        at = 0
        while data := await anyio.to_thread.run_sync(os.pread, self._media, _READ_BYTES, at):
            view = memoryview(data)
            while view:
                try:
                    view = view[os.write(fd, view) :]
                except BlockingIOError:
                    await anyio.wait_writable(fd)
            if self._give_back:
                start = at // _PAGE * _PAGE
                await anyio.to_thread.run_sync(_punch, self._media, start, (at + len(data)) // _PAGE * _PAGE - start)
            at += len(data)


def ledger_of(track: Path) -> bytes:
    """What the ledger of a track tells; empty where it has none. Blocking. Raises: StorageError."""
    try:
        return track.with_suffix(LEDGER).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as exc:
        raise storage_error(exc, track) from exc


def _can_punch(folder: Path) -> bool:
    """Not every file system can, nor every system."""
    try:
        fd = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except (OSError, AttributeError):
        return False
    try:
        os.write(fd, bytes(_PAGE))
        _punch(fd, 0, _PAGE)
    except (OSError, AttributeError):
        return False
    finally:
        os.close(fd)
    return True


def _punch(fd: int, at: int, count: int) -> None:
    if count <= 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    call = libc.fallocate64 if hasattr(libc, "fallocate64") else libc.fallocate
    call.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if call(fd, _KEEP_SIZE_PUNCH_HOLE, at, count):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
