"""Kinds of values: how each is written in the file and in the environment, and read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, NewType, TypeAlias, cast, get_args, get_origin

from ouzel.base.errors import BadOption, BadUrl, SchemeRefused
from ouzel.base.units import parse_duration, parse_size
from ouzel.base.urls import parse_url

Size = NewType("Size", int)
"""Bytes."""
WebAddress = NewType("WebAddress", str)
"""Of http or https; or empty."""
Network: TypeAlias = IPv4Network | IPv6Network

_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_DURATIONS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_SIZES = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"), (1, "B"))


@dataclass(frozen=True, slots=True)
class Within:
    """What a value may be at least, and at most, as one writes it."""

    least: int | str
    most: int | str | None = None
    or_zero: bool = False
    """Nothing at all is also a value: as if it were not set."""


class WrongValue(ValueError):
    """Its words go on from the name of the key, and show no value: `is a text, in quotation marks`."""


@dataclass(frozen=True, slots=True)
class Place:
    """What reading a value depends on, beside its kind."""

    folder: Path
    """Where a path begins that is not absolute."""
    is_text: bool = False
    """Everything here is a text: in the environment, and in options of a command."""


def read(kind: object, given: object, place: Place) -> object:
    """The value that is meant. `kind`: an annotation of a field. Raises: WrongValue."""
    if get_origin(kind) is Annotated:
        base, within = get_args(kind)
        return _bounded(base, read(base, given, place), within, place)
    if get_origin(kind) is tuple:
        return tuple(read(get_args(kind)[0], each, place) for each in _pieces(given, place))
    if get_origin(kind) is Literal:
        if given not in (words := get_args(kind)):
            shown = [repr(word) for word in words]
            raise WrongValue(f"takes {', '.join(shown[:-1])} or {shown[-1]}")
        return given
    if kind is bool or kind is int:
        return _read_plain(kind, given, place)
    if not isinstance(given, str):
        raise WrongValue(_WORDS.get(kind, "is a text, in quotation marks"))
    if kind is Path:
        return place.folder / Path(given).expanduser() if given else Path()
    try:
        return _READERS[kind](given)
    except (ValueError, BadOption, BadUrl, SchemeRefused):
        raise WrongValue(_WORDS[kind]) from None


def as_json(kind: object, value: object) -> object:
    """The value as one writes it: a text, a number, a truth, or a list of these."""
    if get_origin(kind) is Annotated:
        return as_json(get_args(kind)[0], value)
    if isinstance(value, tuple):
        return [as_json(get_args(kind)[0], each) for each in cast("tuple[object, ...]", value)]
    if isinstance(value, timedelta):
        return written_duration(value)
    if kind is Size:
        return _in_units(cast("int", value), _SIZES)
    if isinstance(value, Path):
        return "" if value == Path() else str(value)
    return value if isinstance(value, bool | int | str) else str(value)


def as_toml(kind: object, value: object) -> str:
    """The same, as it stands in the file."""
    return json.dumps(as_json(kind, value), ensure_ascii=False)


def written_duration(value: timedelta) -> str:
    """`90s`, `15m`, `30d`, `1500ms`."""
    seconds = value.total_seconds()
    return _in_units(int(seconds), _DURATIONS) if seconds == int(seconds) else f"{seconds * 1000:g}ms"


def _in_units(count: int, units: tuple[tuple[int, str], ...]) -> str:
    size, unit = next((each for each in units if count and count % each[0] == 0), units[-1])
    return f"{count // size}{unit}"


def _bounded(kind: object, value: object, within: Within, place: Place) -> object:
    least, most = (None if each is None else read(kind, each, place) for each in (within.least, within.most))
    number = cast("int", value)  # or another kind that is ordered
    if within.or_zero and not number:
        return value
    if number < cast("int", least):
        raise WrongValue(f"is at least {within.least}")
    if most is not None and number > cast("int", most):
        raise WrongValue(f"is at most {within.most}")
    return value


def _pieces(given: object, place: Place) -> list[object]:
    """A list; in a text as JSON, or with commas."""
    if isinstance(given, list):
        return cast("list[object]", given)
    if not isinstance(given, str) or not place.is_text:
        raise WrongValue('is a list: ["…", "…"]')
    if not given.lstrip().startswith("["):
        return [piece.strip() for piece in given.split(",") if piece.strip()]
    try:
        return cast("list[object]", json.loads(given))
    except ValueError:
        raise WrongValue('is a list: ["…", "…"]') from None


def _read_plain(kind: object, given: object, place: Place) -> object:
    """A truth or a whole number."""
    if place.is_text and isinstance(given, str):
        word = given.strip().lower()
        if kind is bool and word in _TRUTH:
            return _TRUTH[word]
        if kind is int and word.isascii() and word.removeprefix("-").isdecimal() and len(word) < len(str(1 << 63)):
            return int(word)
    elif isinstance(given, int) and isinstance(given, bool) == (kind is bool):
        return given
    raise WrongValue("is true or false" if kind is bool else "is a whole number, without quotation marks")


def _duration(text: str) -> timedelta:
    return timedelta(seconds=parse_duration(_with_unit(text)))


def _size(text: str) -> Size:
    return Size(parse_size(_with_unit(text)))


def _with_unit(text: str) -> str:
    """Raises: ValueError for a bare number, of which nobody knows what it counts."""
    if text.strip()[-1:].isdecimal() and ":" not in text:
        raise ValueError(text)
    return text


def _web_address(text: str) -> WebAddress:
    if text:
        parse_url(text)
    return WebAddress(text.rstrip("/"))


_READERS: Mapping[object, Callable[[str], object]] = {
    str: str,
    timedelta: _duration,
    Size: _size,
    WebAddress: _web_address,
    Network: lambda text: ip_network(text.strip(), strict=False),
}
_WORDS: Mapping[object, str] = {
    timedelta: 'is a duration with its unit, in quotation marks: "90s", "1h30m"',
    Size: 'is a size with its unit, in quotation marks: "500MB", "5GiB"',
    WebAddress: "is an address that begins with http:// or https://, in quotation marks",
    Network: 'has addresses or networks, in quotation marks: "10.0.0.0/8"',
}
