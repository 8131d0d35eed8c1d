"""A ledger made from the media afterwards: what is there can be told again; what is missing, and when it was on air, cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ouzel import __version__
from ouzel.engine.ledgers import digest_around, digest_of
from ouzel.engine.reading import MediaReader, Passage, Tap
from ouzel.engine.sinks.file import PART, storage_error
from ouzel.model import ledger
from ouzel.model.flow import Chunk, EndReason, Gap
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import Closing, HeadLine, Line, Opening, RunLine


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A ledger that is not in a file yet, and what was seen when it was made."""

    lines: tuple[Line, ...]
    reader: MediaReader
    passages: tuple[Passage, ...]

    @property
    def ledger(self) -> Ledger:
        return ledger.read(self.data)

    @property
    def data(self) -> bytes:
        return b"".join(ledger.render(line) for line in self.lines)


def rebuild(path: Path, *, end: int | None = None, known: Iterable[Line] = (), tap: Tap | None = None) -> Rebuilt:
    """Read a media file and make the lines of its ledger; those of a closed file have a closing line.

    Wall times are counted back from the time at which the file was last written, unless `known` says better.

    Args:
        end: where to stop reading.
        known: lines of the lost ledger that can still be read: its opening, runs and gaps are taken over.
        tap: sees all bytes of the file, in order.
    Raises: Unsupported, NotMedia, FormatError when there is nothing to be told; StorageError.
    """
    reader = MediaReader(path, end=end)
    passages = tuple(reader.passages(tap))
    media_s = passages[-1].span.end_s if passages else 0.0
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        kept = list(known)
        opening = _opening(path, reader, written - timedelta(seconds=media_s), kept)
        lines: list[Line] = [opening, _head(reader, passages)]
        lines += (line for line in kept if isinstance(line, RunLine | Gap))
        for passage, chunk in zip(passages, _chunks(path, passages, opening.started), strict=True):
            lines += (repair for repair in passage.span.repairs if repair.code != "start")
            lines.append(chunk)
    except OSError as exc:
        raise storage_error(exc, path) from exc
    if not path.name.endswith(PART):
        gaps = sum(isinstance(line, Gap) for line in lines)
        tail = reader.size - reader.end
        with path.open("rb", buffering=0) as file:
            around = (
                digest_around(file.fileno(), passages[0].offset if passages else reader.end, reader.end, tail) or ""
            )
        counts = len(passages), gaps
        lines.append(Closing(written, EndReason.RECOVERED.value, reader.size, media_s, *counts, tail, around))
    return Rebuilt(tuple(lines), reader, passages)


def _opening(path: Path, reader: MediaReader, started: datetime, known: Sequence[Line]) -> Opening:
    before = next((line for line in known if isinstance(line, Opening)), None)
    name, software = path.name.removesuffix(PART), f"ouzel {__version__}"
    if before is not None:
        return Opening(name, reader.container, before.started, before.source, before.part, software, rebuilt=True)
    return Opening(name, reader.container, started, "", 1, software, rebuilt=True)


def _head(reader: MediaReader, passages: Sequence[Passage]) -> HeadLine:
    length = passages[0].offset if passages else reader.end
    if not reader.heads:
        return HeadLine(0, length, (), b"")
    head = reader.heads[0][1]
    return HeadLine(0, length, head.tracks, b"" if reader.container == "mp4" else head.preamble)


def _chunks(path: Path, passages: Sequence[Passage], started: datetime) -> Iterator[Chunk]:
    with path.open("rb", buffering=0) as file:
        for index, passage in enumerate(passages):
            span = passage.span
            yield Chunk(
                index,
                passage.offset,
                passage.length,
                round(span.start_s, 6),
                round(span.end_s, 6),
                started + timedelta(seconds=span.start_s),
                span.frames,
                span.independent,
                digest_of(file.fileno(), passage.offset, passage.length) or "",
                keys=span.keys,
                damage=span.damage,
            )
