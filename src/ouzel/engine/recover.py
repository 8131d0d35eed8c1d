"""After a crash: cut unfinished files back to what their ledgers vouch for, close them, and say what was lost.

Every step may be the last one, when the machine dies again: done from the start it comes to the same end. Nothing that holds
media is removed.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import anyio.to_thread

from ouzel.base.errors import FileBusy, InputError, MediaError, NotALedger, StorageError
from ouzel.engine import ledgers
from ouzel.engine.closing import closing_patches
from ouzel.engine.convert import CONVERTING
from ouzel.engine.meter import Meter, OnProgress
from ouzel.engine.rebuild import rebuild
from ouzel.engine.recipes import FORMATS
from ouzel.engine.sinks.file import LEDGER, PART, storage_error, sync_folder
from ouzel.model import ledger
from ouzel.model.flow import EndReason, Gap, GapCode
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import Closing, CutLine, Line, Opening, Product
from ouzel.model.recovery import Outcome, Recovered
from ouzel.system.clock import Clock, SystemClock

DAMAGED = ".damaged"
"""Added to the name of a ledger in whose place another one was made."""
_NATIVE = frozenset({".ts", ".mp4", ".flv"})
_QUIET_S = 30.0  # a file without a ledger that was written to since then may be another program's, at work
_READ_BYTES = 1 << 20


class Disk:
    """All that is changed on the disk, step by step; tests let it die between any two."""

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def append(self, fd: int, data: bytes) -> None:
        os.lseek(fd, 0, os.SEEK_END)
        ledgers.write_all(fd, data)

    def patch(self, fd: int, data: bytes, offset: int) -> None:
        os.lseek(fd, offset, os.SEEK_SET)
        ledgers.write_all(fd, data)

    def sync(self, fd: int) -> None:
        os.fsync(fd)

    def rename(self, path: Path, name: Path) -> None:
        path.rename(name)
        sync_folder(name.parent)

    def create(self, path: Path, data: bytes) -> None:
        ledgers.create(path, data)

    def remove(self, path: Path) -> None:
        path.unlink()


@dataclass(frozen=True, slots=True)
class _Tools:
    disk: Disk
    clock: Clock
    meter: Meter


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
    done: list[Recovered] = []
    tasks, total = await anyio.to_thread.run_sync(_find, folder)
    tools = _Tools(disk or Disk(), clock or SystemClock(), Meter(total, on_progress))
    for task in tasks:
        result = await anyio.to_thread.run_sync(_one, task, tools)
        if result is not None:
            done.append(result)
            if on_file is not None:
                on_file(result)
    return done


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


def _one(path: Path, tools: _Tools) -> Recovered | None:
    try:
        if path.suffix == PART:
            return _Part(path, tools).recover()
        if path.suffix == CONVERTING:
            return _leftover(path, tools.disk)
        if (media := _unsettled(path)) is not None:
            return _Named(media, tools).recover()
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


class _Part:
    """One unfinished file."""

    def __init__(self, part: Path, tools: _Tools) -> None:
        self.part = part
        self.path = Path(str(part).removesuffix(PART))
        self.ledger_path = ledgers.ledger_path(part)
        self._meter = tools.meter
        self._disk = tools.disk
        self._clock = tools.clock

    def recover(self) -> Recovered:
        """Raises: FileBusy, StorageError, OSError."""
        if self.path.exists():
            return Recovered(str(self.part), Outcome.BLOCKED, detail=f"{self.path} exists")
        if not self.ledger_path.exists():
            return self._from_media(self._old_lines(), alone=True)
        with ledgers.locked(self.ledger_path) as fd:
            data = ledgers.content(self.ledger_path)
            try:
                held = ledger.read(data)
            except NotALedger:
                return self._from_media(ledger.salvage(data))
            if held.damaged:
                return self._from_media(ledger.salvage(data))
            return self._from_ledger(held, fd)

    # -- the ledger is good -------------------------------------------------------------------------------------------

    def _from_ledger(self, held: Ledger, ledger_fd: int, outcome: Outcome = Outcome.CLOSED) -> Recovered:
        with _opened(self.part) as media_fd:
            size = os.fstat(media_fd).st_size
            agree = [self._agrees(media_fd, chunk.offset, chunk.length, chunk.digest) for chunk in held.chunks]
            keep = len(agree) - next((n for n, good in enumerate(reversed(agree)) if good), len(agree))
            if not keep:
                return self._nothing_whole(held, size)
            damaged = tuple(index for index in range(keep) if not agree[index])
            lost = held.chunks[keep:]
            if not self._is_closed(held, media_fd) or lost:
                known = held.closing.digest if held.closing is not None and not lost else ""
                self._cut_ledger(held, ledger_fd, keep)
                held = ledger.read(self.ledger_path.read_bytes())
                cut_bytes = max(0, size - held.media_end)
                held = self._close(held, media_fd, ledger_fd, known)
            else:
                cut_bytes = 0
            self._disk.sync(media_fd)
            self._disk.sync(ledger_fd)
            final = os.fstat(media_fd).st_size
        if self.part != self.path:
            self._disk.rename(self.part, self.path)
        lost_s = sum(chunk.duration_s for chunk in lost if chunk.scope == "all")
        return Recovered(str(self.path), outcome, held.media_s, final, keep, cut_bytes, len(lost), lost_s, damaged)

    def _agrees(self, fd: int, offset: int, length: int, digest: str) -> bool:
        self._meter.take(length)
        return ledgers.digest_of(fd, offset, length) == digest

    def _is_closed(self, held: Ledger, media_fd: int) -> bool:
        """It was about to be renamed when the machine died."""
        closing = held.closing
        if closing is None or held.torn or os.fstat(media_fd).st_size != closing.size:
            return False
        around = ledgers.digest_around(media_fd, held.media_start, held.media_end, closing.tail)
        return closing.digest in ("", around)

    def _cut_ledger(self, held: Ledger, fd: int, keep: int) -> None:
        """Take off its torn end; void the chunks whose bytes are not there, and say how much that is; void a closing line."""
        if held.torn:
            self._disk.truncate(fd, held.good_bytes)
        lines: list[Line] = []
        if lost := held.chunks[keep:]:
            gap = _gap(held, keep)
            if gap not in held.gaps:  # a run before this one came just so far
                lines.append(gap)
        if lost or held.closing is not None:
            lines.append(CutLine(keep))
        if lines:
            self._disk.append(fd, b"".join(ledger.render(line) for line in lines))

    def _close(self, held: Ledger, media_fd: int, ledger_fd: int, known: str) -> Ledger:
        """As `FileSink.close` does. `known`: the digest of what is in no chunk, if that has written one; else empty."""
        self._disk.truncate(media_fd, held.media_end)
        patches, tail = closing_patches(self.part, held)
        for offset, data in patches:
            self._disk.patch(media_fd, data, offset)
        if tail:
            self._disk.append(media_fd, tail)
        self._disk.sync(media_fd)
        size, reason = held.media_end + len(tail), EndReason.RECOVERED.value
        around = known or ledgers.digest_around(media_fd, held.media_start, held.media_end, len(tail)) or ""
        counts = len(held.chunks), len(held.gaps)
        closing = Closing(self._clock.now(), reason, size, held.media_s, *counts, len(tail), around)
        self._disk.append(ledger_fd, ledger.render(closing))
        return held

    def _nothing_whole(self, held: Ledger, size: int) -> Recovered:
        if size <= held.media_end and not held.chunks:
            self._disk.remove(self.part)
            self._disk.remove(self.ledger_path)
            return Recovered(str(self.part), Outcome.EMPTY)
        if held.opening.rebuilt:
            return Recovered(str(self.part), Outcome.UNREADABLE, detail="not one whole chunk is in it")
        return self._from_media(ledger.salvage(self.ledger_path.read_bytes()))

    # -- it is not ----------------------------------------------------------------------------------------------------

    def _from_media(self, known: list[Line], *, alone: bool = False) -> Recovered:
        """Make a ledger of what can be read; the old one is kept beside it."""
        if alone and self._clock.now().timestamp() - self.part.stat().st_mtime < _QUIET_S:
            return Recovered(str(self.part), Outcome.BUSY, detail="another program may be writing it")
        try:
            rebuilt = rebuild(self.part, known=known)
        except MediaError as exc:
            return Recovered(str(self.part), Outcome.UNREADABLE, detail=str(exc))
        if not rebuilt.passages:
            return Recovered(str(self.part), Outcome.UNREADABLE, detail="not one whole chunk is in it")
        if rebuilt.reader.error is not None and not self._ends_in_zeros(rebuilt.reader.end):
            detail = f"it can be read up to byte {rebuilt.reader.end}: {rebuilt.reader.error}"
            return Recovered(str(self.part), Outcome.UNREADABLE, detail=detail)
        if self.ledger_path.exists():
            self._disk.rename(self.ledger_path, self.ledger_path.with_name(self.ledger_path.name + DAMAGED))
        self._disk.create(self.ledger_path, rebuilt.data)
        with ledgers.locked(self.ledger_path) as fd:
            return self._from_ledger(rebuilt.ledger, fd, Outcome.REBUILT)

    def _old_lines(self) -> list[Line]:
        """What a run before this one has put aside, if it got no further."""
        with suppress(FileNotFoundError, NotALedger):
            return ledger.salvage(ledgers.content(self.ledger_path.with_name(self.ledger_path.name + DAMAGED)))
        return []

    def _ends_in_zeros(self, at: int) -> bool:
        """As the tail of a file after a power cut does."""
        with self.part.open("rb", buffering=0) as file:
            file.seek(at)
            while data := file.read(_READ_BYTES):
                if data.strip(b"\0"):
                    return False
        return True


class _Named(_Part):
    """A file that has its final name, and yet was never closed: somebody gave it that; or its ledger was damaged since.

    Its media is cut only where a crash has left a chunk unfinished.
    """

    def recover(self) -> Recovered:
        """Raises: FileBusy, StorageError, OSError."""
        with ledgers.locked(self.ledger_path) as fd:
            data = ledgers.content(self.ledger_path)
            try:
                held = ledger.read(data)
            except NotALedger:
                return self._told_anew(data)
            if held.damaged:
                return self._told_anew(data)
            if held.closing is not None:  # all is well but for a torn line behind it
                self._disk.truncate(fd, held.good_bytes)
                self._disk.sync(fd)
                size = self.path.stat().st_size
                return Recovered(str(self.path), Outcome.CLOSED, held.media_s, size, len(held.chunks))
            if not self._ends_as_told(held):
                return self._told_anew(data)
            return self._from_ledger(held, fd)

    def _ends_as_told(self, held: Ledger) -> bool:
        """Its last chunk is there, and behind it no more than another that was not finished."""
        last = held.chunks[-1]
        rest = self.path.stat().st_size - held.media_end
        with _opened(self.path) as fd:
            agrees = ledgers.digest_of(fd, last.offset, last.length) == last.digest
        return agrees and 0 <= rest <= max(chunk.length for chunk in held.chunks)

    def _told_anew(self, data: bytes) -> Recovered:
        """A ledger of what can be read of the media, which stays as it is. `data`: the old one, which is kept beside it."""
        rebuilt = rebuild(self.path, known=ledger.salvage(data))
        if not rebuilt.passages or rebuilt.reader.error is not None:
            detail = f"it can be read up to byte {rebuilt.reader.end}: {rebuilt.reader.error or 'no media'}"
            return Recovered(str(self.path), Outcome.UNREADABLE, detail=detail)
        self._disk.create(self.ledger_path.with_name(self.ledger_path.name + DAMAGED), data)
        self._disk.create(self.ledger_path, rebuilt.data)
        held, size = rebuilt.ledger, self.path.stat().st_size
        damaged = tuple(chunk.index for chunk in held.chunks if chunk.damage)
        return Recovered(str(self.path), Outcome.REBUILT, held.media_s, size, len(held.chunks), damaged=damaged)


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


def _gap(held: Ledger, keep: int) -> Gap:
    """What the chunks from `keep` on held, as a gap: nothing that was lost is only a word on the screen."""
    lost = held.chunks[keep:]
    kept_s = next((chunk.end_s for chunk in reversed(held.chunks[:keep]) if chunk.scope == "all"), 0.0)
    missing_s = sum(chunk.duration_s for chunk in lost if chunk.scope == "all")
    end = lost[-1].wall + timedelta(seconds=lost[-1].duration_s)
    why = f"{len(lost)} chunks were not on the disk after a crash"
    first, last = lost[0].sequence, lost[-1].sequence
    gap = Gap(
        kept_s, GapCode.RECORDER_STOPPED, why, lost[0].wall, end, missing_s, first, last if first is not None else None
    )
    read_again = ledger.parse_line(ledger.render(gap))
    assert isinstance(read_again, Gap)
    return read_again


def _leftover(path: Path, disk: Disk) -> Recovered | None:
    """A conversion that was broken off; its source is removed only after the product has its name."""
    if path.with_suffix("").suffix.lstrip(".") not in FORMATS:
        return None
    with _opened(path) as fd:
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
    if any(path.with_suffix(e + rest).exists() for e in endings for rest in ("", PART)):
        return None
    if ledgers.is_written(path):
        return Recovered(str(path), Outcome.BUSY)
    if held.chunks:
        return Recovered(str(path), Outcome.ORPHAN, held.media_s, 0, len(held.chunks), detail=held.opening.file)
    disk.remove(path)
    return Recovered(str(path), Outcome.EMPTY)


@contextmanager
def _opened(path: Path) -> Generator[int, None, None]:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
