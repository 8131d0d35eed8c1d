"""A media file that is appended to, and its ledger.

Until it is closed the media file is called `NAME.EXT.part`. Bytes are written as they arrive; a ledger line makes them
count. Whatever follows the last line after a crash is cut off by `ouzel recover`.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import xxhash

from ouzel.base.errors import OutputExists, OuzelError, ReadOnly
from ouzel.engine.sinks.lines import append_line, lock_ledger, refuse_existing, storage_error
from ouzel.formats.shape import Buffer, Container, Head, Repair, Span
from ouzel.model import ledger
from ouzel.model.flow import Chunk, Gap, TrackScope
from ouzel.model.ledger_lines import ClockLine, Closing, CutLine, Line, Opening, RunLine

PART = ".part"
LEDGER = ".ledger"
CONVERTING = ".converting"
"""Ending of a product that is not finished. Its source is still there, so that it may be removed at any time."""
REPLACED = ".damaged"
_IOV_MAX = 512
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class FileSink:
    """Appends chunks to one file. All methods but `close` are cheap and synchronous: they run in the reader's callback."""

    def __init__(self, path: Path, opening: Opening, head: Head) -> None:
        """Create the file and its ledger; neither may exist.

        Raises: OutputExists, DiskFull, ReadOnly, StorageError.
        """
        self.path = path
        self.part_path = path.with_name(path.name + PART)
        self.ledger_path = path.with_suffix(LEDGER)
        self.container: Container = head.container
        self.opening = opening
        self.size = 0
        """Committed bytes."""
        self.chunks = 0
        self.gaps = 0
        self.damaged_chunks = 0
        self.media_s = 0.0
        self.last: Chunk | None = None
        self._before_last_s = 0.0
        self._head_size = len(head.data)
        self._pending = 0
        self._digest = xxhash.xxh3_64()
        self._ledger_size = 0
        self._open_files()
        try:
            lock_ledger(self._ledger, f"another process is writing {self.path}")
            self._append(opening)
            self.write([head.data])
            self.size, self._pending = self._pending, 0
            self._digest.reset()
            self._append(ledger.head_line(head, 0))
        except OuzelError:
            self.discard()
            raise

    @property
    def written(self) -> int:
        """Bytes in the file, the chunk in progress included."""
        return self.size + self._pending

    def write(self, buffers: Sequence[Buffer]) -> None:
        """Append to the chunk in progress. Raises: DiskFull, ReadOnly, StorageError; then `rollback` and try later."""
        total, update = 0, self._digest.update
        for buffer in buffers:
            update(buffer)
            total += len(buffer)
        try:
            written = os.writev(self._media, buffers) if len(buffers) <= _IOV_MAX else 0
            if written != total:
                self._write_rest(b"".join(buffers), written)
        except OSError as exc:
            raise storage_error(exc, self.part_path) from exc
        self._pending += total

    def commit(
        self,
        span: Span,
        *,
        wall: datetime,
        sequence: int | None,
        scope: TrackScope,
    ) -> Chunk:
        """The bytes since the last commit are one whole chunk. Raises as `write`."""
        chunk = Chunk(
            self.chunks,
            self.size,
            self._pending,
            span.start_s,
            span.end_s,
            wall,
            span.frames,
            span.independent,
            self._digest.hexdigest(),
            sequence,
            scope,
            span.keys,
            span.damage,
        )
        self._append(chunk)
        self._before_last_s = self.media_s
        if scope == "all":
            self.media_s = span.end_s
        self.size += self._pending
        self._pending = 0
        self._digest.reset()
        self.chunks += 1
        self.damaged_chunks += bool(chunk.damage)
        self.last = chunk
        return chunk

    def trim(self, excess: int) -> None:
        """Take back the last bytes of the chunk in progress; they are not a whole unit."""
        keep = self._pending - excess
        data = os.pread(self._media, keep, self.size)
        self._truncate(self.size + keep)
        self._digest.reset()
        self._digest.update(data)
        self._pending = keep

    def rollback(self) -> None:
        """Take back the chunk in progress."""
        if self._pending or os.lseek(self._media, 0, os.SEEK_CUR) != self.size:
            self._truncate(self.size)
            self._pending = 0
        self._digest.reset()

    def take_back(self) -> None:
        """Void the last chunk: a better copy of it follows."""
        if self.last is None:
            return
        self.rollback()
        self._append(CutLine(self.last.index))
        self.size = self.last.offset
        self._truncate(self.size)
        self.chunks = self.last.index
        self.damaged_chunks -= bool(self.last.damage)
        self.media_s = self._before_last_s
        self.last = None

    def note(self, line: RunLine | ClockLine | Repair | Gap) -> None:
        self._append(line)
        self.gaps += isinstance(line, Gap)

    def is_there(self) -> bool:
        """Whether the media file is still where it is written: neither it nor its folder was removed or moved away."""
        return self._is_linked(self._media, self.part_path)

    def keep_ledger(self) -> bool:
        """Write the ledger again if somebody took it away. Returns: whether that was so. Raises: StorageError."""
        if self._is_linked(self._ledger, self.ledger_path):
            return False
        data = os.pread(self._ledger, self._ledger_size, 0)
        copy = -1
        try:
            if os.path.lexists(self.ledger_path):  # an editor saves so: what it wrote is kept beside ours
                self.ledger_path.rename(self.ledger_path.with_name(self.ledger_path.name + REPLACED))
            copy = os.open(self.ledger_path, _NEW_FILE | os.O_APPEND, 0o644)
            fcntl.flock(copy, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.write(copy, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as exc:
            if copy >= 0:
                os.close(copy)
                self.ledger_path.unlink(missing_ok=True)
            raise storage_error(exc, self.ledger_path) from exc
        os.close(self._ledger)
        self._ledger = copy
        return True

    def close(self, reason: str, wall: datetime, patches: Sequence[tuple[int, bytes]] = (), tail: bytes = b"") -> Path:
        """Finish: container index, last ledger line, fsync, rename. Blocking: call it off the loop.

        Raises: OutputExists, StorageError; the file then stays `.part`, whole up to its last ledger line.
        """
        try:
            self._truncate(self.size)
            for offset, data in patches:
                os.lseek(self._media, offset, os.SEEK_SET)
                self._write_rest(data, 0)
            os.lseek(self._media, self.size, os.SEEK_SET)
            self._write_rest(tail, 0)
            size, around = self.size + len(tail), self._digest_around(tail)
            self._append(Closing(wall, reason, size, self.media_s, self.chunks, self.gaps, len(tail), around))
            os.fsync(self._media)
            os.fsync(self._ledger)
            refuse_existing(self.path)
            self.part_path.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as exc:
            raise storage_error(exc, self.part_path) from exc
        finally:
            self.release()
        return self.path

    def _digest_around(self, tail: bytes) -> str:
        """Of what is in no chunk: of the head as it now is, and of the tail."""
        around = os.pread(self._media, self._head_size, 0) + tail
        return xxhash.xxh3_64_hexdigest(around) if around else ""

    def release(self) -> None:
        """Let go of the files, as they are."""
        for name in ("_media", "_ledger"):
            if (fd := getattr(self, name)) >= 0:
                os.close(fd)
                setattr(self, name, -1)

    def discard(self) -> None:
        """Nothing came of it: remove both files."""
        self.release()
        self.part_path.unlink(missing_ok=True)
        self.ledger_path.unlink(missing_ok=True)

    def _open_files(self) -> None:
        self._media = self._ledger = -1
        refuse_existing(self.path)
        make_folder(self.path.parent)
        try:
            try:
                self._ledger = os.open(self.ledger_path, _NEW_FILE | os.O_APPEND, 0o644)
            except FileNotFoundError:  # it was empty, and went with the last recording that was in it
                make_folder(self.path.parent)
                self._ledger = os.open(self.ledger_path, _NEW_FILE | os.O_APPEND, 0o644)
            self._media = os.open(self.part_path, _NEW_FILE, 0o644)
            self._counts_links = os.fstat(self._media).st_nlink > 0
        except FileExistsError as exc:
            if self._ledger >= 0:
                self.release()
                self.ledger_path.unlink()
            raise OutputExists(f"{exc.filename} exists already; give another name, or run 'ouzel recover'") from exc
        except OSError as exc:
            if self._ledger >= 0:
                self.release()
                self.ledger_path.unlink()
            raise storage_error(exc, self.path) from exc

    def _is_linked(self, fd: int, path: Path) -> bool:
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # the disk does not answer, which says nothing about the file
        return fd < 0 or not self._counts_links or os.fstat(fd).st_nlink > 0

    def _append(self, line: Line) -> None:
        self._ledger_size = append_line(self._ledger, self._ledger_size, line, self.ledger_path)

    def _write_rest(self, data: bytes, done: int) -> None:
        view = memoryview(data)[done:]
        while view:
            view = view[os.write(self._media, view) :]

    def _truncate(self, size: int) -> None:
        os.ftruncate(self._media, size)
        os.lseek(self._media, size, os.SEEK_SET)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, unless they are there. Raises: ReadOnly, DiskFull, StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as exc:
        raise ReadOnly(f"{folder} is not a folder", path=str(folder)) from exc
    except OSError as exc:
        raise storage_error(exc, folder) from exc


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder outlive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
