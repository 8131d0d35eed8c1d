"""A file whose pieces are written in any order, each at its place, and its ledger.

Until it is closed it is called `NAME.EXT.part`. A ledger line makes a piece count; who comes back after a kill reads the lines,
and fetches what has none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Self

import xxhash

from ouzel.base.errors import NotALedger, OutputExists
from ouzel.engine.sinks.file import LEDGER, PART, make_folder, sync_folder
from ouzel.engine.sinks.lines import append_line, lock_ledger, refuse_existing, storage_error
from ouzel.formats.shape import Buffer, Track
from ouzel.model import ledger
from ouzel.model.flow import Chunk, Gap, GapCode
from ouzel.model.layout import TS_PACKET
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import Closing, CutLine, HeadLine, Line, Opening

_READ_BYTES = 1 << 20
_NULL_PACKET = b"\x47\x1f\xff\x10" + b"\xff" * (TS_PACKET - 4)
_BOX_HEADER = 8
_TELLING = len(b'{"k":"ledger"')
"""Bytes of a first line that was not written whole, by which it is known as ours."""
_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC

Identity = Callable[[int], str | None]
"""Which piece the list has at a position; None when there is no such position."""


class Complete(Exception):
    """All of it is there already. A signal to whoever wants to fetch it."""

    def __init__(self, held: Ledger) -> None:
        super().__init__("it is there already")
        self.held = held


class PlacedFile:
    """Opened by `open`, anew or where somebody has left off; held by a lock on its ledger.

    `write`, `commit` and `append` are cheap and synchronous: they run in the reader's callback.
    """

    def __init__(self, path: Path, opening: Opening, head: bytes, media: int, lines: int) -> None:
        self.path = path
        self.part_path = path.with_name(path.name + PART)
        self.ledger_path = path.with_suffix(LEDGER)
        self.opening = opening
        self.head = head
        self.whole: dict[int, Chunk] = {}
        """The pieces that are there, by their positions in this file."""
        self.before: Ledger | None = None
        """What it was when it was closed, if it had its name; since then it is open again."""
        self._media = media
        self._lines = lines
        self._lines_size = 0

    @classmethod
    def open(cls, path: Path, opening: Opening, head: bytes, identity: Identity) -> Self:
        """Begin, or go on where somebody has left off. Blocking: what is there is read once, and compared with its digests.

        Raises: Complete; OutputExists: what is there is of another list, or of something else; FileBusy; DiskFull, ReadOnly,
            StorageError.
        """
        make_folder(path.parent)
        lines_fd = media_fd = -1
        try:
            lines_fd = _open_lines(path)
            held = _told(lines_fd, path, opening, identity, len(head))
            had_name = os.path.lexists(path)
            media_fd = _open_media(path, held)
            opened = cls(path, opening, head, media_fd, lines_fd)
            opened._take_up(held, identity, had_name=had_name)
        except OSError as exc:
            _close(lines_fd, media_fd)
            raise storage_error(exc, path) from exc
        except BaseException:
            _close(lines_fd, media_fd)
            raise
        return opened

    def write(self, at: int, data: Buffer) -> None:
        """Raises: DiskFull, ReadOnly, StorageError."""
        try:
            written = os.pwrite(self._media, data, at)
            if written != len(data):
                self._write_rest(at, memoryview(data), written)
        except OSError as exc:
            raise storage_error(exc, self.part_path) from exc

    def commit(self, line: Chunk) -> None:
        """The piece is whole, and written. Raises: as `write`."""
        self.append(line)
        self.whole[line.index] = line

    def append(self, line: Line) -> None:
        """Raises: as `write`; the ledger is then as it was."""
        self._lines_size = append_line(self._lines, self._lines_size, line, self.ledger_path)

    def pad(self, at: int, size: int) -> None:
        """Fill the room of a piece that is not there with something that players read over. Raises: as `write`."""
        match self.opening.container:
            case "ts":
                self.write(at, _NULL_PACKET * (size // TS_PACKET) + b"\xff" * (size % TS_PACKET))
            case "mp4" if size >= _BOX_HEADER:
                self.write(at, size.to_bytes(4, "big") + b"free")
            case _:
                pass

    def move(self, chunk: Chunk, by: int) -> Chunk:
        """A whole piece to another place; the two may overlap. Blocking.

        Returns: its line by now, which counts when it is committed. Raises: as `write`.
        """
        steps = range(0, chunk.length, _READ_BYTES)
        for start in reversed(steps) if by > 0 else steps:
            at = chunk.offset + start
            self.write(at + by, self.read(at, min(_READ_BYTES, chunk.offset + chunk.length - at)))
        return replace(chunk, offset=chunk.offset + by)

    def read(self, at: int, size: int) -> bytes:
        """Raises: StorageError."""
        try:
            return os.pread(self._media, size, at)
        except OSError as exc:
            raise storage_error(exc, self.part_path) from exc

    def close(self, size: int, media_s: float, gaps: Iterable[Gap], tracks: Sequence[Track], wall: datetime) -> None:
        """Seal it, and give it its name. Blocking. Raises: OutputExists, StorageError; it can then be opened again."""
        self.seal(size, media_s, gaps, tracks, wall)
        self.publish()

    def seal(self, size: int, media_s: float, gaps: Iterable[Gap], tracks: Sequence[Track], wall: datetime) -> None:
        """Everything is in that could be had: last lines, fsync. Blocking.

        Raises: StorageError; it then stays as it was, to be opened again.
        """
        missing = list(gaps)
        try:
            os.ftruncate(self._media, size)
            if tracks:
                self.append(HeadLine(0, len(self.head), tuple(tracks), b""))
            for gap in missing:
                self.append(gap)
            around = xxhash.xxh3_64_hexdigest(self.head) if self.head else ""
            self.append(Closing(wall, "ended", size, media_s, len(self.whole), len(missing), 0, around))
            os.fsync(self._media)
            os.fsync(self._lines)
        except OSError as exc:
            raise storage_error(exc, self.part_path) from exc
        _close(self._media)
        self._media = -1

    def publish(self) -> None:
        """What is sealed gets its name. Blocking. Raises: OutputExists, StorageError; it can then be opened again."""
        try:
            refuse_existing(self.path)
            self.part_path.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as exc:
            raise storage_error(exc, self.part_path) from exc
        self.release()

    def close_again(self, wall: datetime) -> None:
        """Give up what was closed before: it is closed with what it has by now. Blocking. Raises: as `close`."""
        assert self.before is not None
        end = len(self.head)
        for chunk in sorted(self.whole.values(), key=lambda each: each.offset):
            if chunk.offset > end:
                self.pad(end, chunk.offset - end)
            end = chunk.offset + chunk.length
        there = {chunk.sequence for chunk in self.whole.values()}
        gaps = [gap for gap in self.before.gaps if gap.first_sequence not in there]
        tracks = self.before.head.tracks if self.before.head else ()
        self.close(end, sum(chunk.duration_s for chunk in self.whole.values()), gaps, tracks, wall)

    def release(self) -> None:
        """Let go of it, as it is."""
        _close(self._lines, self._media)
        self._lines = self._media = -1

    def discard(self) -> None:
        """Nothing came of it: remove both files."""
        self.part_path.unlink(missing_ok=True)
        self.ledger_path.unlink(missing_ok=True)
        self.release()

    # -- going on -----------------------------------------------------------------------------------------------------

    def _take_up(self, held: Ledger | None, identity: Identity, *, had_name: bool) -> None:
        if held is None:
            os.ftruncate(self._lines, 0)
            os.ftruncate(self._media, 0)
            self.append(self.opening)
            self.append(HeadLine(0, len(self.head), (), b""))
            self.write(0, self.head)
            return
        os.ftruncate(self._lines, held.good_bytes)
        self._lines_size = held.good_bytes
        self.opening = held.opening
        if held.closing is not None:
            self.before = held if had_name else None
            self.append(CutLine(1 + max((chunk.index for chunk in held.chunks), default=0)))
        if held.media_start != len(self.head):
            self.append(HeadLine(0, len(self.head), (), b""))
        if os.pread(self._media, len(self.head), 0) != self.head:
            self.write(0, self.head)
        same = [chunk for chunk in held.chunks if chunk.identity == identity(chunk.index)]
        self.whole = {chunk.index: chunk for chunk in same if self._is_there(chunk)}

    def _is_there(self, chunk: Chunk) -> bool:
        digest, at, end = xxhash.xxh3_64(), chunk.offset, chunk.offset + chunk.length
        while at < end:
            data = os.pread(self._media, min(_READ_BYTES, end - at), at)
            if not data:
                return False
            digest.update(data)
            at += len(data)
        return digest.hexdigest() == chunk.digest

    def _write_rest(self, at: int, data: memoryview, done: int) -> None:
        while done < len(data):
            done += os.pwrite(self._media, data[done:], at + done)


def begun_as(path: Path) -> str | None:
    """The ending of the file that the ledger beside `path` tells of, without its dot; None when there is none. Blocking."""
    try:
        with path.with_suffix(LEDGER).open("rb") as file:
            told = ledger.read(file.readline(_READ_BYTES))
    except (FileNotFoundError, NotALedger):
        return None
    except OSError as exc:
        raise storage_error(exc, path) from exc
    return Path(told.opening.file).suffix.lstrip(".") if told.opening.download else None


def _open_lines(path: Path) -> int:
    """The ledger, locked. Raises: FileBusy; OSError."""
    name = path.with_suffix(LEDGER)
    while True:
        fd = os.open(name, _OPEN | os.O_APPEND, 0o644)
        try:
            lock_ledger(fd, f"{path} is being downloaded already")
            if name.exists() and os.path.samestat(name.stat(), os.fstat(fd)):
                return fd  # else whoever held it has removed it meanwhile
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _told(fd: int, path: Path, opening: Opening, identity: Identity, head: int) -> Ledger | None:
    """What the ledger tells; None when it was not begun. Raises: OutputExists, with `other` when it is of something else."""
    data = b"".join(iter(lambda: os.read(fd, _READ_BYTES), b""))
    there, name = os.path.lexists(path), path.with_suffix(LEDGER)
    if b"\n" not in data and ledger.render(opening).startswith(data[:_TELLING]):
        taken = path if there else path.with_name(path.name + PART)
        if there or (os.path.lexists(taken) and taken.stat().st_size):
            if not data:
                name.unlink()
            raise OutputExists(f"{taken} exists already; give another name or remove it", other=True)
        return None
    try:
        held = ledger.read(data)
    except NotALedger:
        held = None
    is_made = held is not None and held.product(path.name) is not None
    if held is None or is_made or not held.opening.download or not _is_same(held, identity, head):
        raise OutputExists(f"{name} is of another file; give another name or remove it", other=True)
    if there and (held.closing is None or not _holes(held)):
        raise Complete(held)
    if held.closing is not None and not there and not os.path.lexists(path.with_name(path.name + PART)):
        raise OutputExists(f"{path} was there, and is gone; remove {name} to fetch it again", other=False)
    return held


def _holes(held: Ledger) -> bool:
    """Whether something is missing that may be had by now; what the playlist itself leaves out never will be."""
    return any(gap.code is not GapCode.LISTED_GAP for gap in held.gaps)


def _is_same(held: Ledger, identity: Identity, head: int) -> bool:
    """Whether it tells of this list, as far as it tells anything: behind another head nothing would stand where it says."""
    if held.media_start != head:
        return not held.chunks
    return not held.chunks or any(chunk.identity == identity(chunk.index) for chunk in held.chunks)


def _open_media(path: Path, held: Ledger | None) -> int:
    """A file that was closed with gaps becomes unfinished again."""
    part = path.with_name(path.name + PART)
    if held is not None and held.closing is not None and os.path.lexists(path):
        path.rename(part)
    return os.open(part, _OPEN, 0o644)


def _close(*fds: int) -> None:
    for fd in fds:
        if fd >= 0:
            os.close(fd)
