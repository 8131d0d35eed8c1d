"""What steps have in common that make a file of each file: what a kill has left is taken, and originals go that may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ouzel.model.recording import FileRole
from ouzel.services.steps import ItemFile, Made, MadeFile, StepWork

if TYPE_CHECKING:
    from ouzel.engine.afterwards.joining import Joined
    from ouzel.engine.convert import Converted

_OF_TRACK = ("kind", "codec", "width", "height", "sample_rate", "channels")


class Maker(Protocol):
    """Makes a file of a file."""

    def out(self, source: Path) -> Path:
        """The name of what is made of it, whenever it is asked."""
        ...

    async def make(self, source: Path, on_progress: Callable[[float], None]) -> Converted:
        """Takes what an attempt before has made, if that is whole. Raises: OuzelError."""
        ...


async def products(work: StepWork, wanted: Sequence[ItemFile], maker: Maker) -> Made:
    """Of each of these files another one, in their order. Raises: OuzelError."""
    files: list[MadeFile] = []
    gone: list[str] = []
    warnings: list[str] = []
    for number, source in enumerate(wanted):
        made, words, is_good = await _product(work, source, maker, (number, len(wanted)))
        files.append(made)
        warnings += words
        if is_good and not work.fields["keep"]:
            gone.append(source.row.id)
    result = {"made": len(files), **({"warnings": warnings} if warnings else {})}
    return Made(tuple(files), tuple(gone), result=result)


async def _product(
    work: StepWork, source: ItemFile, maker: Maker, place: tuple[int, int]
) -> tuple[MadeFile, tuple[str, ...], bool]:
    out = maker.out(source.path)
    file = MadeFile(out, FileRole.PRODUCT, (source.row.id,), 0, gaps=source.row.gaps)
    if (known := taken(work, [source], file)) is not None:
        return known, (), True
    number, of = place
    made = await maker.make(source.path, lambda share: work.progress((number + share) / of, out.name))
    file = replace(file, bytes=made.size, media_s=round(made.duration_s, 3), tracks=await tracks_of(made))
    return file, made.warnings, not made.is_damaged and made.readable


def taken(work: StepWork, sources: Sequence[ItemFile], file: MadeFile) -> MadeFile | None:
    """What stands for these files since an attempt before, which has removed some of them: they went when it was verified."""
    known = work.made_of(sources, file.path)
    if known is None or all(each.path.exists() for each in sources):
        return None
    row = known.row
    return replace(file, bytes=row.bytes, media_s=row.media_s, gaps=row.gaps, tracks=row.tracks)


async def tracks_of(made: Converted | Joined) -> list[dict[str, Any]]:
    """What is in it, as the row of a file has it. Raises: MediaError."""
    from ouzel.engine.probe import probe

    found = made.found or await probe(made.path, depth="header")
    streams = [each for each in found.streams if each.kind in {"video", "audio"}]
    return [{name: value for name in _OF_TRACK if (value := getattr(each, name)) is not None} for each in streams]
