"""A text or a picture on each picture of a video."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import anyio.to_thread

from ouzel.base.errors import BadOption, MediaError, ToolError
from ouzel.engine import ledgers
from ouzel.engine.probe import probe
from ouzel.system.process import run

Place: TypeAlias = Literal["top-left", "top-right", "bottom-left", "bottom-right", "center"]

PLACES: tuple[Place, ...] = get_args(Place)
_MOST_TEXT = 200
_PICTURES = frozenset({"png", "mjpeg", "webp", "bmp", "gif"})
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts", "~/.fonts")
_FONTS = frozenset({".ttf", ".otf", ".ttc"})
_LIKED = ("NotoSans-Regular", "DejaVuSans.", "LiberationSans-Regular", "Arial.", "Helvetica.")
_ROW = re.compile(r"%\d*d")
_IN_VALUE, _IN_GRAPH = re.compile(r"([\\':])"), re.compile(r"([\\'\[\],;])")


@dataclass(frozen=True, slots=True)
class Watermark:
    """Either a text or a picture."""

    text: str = ""
    picture: Path | None = None
    """PNG (with transparency), JPEG, WebP, BMP or GIF."""
    place: Place = "top-right"
    opacity: float = 0.7
    """Above 0, up to 1."""
    margin: int = 24
    """Pixels between it and the edges."""
    size: float = 0.05
    """Its height as a share of the video's, above 0 and up to 1. Of a text the height of its letters."""
    font: str = ""
    """File of the font; empty: one of this machine that has all characters of the text."""


async def check_watermark(mark: Watermark) -> str:
    """Whether it can be put on a video here.

    Returns: the file of the font, of a text. Raises: BadOption, InputError.
    """
    if bool(mark.text.strip()) == (mark.picture is not None):
        raise BadOption("a watermark is a text or a picture: one of them")
    if mark.place not in PLACES:
        raise BadOption(f"{mark.place!r} is no place for a watermark; there are {', '.join(PLACES)}")
    if not 0 < mark.opacity <= 1 or not 0 < mark.size <= 1:
        raise BadOption("opacity and size of a watermark are above 0, and 1 at most")
    if not 0 <= mark.margin <= 10_000:
        raise BadOption(f"a margin of {mark.margin} pixels makes no sense")
    if mark.picture is not None:
        return await _check_picture(mark.picture)
    if len(mark.text) > _MOST_TEXT or not all(c.isprintable() or c == "\n" for c in mark.text):
        raise BadOption(f"the text of a watermark has at most {_MOST_TEXT} characters, all of them printable")
    return await _font(mark)


async def _check_picture(path: Path) -> str:
    ledgers.check_media(path)
    if _ROW.search(path.name):
        raise BadOption(f"the watermark {path} has the name of a row of pictures (%d): rename it")
    try:
        found = (await probe(path, depth="header")).video
    except MediaError as exc:
        raise BadOption(f"the watermark {path} is no picture: {exc}") from exc
    if found is None or found.codec not in _PICTURES or not found.height:
        raise BadOption(f"the watermark {path} is no picture in PNG, JPEG, WebP, BMP or GIF")
    return ""


async def _font(mark: Watermark) -> str:
    if mark.font:
        return await anyio.to_thread.run_sync(_named_font, Path(mark.font))
    needed = " ".join(sorted({f"{ord(c):x}" for c in mark.text if not c.isspace()}))
    try:
        listed = await run(["fc-list", "--format", "%{file}\n", f":charset={needed}"], timeout_s=20.0)
        fonts = listed.stdout.decode("utf-8", "replace").splitlines()
    except ToolError:  # without fontconfig nobody knows which characters a font has
        fonts = await anyio.to_thread.run_sync(_all_fonts) if mark.text.isascii() else []
    fonts = sorted(path for path in fonts if Path(path).suffix.lower() in _FONTS)
    if not fonts:
        raise BadOption(f"no font here is known to have all characters of {mark.text!r}: install one, or name its file")
    return next((path for name in _LIKED for path in fonts if Path(path).name.startswith(name)), fonts[0])


def _named_font(path: Path) -> str:
    path = path.expanduser()
    ledgers.check_media(path)
    if path.suffix.lower() not in _FONTS:
        raise BadOption(f"{path} is no font: a TTF, OTF or TTC file is needed")
    return str(path)


def _all_fonts() -> list[str]:
    return [str(path) for folder in _FONT_FOLDERS for path in Path(folder).expanduser().rglob("*")]


def draw(mark: Watermark, font: str, height: int) -> str:
    """The filters, from the pictures of a video of this height to those with the watermark. Pure."""
    if mark.picture is None:
        x, y = _at(mark, "w", "h", "text_w", "text_h")
        return (
            f"drawtext=fontfile={_value(font)}:expansion=none:text={_value(mark.text)}:fontsize={_pixels(mark, height)}"
            f":fontcolor=white@{mark.opacity:g}:borderw=1:bordercolor=black@{mark.opacity / 2:g}:x={x}:y={y}"
        )
    x, y = _at(mark, "main_w", "main_h", "overlay_w", "overlay_h")
    return (
        f"null[main];movie=filename={_value(f'file:{mark.picture}')},format=rgba,colorchannelmixer=aa={mark.opacity:g},"
        f"scale=-1:{_pixels(mark, height)}[mark];[main][mark]overlay=x={x}:y={y}:format=auto"
    )


def _pixels(mark: Watermark, height: int) -> int:
    return max(2, round(mark.size * height))


def _at(mark: Watermark, width: str, height: str, own_width: str, own_height: str) -> tuple[str, str]:
    if mark.place == "center":
        return f"({width}-{own_width})/2", f"({height}-{own_height})/2"
    upright, side = mark.place.split("-")
    x = str(mark.margin) if side == "left" else f"{width}-{own_width}-{mark.margin}"
    y = str(mark.margin) if upright == "top" else f"{height}-{own_height}-{mark.margin}"
    return x, y


def _value(text: str) -> str:
    """As the value of an option of a filter, inside a graph: two parsers take marks away, one after the other."""
    return _IN_GRAPH.sub(r"\\\1", _IN_VALUE.sub(r"\\\1", text))
