"""Where settings come from: the file, the environment, options of a command. Each as one document, with the place of each key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from ouzel.base.errors import BadConfig
from ouzel.config.schema import Keys
from ouzel.config.values import Place

PREFIX = "OUZEL_"
BETWEEN = "__"
_MOST_BYTES = 1024 * 1024
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
Kind: TypeAlias = Literal["option", "environment", "file", "default"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from."""

    kind: Kind
    name: str = ""
    """Of the option, the variable or the file."""
    line: int | None = None

    def __str__(self) -> str:
        match self.kind:
            case "file":
                return f"{self.name}, line {self.line}"
            case "environment":
                return f"{self.name} in the environment"
            case _:
                return self.name or self.kind


@dataclass(frozen=True, slots=True)
class Override:
    """An option of a command that goes before everything else."""

    option: str
    """`--port`."""
    key: str
    """`server.port`."""
    text: str


@dataclass(frozen=True)
class Source:
    """One document. What an earlier source says goes before what a later one does."""

    doc: Mapping[str, Any]
    place: Place
    names: Mapping[Keys, str] = field(default_factory=dict[Keys, str])
    """Of the options or variables."""
    path: Path | None = None
    text: str = ""
    """Of the file."""

    def origin(self, keys: Keys) -> Origin:
        """Of a key, or a table, that it has, as it spells them."""
        if self.path is not None:
            return Origin("file", str(self.path), self._lines.get(keys, 0))
        name = self.names.get(keys) or next((n for k, n in self.names.items() if k[: len(keys)] == keys), "")
        return Origin("environment" if name.upper().startswith(PREFIX) else "option", name)

    @cached_property
    def _lines(self) -> Mapping[Keys, int]:
        return lines_of(self.text)


def file_source(path: Path) -> Source:
    """Blocking. Raises: BadConfig."""
    text = _read(path)
    return Source(_parse(text, path), Place(path.absolute().parent), path=path, text=text)


def environment_source(variables: Mapping[str, str]) -> Source:
    """Names have `__` between tables and key. One that is empty is as if it were not there."""
    given = {
        tuple(name[len(PREFIX) :].lower().split(BETWEEN)): name
        for name, value in variables.items()
        if name.upper().startswith(PREFIX) and BETWEEN in name and value
    }
    doc = _nested({keys: variables[name] for keys, name in given.items()})
    return Source(doc, Place(Path.cwd(), is_text=True), given)


def option_source(overrides: Sequence[Override]) -> Source:
    names = {tuple(each.key.split(".")): each.option for each in overrides}
    doc = _nested({tuple(each.key.split(".")): each.text for each in overrides})
    return Source(doc, Place(Path.cwd(), is_text=True), names)


def lines_of(text: str) -> dict[Keys, int]:
    """On which line the statement begins that first gives a value to each key, or to something in each table.

    The reader of TOML tells no places: it is asked about one statement after the other.
    """
    found: dict[Keys, int] = {}
    header, held, begins = "", "", 1
    for number, line in enumerate(text.split("\n"), 1):
        held = f"{held}\n{line}" if held else line
        try:
            doc = tomllib.loads(f"{header}\n{held}")
        except tomllib.TOMLDecodeError:
            continue  # in the midst of a statement
        if held.lstrip().startswith("["):
            header = held
            doc = tomllib.loads(header)
        for keys in _paths(doc):
            found.setdefault(keys, begins)
        held, begins = "", number + 1
    return found


def _paths(doc: object, above: Keys = ()) -> Iterator[Keys]:
    if isinstance(doc, dict):
        for name, value in cast("Mapping[str, object]", doc).items():
            yield (*above, name)
            yield from _paths(value, (*above, name))


def _nested(values: Mapping[Keys, str]) -> dict[str, Any]:
    """Where one variable makes a value of what is a table by another, the table is left out: the value is wrong, and told of."""
    doc: dict[str, Any] = {}
    for keys in sorted(values, key=len, reverse=True):
        table = doc
        for name in keys[:-1]:
            table = table.setdefault(name, {})
        table[keys[-1]] = values[keys]
    return doc


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise BadConfig(f"cannot read the settings in {path}: {(exc.strerror or str(exc)).lower()}") from None
    if len(data) > _MOST_BYTES:
        raise BadConfig(f"{path} is larger than {_MOST_BYTES} bytes: these are no settings")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise BadConfig(f"{path} is not text in UTF-8") from None


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        words, place = str(exc), _PLACE.search(str(exc))
        if place is None or place["line"] is None:
            line, column = text.count("\n") + 1, len(text.rpartition("\n")[2]) + 1
        else:
            line, column = int(place["line"]), int(place["column"])
        raise BadConfig(f"{path}, line {line}, column {column}: no TOML: {_PLACE.sub('', words)}") from None
    except RecursionError:
        raise BadConfig(f"{path} is nested too deeply: these are no settings") from None
