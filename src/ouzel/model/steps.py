"""What steps there are for a pipeline, and which fields each has. `docs/reference/pipelines.md` tells them to users."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ouzel.base.errors import BadOption

MOVE = "move"
_MOST_TEXT = 500
_KINDS: Mapping[type, str] = MappingProxyType({bool: "boolean", int: "integer", float: "number"})


@dataclass(frozen=True, slots=True)
class Field:
    """What a field of a step may be."""

    usual: bool | int | float | str | None
    """None: it has to be given."""
    doc: str
    choices: tuple[str, ...] = ()
    """Of a text."""
    least: float = 0
    most: float = 0
    """Of a number."""

    def parse(self, name: str, value: object) -> bool | int | float | str:
        """Raises: BadOption."""
        match self.usual:
            case bool():
                if not isinstance(value, bool):
                    raise BadOption(f"{name} is true or false")
                return value
            case int() | float():
                return self._number(name, value)
            case _:
                return self._text(name, value)

    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        kind = _KINDS.get(type(self.usual), "string")
        span = self._span() if kind in {"integer", "number"} else {}
        usual = {} if self.usual is None else {"default": self.usual}
        return {
            "type": kind,
            **({"enum": [*self.choices]} if self.choices else {}),
            **span,
            **usual,
            "description": self.doc,
        }

    def _span(self) -> dict[str, Any]:
        span = {"minimum": self.least, "maximum": self.most}
        apart = isinstance(self.usual, (int, float)) and not self.least <= self.usual <= self.most
        return {"anyOf": [{"const": self.usual}, span]} if apart else span

    def _number(self, name: str, value: object) -> int | float:
        whole = isinstance(self.usual, int)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise BadOption(f"{name} is a number")
        if whole and value != int(value):
            raise BadOption(f"{name} is a whole number")
        if value != self.usual and not self.least <= value <= self.most:
            raise BadOption(f"{name} is from {self.least:g} to {self.most:g}")
        return int(value) if whole else float(value)

    def _text(self, name: str, value: object) -> str:
        if not isinstance(value, str) or len(value) > _MOST_TEXT or not value.isprintable():
            raise BadOption(f"{name} is a text of one line, with {_MOST_TEXT} characters at most")
        if self.choices and value not in self.choices:
            raise BadOption(f"{name} is {', '.join(each for each in self.choices if each)}, not {value[:40]!r}")
        if self.usual is None and not value.strip():
            raise BadOption(f"{name} may not be empty")
        return value


_FORMATS = ("mp4", "mkv", "ts", "flv", "m4a", "mp3")
_HARDWARE = ("off", "auto", "nvenc", "qsv", "vaapi", "videotoolbox", "v4l2m2m")
_PLACES = ("top-left", "top-right", "bottom-left", "bottom-right", "center")
_KEEP = Field(False, "keep what it was made of")


@dataclass(frozen=True, slots=True)
class Shape:
    """What is the same for all steps of a kind."""

    queue: str
    """In which its jobs are."""
    doc: str
    fields: Mapping[str, Field]
    goes_on: bool = False
    """When such a step has failed, the next one is begun all the same."""


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "remux": Shape(
            "media", "another container, without re-encoding",
            {"format": Field("mp4", "of what is made; m4a and mp3 keep sound only", _FORMATS), "keep": _KEEP},
        ),
        "convert": Shape(
            "media", "H.264, HEVC or AV1; smaller; sound only; a text or picture on it",
            {
                "format": Field("mp4", "of what is made; m4a, mp3 and opus keep sound only", (*_FORMATS, "opus")),
                "video": Field("h264", "codec of the picture", ("h264", "hevc", "av1")),
                "quality": Field(-1, "of the codec's own scale, the smaller the better; -1: its usual one", (), 0, 63),
                "height": Field(0, "in lines; never enlarged; 0: as it is", (), 64, 8640),
                "audio": Field("copy", "codec of the sound; copy: as it is, where the format holds it", ("copy", "aac", "none")),
                "watermark": Field("", "a text, or the absolute path of a picture; empty: none"),
                "watermark_place": Field("top-right", "where it is", _PLACES),
                "watermark_size": Field(0.05, "its height as a share of the picture's", (), 0.005, 1),
                "watermark_opacity": Field(0.7, "1: nothing is seen through it", (), 0.05, 1),
                "watermark_font": Field("", "file of a font; empty: one of this machine that has all characters of the text"),
                "hardware": Field("off", "encoder of the machine; auto: one that works, else software", _HARDWARE),
                "keep": _KEEP,
            },
        ),
        "join": Shape(
            "media", "one file of all, where their codecs match",
            {"format": Field("mp4", "of what is made", _FORMATS[:4]), "keep": _KEEP},
        ),
        "thumbnails": Shape(
            "media", "a poster, and sheets of small pictures with their WebVTT",
            {
                "every_s": Field(10.0, "between two small pictures", (), 0.5, 3600),
                "width": Field(160, "longer side of a small picture", (), 64, 480),
                "poster_width": Field(1280, "longer side of the poster, at most", (), 64, 4096),
            },
            goes_on=True,
        ),
        "clock": Shape(
            "media", "subtitles that tell the wall clock",
            {
                "format": Field("srt", "of the subtitles", ("srt", "vtt")),
                "template": Field("{date} {time}", "with {date}, {time}, {zone}, {position}"),
                "gap_template": Field(
                    "[{missing} s missing, {from} to {to}]", "with {missing}, {from}, {to}, {why}; empty: gaps are not told"
                ),
                "every_s": Field(1.0, "between two times", (), 0.5, 3600),
                "zone": Field("", "time zone, such as Asia/Shanghai; empty: the machine's"),
            },
            goes_on=True,
        ),
        "upload": Shape(
            "transfer", "copies at a remote",
            {
                "to": Field(None, "name of the remote"),
                "path": Field("", "template of the folder there, in which files keep their names; empty: as here"),
                "remove_local": Field(False, "put what lies here into the trash once its copy was verified"),
            },
        ),
        MOVE: Shape("transfer", "the files on another storage root", {"to": Field(None, "name of the storage root")}),
        "command": Shape(
            "hooks", "whatever a hook of the configuration file does", {"hook": Field(None, "its name: [hooks.NAME]")}
        ),
    }
)  # fmt: skip
