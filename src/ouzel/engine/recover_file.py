"""One file that a crash has left: cut back to what its ledger vouches for, or told anew from its media, and closed.

Every step may be the last one, when the machine dies again: done from the start it comes to the same end. Nothing that holds
media is removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ouzel.base.errors import MediaError, NotALedger
from ouzel.engine import ledgers
from ouzel.engine.closing import closing_patches
from ouzel.engine.meter import Meter
from ouzel.engine.rebuild import rebuild
from ouzel.engine.sinks.file import PART, sync_folder
from ouzel.model import ledger
from ouzel.model.flow import Chunk, EndReason, Gap, GapCode
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import Closing, CutLine, Line
from ouzel.model.recovery import Outcome, Recovered
from ouzel.system.clock import Clock

DAMAGED = ".damaged"
"""Added to the name of a ledger in whose place another one was made."""
_READ_BYTES = 1 << 20
_QUIET_S = 30.0  # a file without a ledger that was written to since then may be another program's, at work


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
class Tools:
    disk: Disk
    clock: Clock
    meter: Meter
    ours: bool = False
    """The files are known to be recordings of ours: none without a ledger is another program's."""


class UnfinishedFile:
    """One unfinished file."""

    def __init__(self, part: Path, tools: Tools) -> None:
        self.part = part
        self.path = Path(str(part).removesuffix(PART))
        self.ledger_path = ledgers.ledger_path(part)
        self._meter = tools.meter
        self._disk = tools.disk
        self._ours = tools.ours
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
                lines = ledger.salvage(data)
                return left_to_download(self.part) if _is_of_download(lines) else self._from_media(lines)
            if held.opening.download:
                return left_to_download(self.part, held)
            if held.damaged:
                return self._from_media(ledger.salvage(data))
            return self._from_ledger(held, fd)

    # -- the ledger is good -------------------------------------------------------------------------------------------

    def _from_ledger(self, held: Ledger, ledger_fd: int, outcome: Outcome = Outcome.CLOSED) -> Recovered:
        with ledgers.writable(self.part) as media_fd:
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
        if alone and not self._ours and self._clock.now().timestamp() - self.part.stat().st_mtime < _QUIET_S:
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


class NamedFile(UnfinishedFile):
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
                return left_to_download(self.path) if _is_of_download(ledger.salvage(data)) else self._told_anew(data)
            if held.opening.download and (held.damaged or held.closing is None):
                return left_to_download(self.path, held)
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
        with ledgers.writable(self.path) as fd:
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


def _is_of_download(lines: Iterable[Line]) -> bool:
    """Whether lines whose opening was lost tell of pieces in any order."""
    return any(isinstance(line, Chunk) and line.identity for line in lines)


def left_to_download(path: Path, held: Ledger | None = None) -> Recovered:
    """A download: pieces stand behind its holes, and whatever is missing is fetched by who goes on with it."""
    if held is None:
        return Recovered(str(path), Outcome.UNREADABLE, detail="it is a download whose ledger has lost its beginning")
    size, count = path.stat().st_size, len(held.chunks)
    return Recovered(str(path), Outcome.DOWNLOAD, held.media_s, size, count, detail=held.opening.source)


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
