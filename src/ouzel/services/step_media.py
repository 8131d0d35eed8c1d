"""Steps that work on pictures and sound: encoding, pictures for a page, and the wall clock as subtitles.

The work itself is `engine.afterwards`; here fields become wishes, and what was made becomes rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from ouzel.base.errors import NotALedger, Unsupported
from ouzel.model.recording import FileRole
from ouzel.services.step_join import join_kind
from ouzel.services.step_kinds import remux_kind
from ouzel.services.step_products import products
from ouzel.services.steps import ItemFile, Made, MadeFile, StepKind, StepWork
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder

if TYPE_CHECKING:
    from ouzel.engine.afterwards.clock import ClockWish
    from ouzel.engine.afterwards.encode import EncodeWish
    from ouzel.engine.afterwards.pictures import Pictures, PicturesWish
    from ouzel.engine.convert import Converted


def media_kinds(ffmpeg: FfmpegFinder, clock: Clock) -> list[StepKind]:
    """All steps of the queue `media`."""
    files = [remux_kind(ffmpeg, clock), convert_kind(ffmpeg, clock), join_kind(ffmpeg, clock)]
    return [*files, thumbnails_kind(), clock_kind()]


# -- convert -------------------------------------------------------------------------------------------------------------


def convert_kind(ffmpeg: FfmpegFinder, clock: Clock) -> StepKind:
    """Another codec, smaller, sound alone, a watermark: each file in hand."""

    async def check(fields: Mapping[str, Any]) -> None:
        from ouzel.engine.afterwards.encode import check_encode

        await check_encode(encode_wish(fields), ffmpeg)

    async def run(work: StepWork) -> Made:
        return await products(work, work.media, _Encode(encode_wish(work.fields), ffmpeg, clock))

    return StepKind("convert", run, check)


@dataclass(frozen=True, slots=True)
class _Encode:
    wish: EncodeWish
    ffmpeg: FfmpegFinder
    clock: Clock

    def out(self, source: Path) -> Path:
        from ouzel.engine.afterwards.encode import out_path

        return out_path(source, self.wish)

    async def make(self, source: Path, on_progress: Callable[[float], None]) -> Converted:
        from ouzel.engine.afterwards.encode import encode

        return await encode(source, self.wish, ffmpeg=self.ffmpeg, clock=self.clock, on_progress=on_progress)


def encode_wish(fields: Mapping[str, Any]) -> EncodeWish:
    """What the fields of a `convert` step say. An absolute path is a watermark's picture, anything else its text."""
    from ouzel.engine.afterwards.encode import EncodeWish
    from ouzel.engine.afterwards.watermark import Watermark

    mark, said = None, fields["watermark"].strip()
    if said:
        what = {"picture": Path(said)} if said.startswith("/") else {"text": said}
        looks = {name: fields[f"watermark_{name}"] for name in ("place", "size", "opacity", "font")}
        mark = Watermark(**what, **looks)
    return EncodeWish(
        format=fields["format"],
        video=fields["video"],
        quality=fields["quality"] if fields["quality"] >= 0 else None,
        height=fields["height"] or None,
        audio=fields["audio"],
        watermark=mark,
        hardware=fields["hardware"],
    )


# -- thumbnails ----------------------------------------------------------------------------------------------------------


def thumbnails_kind() -> StepKind:
    """A poster and a storyboard of each file in hand in which there is a picture."""

    async def check(fields: Mapping[str, Any]) -> None:
        from ouzel.engine.afterwards.pictures import check_pictures

        check_pictures(pictures_wish(fields))

    return StepKind("thumbnails", _thumbnails, check)


def pictures_wish(fields: Mapping[str, Any]) -> PicturesWish:
    """What the fields of a `thumbnails` step say."""
    from ouzel.engine.afterwards.pictures import PicturesWish

    return PicturesWish(fields["every_s"], fields["width"], fields["poster_width"])


async def _thumbnails(work: StepWork) -> Made:
    from ouzel.engine.afterwards.pictures import make_pictures

    wish, files, warnings = pictures_wish(work.fields), list[MadeFile](), list[str]()
    for number, source in enumerate(work.media):
        tell = _teller(work, source, number)
        try:
            made = await make_pictures(source.path, wish, on_progress=tell)
        except Unsupported as exc:  # sound alone, which needs none
            warnings.append(str(exc))
            continue
        warnings += [f"{source.path.name}: {each}" for each in made.warnings]
        files += await anyio.to_thread.run_sync(_drawn, source, made)
    return _companions(files, warnings, _old_sheets(work, files))


def _drawn(source: ItemFile, made: Pictures) -> list[MadeFile]:
    """Blocking."""
    roles = [
        (made.poster, FileRole.POSTER),
        *((sheet, FileRole.SPRITE) for sheet in made.sheets),
        (made.storyboard, FileRole.STORYBOARD),
    ]
    return [MadeFile(path, role, (source.row.id,), path.stat().st_size) for path, role in roles]


# -- clock ---------------------------------------------------------------------------------------------------------------


def clock_kind() -> StepKind:
    """Subtitles that tell when it was on air, of each file in hand that has a ledger of a recording."""

    async def check(fields: Mapping[str, Any]) -> None:
        from ouzel.engine.afterwards.clock import check_clock

        check_clock(clock_wish(fields))

    return StepKind("clock", _clock, check)


def clock_wish(fields: Mapping[str, Any]) -> ClockWish:
    """What the fields of a `clock` step say."""
    from ouzel.engine.afterwards.clock import ClockWish

    return ClockWish(**{name: fields[name] for name in ("format", "template", "gap_template", "every_s", "zone")})


async def _clock(work: StepWork) -> Made:
    """Raises: NotALedger where no file tells when it was on air."""
    from ouzel.engine.afterwards.clock import make_clock

    wish, files, untold = clock_wish(work.fields), list[MadeFile](), list[NotALedger]()
    for number, source in enumerate(work.media):
        try:
            path = await make_clock(source.path, wish)
        except NotALedger as exc:
            untold.append(exc)
            continue
        size = (await anyio.to_thread.run_sync(path.stat)).st_size
        files.append(MadeFile(path, FileRole.SUBTITLES, (source.row.id,), size))
        _teller(work, source, number)(1.0)
    if untold and not files:
        raise untold[0]
    return _companions(files, [str(each) for each in untold])


# -- both ----------------------------------------------------------------------------------------------------------------


def _teller(work: StepWork, source: ItemFile, number: int) -> Callable[[float], None]:
    of = len(work.media)
    return lambda share: work.progress((number + share) / of, source.path.name)


def _companions(files: Sequence[MadeFile], warnings: Sequence[str], gone: Sequence[str] = ()) -> Made:
    result = {"made": len(files), **({"warnings": [*warnings]} if warnings else {})}
    return Made(tuple(files), tuple(gone), result=result)


def _old_sheets(work: StepWork, files: Sequence[MadeFile]) -> list[str]:
    """Rows of sheets that were made of the same sources before, and that there are not so many of any more."""
    names, sources = {each.path for each in files}, {each.made_of for each in files}
    sheets = (each for each in work.all_files if each.row.role is FileRole.SPRITE and each.row.made_of in sources)
    return [each.row.id for each in sheets if each.path not in names]
