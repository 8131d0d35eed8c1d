"""How a channel is watched and recorded: one class with every setting, and the layers from which its values come."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast, get_args

from ouzel.base.errors import BadOption
from ouzel.model.choice import CODECS
from ouzel.model.naming import CHANNEL_FIELDS, DEFAULT_TEMPLATE, check_template
from ouzel.model.schedule import DAYS, Window

Mode: TypeAlias = Literal["record", "notify", "manual"]
"""Record what goes live; only tell; only show, until somebody says so."""
Format: TypeAlias = Literal["", "ts", "mkv", "mp4", "flv", "mp3", "m4a"]
SECRETS = frozenset({"cookies", "password", "headers", "proxy"})
"""Stored encrypted, and never shown."""
MOST_WORDS = 200
LEAST_INTERVAL_S = 5.0
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """All of them, with their defaults. Times in seconds, sizes in bytes; 0 is never, none, no limit."""

    mode: Mode = "record"
    """record: what goes live; notify: tell only; manual: record when somebody says so."""
    quality: tuple[str, ...] = ("best",)
    """best, worst, audio, original … ld, 1080p60, 2500kbps, or a platform's own name; where there is none such, the next one
    here; after the last the nearest."""
    codecs: tuple[str, ...] = ()
    """Preferred, the first most: h264, hevc, av1, vp9."""
    refuse_codecs: tuple[str, ...] = ()
    """Never recorded."""
    cdn: str = ""
    """Preferred among equal streams."""
    format: Format = ""
    """Container of finished files; empty: as it comes."""
    keep_original: bool = False
    """Keep the file as it came when another format was made of it."""
    split_after_s: float = 0.0
    """Go on in a new file after this much media."""
    split_bytes: int = 0
    """Go on in a new file before this size."""
    split_on_title: bool = False
    """Go on in a new file when the title or category changes; else that is a chapter."""
    max_duration_s: float = 0.0
    """Longest recording of one broadcast."""
    from_start: bool = False
    """Begin with the oldest segment that the server still has."""
    keep_ads: bool = False
    """Record also what the platform marks as advertisements."""
    schedule: tuple[Window, ...] = ()
    """Hours in which it is watched and recorded; none: always."""
    time_zone: str = ""
    """Of the schedule, such as Asia/Shanghai; empty: the machine's."""
    title_include: tuple[str, ...] = ()
    """Record only what has one of these in its title; a word, or /a regular expression/. Upper and lower case are equal."""
    title_exclude: tuple[str, ...] = ()
    """Record nothing that has one of these in its title."""
    category_include: tuple[str, ...] = ()
    category_exclude: tuple[str, ...] = ()
    interval_s: float = 0.0
    """How often it is asked about; 0: by the hours at which it usually goes live."""
    park_s: float = 80.0
    """How long a dropped broadcast may take to come back."""
    priority: int = 0
    """The greater goes first where not all can."""
    proxy: str = field(default="", repr=False)
    """`http://`, `socks5://`, `socks5h://`; `direct`: none, whatever is set above."""
    user_agent: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Sent with its media."""
    cookies: str = field(default="", repr=False)
    """As a Cookie header."""
    login: str = ""
    password: str = field(default="", repr=False)
    verify_tls: bool = True
    """Off: certificates are not looked at."""
    template: str = "{folder}/" + DEFAULT_TEMPLATE
    """Path of its files from the storage root on."""
    root: str = "recordings"
    """Name of the storage root."""
    policy: str = ""
    """Name of the rule that deletes its recordings; empty: none does."""
    pipeline: str = ""
    """Name of the pipeline that is run over its recordings when they are over; empty: none."""
    pin: bool = False
    """Its recordings are kept, whatever the rule says."""
    hooks: tuple[str, ...] = ()
    """Names of hooks of the configuration file that are run for it."""


DEFAULTS = ChannelSettings()
NAMES = tuple(each.name for each in fields(ChannelSettings))
_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "split_after_s": (1.0, 30 * 86400.0), "split_bytes": (1 << 20, 1 << 50), "max_duration_s": (1.0, 366 * 86400.0),
        "interval_s": (LEAST_INTERVAL_S, 86400.0), "park_s": (0.0, 86400.0), "priority": (-1000, 1000),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Effective:
    """What counts for one channel, and where each value comes from."""

    settings: ChannelSettings
    sources: Mapping[str, str]
    """For each name: `channel`, `platform:NAME`, `global`, `file`, `default`."""


def effective(layers: Sequence[tuple[str, Mapping[str, Any]]]) -> Effective:
    """Args: layers: name and values of each, the nearest first; values as `parse_layer` gives them."""
    sources = {name: next((source for source, values in layers if name in values), "default") for name in NAMES}
    chosen: dict[str, Any] = {}
    for _, values in reversed(layers):
        chosen |= values
    return Effective(ChannelSettings(**chosen), sources)


def parse_layer(doc: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values as fields of `ChannelSettings`. Raises: BadOption, whose context has `pointer`: where in `doc`."""
    values: dict[str, Any] = {}
    for name, value in doc.items():
        try:
            values[name] = _parse(name, value)
        except BadOption as exc:
            exc.context.setdefault("pointer", f"/{name}")
            raise
    return values


