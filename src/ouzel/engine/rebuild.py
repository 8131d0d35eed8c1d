"""A ledger made from the media afterwards: what is there can be told again; what is missing, and when it was on air, cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ouzel import __version__
from ouzel.engine.closing import tail_length
from ouzel.engine.ledgers import Held, digest_around, digest_of
from ouzel.engine.reading import MediaReader, Passage, Tap
from ouzel.engine.sinks.file import PART, storage_error
from ouzel.model import ledger
from ouzel.model.flow import Chunk, EndReason, Gap
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import VERSION, Closing, HeadLine, Line, Opening, Product, RunLine


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A ledger that is not in a file yet, and what was seen when it was made."""

    lines: tuple[Line, ...]
    reader: MediaReader
    passages: tuple[Passage, ...]
    extra: int = 0
    """Bytes at the end of a closed file that are neither chunk nor index. The ledger does not vouch for them."""

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
        known: lines of the lost ledger that can still be read: its opening, runs, gaps and products are taken over.
        tap: sees all bytes of the file, in order.
    Raises: Unsupported, NotMedia, FormatError when there is nothing to be told; StorageError.
    """
    unfinished = path.name.endswith(PART)
    reader = MediaReader(path, end=end, broken=unfinished)
    passages = tuple(reader.passages(tap))
    media_s = passages[-1].span.end_s if passages else 0.0
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        kept = list(known)
        opening = _opening(path, reader, written - timedelta(seconds=media_s), kept)
        lines: list[Line] = [opening, _head(reader, passages)]
        lines += (line for line in kept if isinstance(line, RunLine | Gap))
        for passage, chunk in zip(passages, _chunks(reader, passages, opening.started), strict=True):
            lines += (repair for repair in passage.span.repairs if repair.code != "start")
            lines.append(chunk)
    except OSError as exc:
        raise storage_error(exc, path) from exc
    if unfinished:
        return Rebuilt(tuple(lines), reader, passages)
    gaps = sum(isinstance(line, Gap) for line in lines)
    lines.append(closing := _closing(path, reader, passages, gaps, written))
    lines += (line for line in kept if isinstance(line, Product))
    return Rebuilt(tuple(lines), reader, passages, reader.size - closing.size)


def whole(held: Held) -> Held:
    """The same file with a ledger made from it, where its own is damaged and does not tell all. Raises: as `rebuild`."""
    before = held.ledger
    known = (before.opening, *before.runs, *before.gaps)
    return replace(held, ledger=rebuild(held.media, known=known).ledger)


def _closing(path: Path, reader: MediaReader, passages: Sequence[Passage], gaps: int, written: datetime) -> Closing:
    """Only of what is whole: what is behind it was torn off, or is no media, and is not made good by a line of ours."""
    media_s = passages[-1].span.end_s if passages else 0.0
    start = passages[0].offset if passages else reader.end
    tail = tail_length(path, reader.container, reader.end, reader.size)
    try:
        with path.open("rb", buffering=0) as file:
            around = digest_around(file.fileno(), start, reader.end, tail) or ""
    except OSError as exc:
        raise storage_error(exc, path) from exc
    reason = EndReason.RECOVERED.value
    return Closing(written, reason, reader.end + tail, media_s, len(passages), gaps, tail, around)


def _opening(path: Path, reader: MediaReader, started: datetime, known: Sequence[Line]) -> Opening:
    before = next((line for line in known if isinstance(line, Opening)), None)
    name, software = path.name.removesuffix(PART), f"ouzel {__version__}"
    if before is not None:
        return replace(before, file=name, container=reader.container, software=software, rebuilt=True, version=VERSION)
    return Opening(name, reader.container, started, "", 1, software, rebuilt=True)


def _head(reader: MediaReader, passages: Sequence[Passage]) -> HeadLine:
    length = passages[0].offset if passages else reader.end
    if not reader.heads:
        return HeadLine(0, length, (), b"")
    head = reader.heads[0][1]
    return HeadLine(0, length, head.tracks, b"" if reader.container == "mp4" else head.preamble)


def _chunks(reader: MediaReader, passages: Sequence[Passage], started: datetime) -> Iterator[Chunk]:
    torn = len(passages) - 1 if reader.end < reader.size else None  # its torn unit was left out: it is whole without
    with reader.path.open("rb", buffering=0) as file:
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
                damage="" if index == torn and span.damage == "truncated" else span.damage,
            )
