"""One clock for tracks whose clocks begin anew together: set right where they lie, in the bytes that tell the time.

    plan ─▶ journal, whole ─▶ time stamps in their places ─▶ ledgers, the main one last ─▶ the journal goes

Nothing is copied and nothing gets longer, so that it takes no room but that of the journal. A journal that is there after a
kill is applied again: what it says are values, not steps.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

import xxhash

from ouzel.base.errors import Damaged, FormatError, Unsupported
from ouzel.engine import ledgers
from ouzel.engine.download.edges import HEAD_BYTES, timescales, ts_ends
from ouzel.engine.download.stamps import mp4_moved, mp4_span, ts_moved, ts_span
from ouzel.engine.ledgers import Held
from ouzel.engine.sinks.file import CONVERTING, LEDGER, storage_error, sync_folder
from ouzel.formats.fmp4.boxes import children
from ouzel.formats.fmp4.moov import Trex, parse_init
from ouzel.model import ledger
from ouzel.model.flow import Chunk

JOURNAL = ".clock"
_RECORD = struct.Struct(">BQB")
_TOGETHER_S = 2.0
"""Breaks of several tracks that lie further apart are not the same ones."""
_WRAP = 1 << 33


def set_clock(tracks: Sequence[Path]) -> bool:
    """Let the clocks run through. The tracks lie in one folder, the main one first. Blocking.

    Returns: whether it was done; else they are as they were, and only a copy can be re-stamped: there are gaps, the breaks are
        not the same in all tracks, or the programme changes.
    Raises: StorageError, DiskFull: what was begun is finished by the next call.
    """
    journal = tracks[0].with_suffix(JOURNAL)
    try:
        if not journal.exists() and not _plan(tracks, journal):
            return False
        _apply(journal)
        for path in reversed(tracks):
            _tell(path)
        journal.unlink()
        sync_folder(journal.parent)
    except OSError as exc:
        raise storage_error(exc, journal) from exc
    return True


def is_begun(main: Path) -> bool:
    """Whether a kill has come in between. Blocking."""
    return main.with_suffix(JOURNAL).exists()


def _plan(tracks: Sequence[Path], journal: Path) -> bool:
    temporary = journal.with_name(journal.name + CONVERTING)
    with ExitStack() as stack:
        try:
            readers = [_Reader.open(path, stack) for path in tracks]
            shifts = _shifts(readers)
            with temporary.open("wb") as out:
                out.write(json.dumps([path.name for path in tracks]).encode() + b"\n")
                for number, reader in enumerate(readers):
                    for at, data in reader.moved(shifts):
                        out.write(_RECORD.pack(number, at, len(data)) + data)
                out.flush()
                os.fsync(out.fileno())
        except (Unsupported, Damaged, FormatError):
            temporary.unlink(missing_ok=True)
            return False
    temporary.rename(journal)
    sync_folder(journal.parent)
    return True


def _apply(journal: Path) -> None:
    with journal.open("rb") as told, ExitStack() as stack:
        names = json.loads(told.readline())
        files = [stack.enter_context((journal.parent / name).open("r+b", buffering=0)) for name in names]
        while record := told.read(_RECORD.size):
            number, at, length = _RECORD.unpack(record)
            os.pwrite(files[number].fileno(), told.read(length), at)
        for file in files:
            os.fsync(file.fileno())


def _tell(path: Path) -> None:
    """The ledger says what the file holds now."""
    book = path.with_suffix(LEDGER)
    temporary = book.with_name(book.name + CONVERTING)
    with path.open("rb", buffering=0) as media, temporary.open("wb") as out:
        for line in ledger.salvage(book.read_bytes()):
            if isinstance(line, Chunk):
                data = os.pread(media.fileno(), line.length, line.offset)
                line = replace(line, discontinuity=False, digest=xxhash.xxh3_64_hexdigest(data))
            out.write(ledger.render(line))
        out.flush()
        os.fsync(out.fileno())
    temporary.rename(book)
    sync_folder(book.parent)


def _shifts(tracks: Sequence[_Reader]) -> list[int]:
    """For each stretch by how many ticks it moves, in all tracks alike, so that none of them runs back. Raises: Unsupported."""
    breaks = [track.breaks for track in tracks]
    if len({track.container for track in tracks}) > 1 or len({len(each) for each in breaks}) > 1 or not breaks[0]:
        raise Unsupported("the clocks do not begin anew together")
    for together in zip(*breaks, strict=True):
        times = [each.start_s for each in together]
        if max(times) - min(times) > _TOGETHER_S:
            raise Unsupported("the clocks do not begin anew together")
    shifts = [0]
    for number in range(1, len(breaks[0]) + 1):
        steps = [step for track in tracks for step in track.steps(number)]
        if not steps:
            raise Unsupported("nothing tells the time on both sides")
        if tracks[0].container == "ts":
            steps = [steps[0] + (step - steps[0] + _WRAP // 2) % _WRAP - _WRAP // 2 for step in steps]
        shifts.append(shifts[-1] + max(steps))
    return shifts


@dataclass(frozen=True, slots=True)
class _Reader:
    held: Held
    file: FileIO
    container: str
    scales: Mapping[int, int]
    trex: Mapping[int, Trex]

    @classmethod
    def open(cls, path: Path, stack: ExitStack) -> _Reader:
        held = ledgers.find(path)
        if held is None or held.product is not None or held.ledger.closing is None or held.ledger.gaps:
            raise Unsupported(f"{path} is not whole")
        container = held.opening.container
        if container not in {"ts", "mp4"}:
            raise Unsupported(f"{path} has no clock that Ouzel can set")
        file = stack.enter_context(path.open("rb", buffering=0))
        scales, trex = dict[int, int](), dict[int, Trex]()
        if container == "mp4":
            head = os.pread(file.fileno(), held.ledger.media_start, 0)
            boxes = {box.kind: head[box.start : box.end] for box in children(head, 0, len(head))}
            if b"moov" not in boxes:
                raise Unsupported(f"{path} has no init segment")
            scales = timescales(head)
            trex = {**parse_init(boxes.get(b"ftyp", b""), boxes[b"moov"]).trex}
        return cls(held, file, container, scales, trex)

    @property
    def breaks(self) -> list[Chunk]:
        return [chunk for chunk in self.held.ledger.chunks[1:] if chunk.discontinuity]

    def steps(self, number: int) -> list[int]:
        """Ticks from the beginning of a stretch back to the end of the one before it, in each of its lanes."""
        chunks = self.held.ledger.chunks
        at = chunks.index(self.breaks[number - 1])
        before, after = self._read(chunks[at - 1]), self._read(chunks[at])
        if self.container == "ts" and _tables(before) != _tables(after):
            raise Unsupported("the programme changes")
        ended, begun = self._span(before), self._span(after)
        if ended.keys() != begun.keys():
            raise Unsupported("the programme changes")
        return [end - begun[lane][0] for lane, (_, end) in ended.items()]

    def moved(self, shifts: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """What is to stand where. Raises: Unsupported, FormatError, Damaged."""
        stretch = 0
        for number, chunk in enumerate(self.held.ledger.chunks):
            stretch += bool(number and chunk.discontinuity)
            if shifts[stretch]:
                data = self._read(chunk)
                found = (
                    ts_moved(data, shifts[stretch])
                    if self.container == "ts"
                    else mp4_moved(data, shifts[stretch], self.scales)
                )
                for at, new in found:
                    yield chunk.offset + at, new

    def _span(self, data: bytearray) -> Mapping[int, tuple[int, int]]:
        return ts_span(data) if self.container == "ts" else mp4_span(bytes(data), self.scales, self.trex)

    def _read(self, chunk: Chunk) -> bytearray:
        data = bytearray(os.pread(self.file.fileno(), chunk.length, chunk.offset))
        if xxhash.xxh3_64_hexdigest(data) != chunk.digest:
            raise Damaged(f"{self.held.media} is not what its ledger says")
        return data


def _tables(piece: bytearray) -> bytes:
    return ts_ends(bytes(piece[:HEAD_BYTES]), b"").tables