def render_layer(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as JSON values."""
    return {name: _render(value) for name, value in values.items()}


def wants(settings: ChannelSettings, title: str, category: str) -> str | None:
    """Why the filters do not want it, as a code; None: they do."""
    for text, include, exclude, code in (
        (title, settings.title_include, settings.title_exclude, "title"),
        (category, settings.category_include, settings.category_exclude, "category"),
    ):
        if any(_fits(text, word) for word in exclude) or (include and not any(_fits(text, word) for word in include)):
            return code
    return None


def _fits(text: str, word: str) -> bool:
    if len(word) > 2 and word[0] == word[-1] == "/":
        return re.search(word[1:-1], text, re.IGNORECASE) is not None
    return word.casefold() in text.casefold()


def _parse(name: str, value: object) -> object:
    default = getattr(DEFAULTS, name, None)
    if name not in NAMES:
        near = get_close_matches(name, NAMES, 1)
        raise BadOption(f"there is no setting {name[:40]}{f'; did you mean {near[0]}?' if near else ''}")
    match name, default:
        case "schedule", _:
            return tuple(Window.parse(each) for each in _list(name, value))
        case "headers", _:
            return tuple(_header(each) for each in _list(name, value))
        case _, bool():
            if not isinstance(value, bool):
                raise BadOption(f"{name} is true or false")
            return value
        case _, int() | float():
            return _number(name, value, type(default))
        case _, tuple():
            return _words(name, value)
        case _:
            if not isinstance(value, str) or len(value) > 8192 or any(c in value for c in "\r\n\0"):
                raise BadOption(f"{name} is a text of one line")
            return _text(name, value)


def _number(name: str, value: object, kind: type[int | float]) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (kind is int and value != int(value)):
        raise BadOption(f"{name} is a {'whole ' if kind is int else ''}number")
    least, most = _RANGES[name]
    if value != 0 and not least <= value <= most:
        raise BadOption(f"{name} is 0, or from {least:g} to {most:g}")
    return kind(value)


def _list(name: str, value: object) -> Sequence[object]:
    if not isinstance(value, (list, tuple)):
        window = '{"days": ["sat"], "from": "20:00", "to": "02:00"}'
        entry = {"headers": '["Name", "value"]', "schedule": window}.get(name, '"…"')
        raise BadOption(f"{name} is a list: [{entry}, …]")
    items = cast("Sequence[object]", value)
    if len(items) > MOST_WORDS:
        raise BadOption(f"{name} has {len(items)} entries; the most is {MOST_WORDS}")
    return items


def _words(name: str, value: object) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) and name == "quality" else _list(name, value)
    found: list[str] = []
    for word in words:
        if not isinstance(word, str) or not word.strip() or len(word) > 500:
            raise BadOption(f"{name} is a list of texts")
        found.append(word.strip())
    if name in {"codecs", "refuse_codecs"} and (unknown := [w for w in found if w not in CODECS]):
        raise BadOption(f"{name}: {unknown[0][:20]} is no codec; there are {', '.join(CODECS)}")
    if name == "quality" and not found:
        raise BadOption("quality is a list with one entry at least, such as best")
    if name.endswith(("_include", "_exclude")):
        for word in found:
            _check_pattern(name, word)
    return tuple(found)


def _check_pattern(name: str, word: str) -> None:
    try:
        _fits("", word)
    except re.error as exc:
        raise BadOption(f"{name}: {word[:60]} is no regular expression: {exc}") from exc


def _text(name: str, value: str) -> str:
    if name == "mode" and value not in ("record", "notify", "manual"):
        raise BadOption("mode is record, notify or manual")
    if name == "format" and value not in ("", "ts", "mkv", "mp4", "flv", "mp3", "m4a"):
        raise BadOption("format is ts, mkv, mp4, flv, mp3, m4a, or empty: as it comes")
    if name == "template":
        check_template(value, CHANNEL_FIELDS)
    return value


def _header(entry: object) -> tuple[str, str]:
    pair = cast("Sequence[object]", entry)
    if not isinstance(entry, (list, tuple)) or len(pair) != 2 or not all(isinstance(each, str) for each in pair):
        raise BadOption('headers are a list of ["Name", "value"]')
    header, value = str(pair[0]).strip(), str(pair[1]).strip()
    if not _HEADER_NAME.fullmatch(header) or any(c in value for c in "\r\n\0"):
        raise BadOption('headers are a list of ["Name", "value"], each on one line')
    return header, value


def _render(value: object) -> object:
    match value:
        case Window():
            return value.doc()
        case tuple():
            return [_render(each) for each in cast("tuple[object, ...]", value)]
        case _:
            return value


def json_schema(docs: Mapping[str, str]) -> dict[str, Any]:
    """Of a layer, as JSON Schema. `docs`: what each setting is for."""
    properties = {
        each.name: {
            **_shape(each.name, getattr(DEFAULTS, each.name)),
            "default": _render(getattr(DEFAULTS, each.name)),
            "description": docs.get(each.name, ""),
        }
        for each in fields(ChannelSettings)
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _shape(name: str, default: object) -> dict[str, Any]:
    """What `_parse` takes."""
    choices = {"mode": get_args(Mode), "format": get_args(Format)}.get(name)
    secret: dict[str, Any] = {"writeOnly": True} if name in SECRETS else {}
    match default:
        case bool():
            return {"type": "boolean"}
        case int() | float():
            least, most = _RANGES[name]
            span = {"type": "integer" if isinstance(default, int) else "number", "minimum": least, "maximum": most}
            return span if least <= 0 else {"anyOf": [{"const": 0}, span]}
        case tuple():
            return {"type": "array", "items": _items(name), "maxItems": MOST_WORDS, **secret}
        case _:
            return {"type": "string", **({"enum": [*choices]} if choices else {}), **secret}


def _items(name: str) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    if name == "schedule":
        day = {"type": "string", "enum": [*DAYS]}
        return {"type": "object", "properties": {"days": {"type": "array", "items": day}, "from": text, "to": text}}
    if name == "headers":
        return {"type": "array", "items": text, "minItems": 2, "maxItems": 2}
    return {**text, "enum": [*CODECS]} if name in {"codecs", "refuse_codecs"} else text
