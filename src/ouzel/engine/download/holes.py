"""What is missing in files of downloads, by their ledgers: which positions, and where they are in a list of segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ouzel.base.errors import InputError
from ouzel.engine import ledgers
from ouzel.engine.download.home import TRACKS
from ouzel.engine.sinks.file import LEDGER, PART
from ouzel.model import ledger
from ouzel.model.flow import Gap, GapCode
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import Closing, Line
from ouzel.model.pieces import Piece, identifier

_MADE_OF_A_DOWNLOAD = "download"
"""Protocol in the ledger of a track that was re-stamped."""


@dataclass(frozen=True, slots=True)
class Holed:
    """A raw file of a download, which was closed before; by now it may be open again, if a repair was killed."""

    path: Path
    held: Ledger
    count: int
    """Positions."""
    first: int
    """The source's number of the first of them."""
    listed: frozenset[int]
    """Numbers that the source itself leaves out, for good."""

    @property
    def holes(self) -> tuple[int, ...]:
        """The source's numbers of what is missing, and may be had by now."""
        there = {chunk.index for chunk in self.held.chunks}
        numbers = (self.first + position for position in range(self.count) if position not in there)
        return tuple(number for number in numbers if number not in self.listed)

    def find_in(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...] | None:
        """Its own among the pieces of a list, at the positions that they have in it; None when it is another list."""
        mine = [each for each in pieces if self.first <= each.segment.media_sequence < self.first + self.count]
        if len(mine) != self.count:
            return None
        found = tuple(
            each._replace(position=n, at_s=each.at_s - mine[0].at_s, discontinuity=n > 0 and each.discontinuity)
            for n, each in enumerate(mine)
        )
        name = identifier(found)
        return found if all(name(found[chunk.index]) == chunk.identity for chunk in self.held.chunks) else None


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be repaired together."""

    named: Path
    files: tuple[Holed, ...]
    whole: Path | None = None
    """What is made of the tracks, without its ending; None: the one file is all there is."""
    product: Path | None = None
    """It was made already."""

    @property
    def source(self) -> str:
        return self.files[0].held.opening.source

    @property
    def wanted(self) -> str:
        """The format that was asked for; empty: none was."""
        return self.files[0].held.opening.wanted

    @property
    def holes(self) -> int:
        return sum(len(file.holes) for file in self.files)


def look(path: Path) -> Case:
    """Blocking. Raises: InputError for what cannot be repaired, and says why; NotALedger, StorageError."""
    part, whole = path.with_name(path.name + PART), path.with_suffix("")
    if not (path.exists() or part.exists()) and (files := tuple(_tracks(whole.with_name(whole.name + TRACKS)))):
        return Case(files[-1].path, files, whole, _product_of(whole))  # it is what is to be made of them
    there = path if path.exists() or not part.exists() else part
    ledgers.check_media(there)
    held = ledgers.find(there)
    if held is None:
        raise InputError(f"{path} has no ledger: nobody knows what is missing in it", path=str(path))
    path = path.with_name(path.name.removesuffix(PART))
    if path.parent.name.endswith(TRACKS) and held.opening.download:
        whole = path.parent.with_name(path.parent.name.removesuffix(TRACKS))
        return Case(path, tuple(_tracks(path.parent)), whole, _product_of(whole))
    if held.product is None and held.opening.download:
        return Case(path, (_holed(path),))
    if files := tuple(_tracks(whole.with_name(whole.name + TRACKS))):
        return Case(path, files, whole, path)
    if held.opening.download or any(run.protocol == _MADE_OF_A_DOWNLOAD for run in held.ledger.runs):
        raise InputError(
            f"{path} was made of tracks that are gone; download it again, with --keep-tracks if it may have gaps again",
            path=str(path),
        )
    raise InputError(f"{path} is a recording: what was missed was on air once, and cannot be had again", path=str(path))


def _tracks(folder: Path) -> Iterator[Holed]:
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f"*{LEDGER}")):
        held = ledger.read(ledgers.content(path))
        if held.opening.download and not held.products:
            yield _holed(path.with_suffix(Path(held.opening.file).suffix))


def _product_of(whole: Path) -> Path | None:
    book = whole.with_name(whole.name + LEDGER)
    if not book.exists():
        return None
    held = ledger.read(ledgers.content(book))
    names = [Path(each.file).suffix for each in reversed(held.products)] or [Path(held.opening.file).suffix]
    return next((path for name in names if (path := whole.with_name(whole.name + name)).exists()), None)


def _holed(path: Path) -> Holed:
    data = ledgers.content(path.with_suffix(LEDGER))
    held, lines = ledger.read(data), ledger.salvage(data)
    closing = next((line for line in reversed(lines) if isinstance(line, Closing)), None)
    if closing is None:
        raise InputError(f"{path} is not finished: the same 'ouzel download' goes on with it", path=str(path))
    listed = {
        number for gap in _gaps(lines) if gap.code is GapCode.LISTED_GAP and (number := gap.first_sequence) is not None
    }
    chunk = next(iter(held.chunks), None)
    first = chunk.sequence - chunk.index if chunk is not None and chunk.sequence is not None else 0
    return Holed(path, held, closing.chunks + closing.gaps, first, frozenset(listed))


def _gaps(lines: list[Line]) -> Iterator[Gap]:
    return (line for line in lines if isinstance(line, Gap))
