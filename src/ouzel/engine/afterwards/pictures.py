"""A poster, and a storyboard: sheets of small pictures with a WebVTT file that says which one belongs to which time.

    NAME.poster.jpg   NAME.storyboard-1.jpg …   NAME.storyboard.vtt, whose cues are `NAME.storyboard-1.jpg#xywh=160,0,160,90`

Their names are ours: what is there under them is replaced. The WebVTT comes last and goes first, so that it never tells of a
sheet that is not there, or is another.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import anyio.to_thread

from ouzel.base.errors import BadOption, Unsupported
from ouzel.engine import ledgers
from ouzel.engine.afterwards.companions import place, stamp_vtt
from ouzel.engine.convert import NICE, OnProgress, ignore
from ouzel.engine.modern import feeder
from ouzel.engine.probe import ask, probe
from ouzel.engine.probing import PIPE
from ouzel.engine.sinks.file import CONVERTING, PART, storage_error

MOST = 2000
"""Small pictures of one file: of 24 hours one for each 43 s, on twenty sheets of together some 4 MB."""
_TAIL = 0.2
"""Of the time of a picture, that gets none of its own at the end."""
_COLUMNS = _ROWS = 10
_LEAST_WIDTH, _MOST_WIDTH = 64, 480
_MOST_POSTER = 4096
_MODULE = "ouzel.engine.afterwards.drawing"


@dataclass(frozen=True, slots=True)
class PicturesWish:
    every_s: float = 10.0
    """Of the storyboard; more where there would be more than `MOST` pictures."""
    width: int = 160
    """The longer side of its small pictures."""
    poster_width: int = 1280
    """The longer side of the poster, at most: it is not made larger."""


@dataclass(frozen=True, slots=True)
class Pictures:
    poster: Path
    sheets: tuple[Path, ...]
    storyboard: Path
    """The WebVTT."""
    warnings: tuple[str, ...] = ()


def check_pictures(wish: PicturesWish) -> None:
    """Raises: BadOption for what makes no sense."""
    if not 0.5 <= wish.every_s <= 3600:
        raise BadOption(f"a picture each {wish.every_s:g} s makes no sense: 0.5 to 3600 do")
    if not _LEAST_WIDTH <= wish.width <= _MOST_WIDTH:
        raise BadOption(f"small pictures are {_LEAST_WIDTH} to {_MOST_WIDTH} pixels wide, not {wish.width}")
    if not _LEAST_WIDTH <= wish.poster_width <= _MOST_POSTER:
        raise BadOption(f"a poster is {_LEAST_WIDTH} to {_MOST_POSTER} pixels wide, not {wish.poster_width}")


async def make_pictures(
    source: Path, wish: PicturesWish | None = None, *, on_progress: OnProgress | None = None, nice: int = NICE
) -> Pictures:
    """Poster and storyboard of a closed file, beside it. Those of the same file by the same wish are taken as they are.

    Raises: BadOption, InputError; Unsupported where there is no picture in it; MediaError, StorageError.
    """
    wish = wish or PicturesWish()
    check_pictures(wish)
    work = _Work(source, wish, on_progress or ignore, nice)
    return await work.run()


@dataclass(frozen=True, slots=True)
class _Work:
    source: Path
    wish: PicturesWish
    on_progress: OnProgress
    nice: int

    async def run(self) -> Pictures:
        note = await anyio.to_thread.run_sync(self._note)
        if (there := await anyio.to_thread.run_sync(self._there, note)) is not None:
            self.on_progress(1.0)
            return there
        duration_s, fed_by = await self._look()
        every_s = max(self.wish.every_s, duration_s / MOST)
        plan = {
            "duration_s": duration_s,
            "every_s": every_s,
            "count": max(1, math.ceil(duration_s / every_s - _TAIL)),
            "box": self.wish.width,
            "poster": [str(self._named("poster.jpg", CONVERTING)), self.wish.poster_width],
            "sheet": str(self._named("storyboard-{}.jpg", CONVERTING, literal=True)),
            "columns": _COLUMNS,
            "rows": _ROWS,
        }
        try:
            args = [PIPE if fed_by else str(self.source), json.dumps(plan)]
            doc = await ask(_MODULE, args, self.source, self.on_progress, self.nice, fed_by)
            made = await anyio.to_thread.run_sync(self._settle, doc, note)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._clear)
        self.on_progress(1.0)
        return made

    def _note(self) -> str:
        """What the pictures are made of, and how; stands in their WebVTT. Raises: InputError."""
        ledgers.check_media(self.source)
        if self.source.name.endswith(PART):
            raise BadOption(f"{self.source} is not closed yet")
        wish, size = self.wish, self.source.stat().st_size
        name = self.source.name.replace("-->", "")
        return f"{name}, {size} bytes: each {wish.every_s:g} s, {wish.width} and {wish.poster_width} pixels"

    def _there(self, note: str) -> Pictures | None:
        """What was made before: the WebVTT is written when all else has its name."""
        board, poster = self._named("storyboard.vtt"), self._named("poster.jpg")
        try:
            told = board.read_text()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        sheets = tuple(self._sheets())
        named = [quote(sheet.name) for sheet in sheets]
        whole = f"NOTE {note}\n" in told and bool(named) and all(f"{name}#" in told for name in named)
        counted = told.count("#xywh=0,0,")
        return Pictures(poster, sheets, board) if whole and counted == len(named) and poster.exists() else None

    async def _look(self) -> tuple[float, list[str] | None]:
        """How long it is, and what reads it for ffmpeg. Raises: Unsupported."""
        fed_by = await anyio.to_thread.run_sync(feeder, self.source)
        found = await probe(self.source, depth="header", fed_by=fed_by, nice=self.nice)
        if found.video is None:
            raise Unsupported(f"there is no picture in {self.source}")
        if not (duration_s := found.duration_s or 0.0):
            duration_s = (await probe(self.source, fed_by=fed_by, nice=self.nice)).media_s
        return duration_s, fed_by

    def _settle(self, doc: dict[str, Any], note: str) -> Pictures:
        """All is drawn: give it its names. Runs in a worker thread."""
        board, poster = self._named("storyboard.vtt"), self._named("poster.jpg")
        drawn = [Path(path) for path in doc["sheets"]]
        sheets = [path.with_name(path.name.removesuffix(CONVERTING)) for path in drawn]
        text = "\n".join(_webvtt(doc["places"], [sheet.name for sheet in sheets], doc["width"], doc["height"], note))
        written = board.with_name(board.name + CONVERTING)
        try:
            written.write_text(text, encoding="utf-8")
            board.unlink(missing_ok=True)
            for old in self._sheets():
                old.unlink()
            pairs = [*zip(drawn, sheets, strict=True), (poster.with_name(poster.name + CONVERTING), poster)]
            place([*pairs, (written, board)])
        except OSError as exc:
            raise storage_error(exc, board) from exc
        warnings = ("all pictures are dark, or show nothing",) if doc["dark"] else ()
        return Pictures(poster, tuple(sheets), board, warnings)

    def _named(self, ending: str, more: str = "", *, literal: bool = False) -> Path:
        """`literal`: braces in the name of the source stand for themselves."""
        stem = self.source.stem.replace("{", "{{").replace("}", "}}") if literal else self.source.stem
        return self.source.with_name(f"{stem}.{ending}{more}")

    def _sheets(self, more: str = "") -> Iterator[Path]:
        """Those that are there, in their order; numbers have no holes."""
        number = 1
        while (path := self._named(f"storyboard-{number}.jpg", more)).exists():
            yield path
            number += 1

    def _clear(self) -> None:
        for path in (
            *self._sheets(CONVERTING),
            *(self._named(e, CONVERTING) for e in ("poster.jpg", "storyboard.vtt")),
        ):
            path.unlink(missing_ok=True)


def _webvtt(
    places: Sequence[Sequence[float]], sheets: Sequence[str], width: int, height: int, note: str
) -> Iterator[str]:
    """Lines. `places`: from, to (seconds), and which picture; each has its own place on the sheets."""
    yield from ("WEBVTT", "", f"NOTE {note}", "")
    for number, (from_s, to_s, _picture) in enumerate(places):
        sheet, cell = divmod(number, _COLUMNS * _ROWS)
        x, y = cell % _COLUMNS * width, cell // _COLUMNS * height
        yield f"{stamp_vtt(from_s)} --> {stamp_vtt(to_s)}"
        yield from (f"{quote(sheets[sheet])}#xywh={x},{y},{width},{height}", "")
