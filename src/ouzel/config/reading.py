"""Reading `ouzel.toml`, and saying what is wrong with it: file, line, and the nearest word that would be right."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ouzel.base.errors import BadConfig
from ouzel.config.settings import PlatformDefaults, PlatformSettings, PlatformTables, Settings

_MOST_BYTES = 1024 * 1024
_LISTS = frozenset({"codecs", "refuse_codecs"})
_OWN = {
    "cookies": "cookies are",
    "login": "a login is",
    "password": "a password is",
    "password_file": "a password_file is",
}
"""Keys that no two platforms have in common."""
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
Keys: TypeAlias = tuple[str, ...]


class _Tables(BaseModel):
    """What all of `[platforms]` has in common; its keys are fields of a class that is made below."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _tidied(cls, given: object) -> object:
        """Names as fields are called, and lists that are one text, as the environment has them."""
        if not isinstance(given, dict):
            return given
        return {
            _field(key): _split(_table(cast("object", each))) if isinstance(each, dict) else each
            for key, each in _split(_table(cast("object", given))).items()
        }


class _Whole(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="OUZEL_", env_nested_delimiter="__", enable_decoding=False, extra="forbid", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - they are called by their names
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings  # what is handed in stands in the file


def read_settings(path: Path | None, platforms: Collection[str]) -> Settings:
    """The file, and the environment before it; blocking.

    Args:
        platforms: the names that there are.
    Raises: BadConfig, which shows no value.
    """
    text = _read(path) if path else ""
    doc = _parse(text, path)
    try:
        whole = _model(platforms)(**doc)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        words = [_explain(cast("Mapping[str, Any]", each), text, path, platforms) for each in errors]
        raise BadConfig("; ".join(words)) from None
    table = cast("Any", whole).platforms
    defaults = PlatformDefaults(**{each.name: getattr(table, each.name) for each in fields(PlatformDefaults)})
    named: frozenset[str] = table.model_fields_set
    return Settings(
        PlatformTables(defaults, {n: getattr(table, _field(n)) for n in platforms if _field(n) in named}), path
    )


def _model(platforms: Collection[str]) -> type[_Whole]:
    hints = get_type_hints(PlatformDefaults)
    table: dict[str, Any] = {each.name: (hints[each.name], each.default) for each in fields(PlatformDefaults)}
    table |= {_field(name): (PlatformSettings, PlatformSettings()) for name in platforms}
    tables = create_model("Platforms", __base__=_Tables, **table)
    return create_model("Whole", __base__=_Whole, platforms=(tables, tables()))


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


def _parse(text: str, path: Path | None) -> dict[str, Any]:
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


def _explain(error: Mapping[str, Any], text: str, path: Path | None, platforms: Collection[str]) -> str:
    keys: Keys = tuple(each for each in error["loc"] if isinstance(each, str))
    line = _line_of(keys, text)
    where = f"{path}, line {line}" if line else f"OUZEL_{'__'.join(keys).upper()} in the environment"
    return f"{where}: {_meaning(error, keys, platforms)}"


def _meaning(error: Mapping[str, Any], keys: Keys, platforms: Collection[str]) -> str:
    *table, key = keys
    if error["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        if not table:
            return _unknown(f"there is no table [{key}]", key, ("platforms",))
        if len(table) == 1:
            if key in _OWN:
                return f"{_OWN[key]} set for one platform: [platforms.NAME]"
            known = [*(each.name for each in fields(PlatformDefaults)), *platforms]
            return _unknown(f"there is no platform {key}", key, known)
        return _unknown(f"[{'.'.join(table)}] has no key {key}", key, [f.name for f in fields(PlatformSettings)])
    if error["type"] == "string_type":
        return f"{key} is a text, in quotation marks"
    if error["type"] == "tuple_type":
        return f'{key} is a list: ["…", "…"]'
    if error["type"] in {"model_type", "dataclass_type", "model_attributes_type"}:
        return f"{key} is a table: [{'.'.join(keys)}]"
    if error["type"] == "literal_error":
        return f"{key} takes {error['ctx']['expected']}"
    return f"{key}: {error['msg']}"


def _unknown(what: str, word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word.lower(), known, 1)
    return f"{what[:200]}; did you mean {near[0]}?" if near else what[:200]


def _line_of(keys: Keys, text: str) -> int:
    """The line on which the statement begins that first gives these keys a value; 0: none does.

    The reader of TOML tells no places. What a file says up to a line is asked of it instead, which is slow, and done once.
    """
    lines, begins = text.split("\n"), 1
    for number in range(1, len(lines) + 1):
        try:
            doc: object = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # in the midst of a statement
        if _has(doc, keys):
            return begins
        begins = number + 1
    return 0


def _has(doc: object, keys: Keys) -> bool:
    for key in keys:
        table = {_field(name): value for name, value in _table(doc).items()}
        if _field(key) not in table:
            return False
        doc = table[_field(key)]
    return True


def _table(doc: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", doc) if isinstance(doc, dict) else {}


def _split(table: Mapping[str, object]) -> dict[str, object]:
    return {key: _words(each) if key in _LISTS and isinstance(each, str) else each for key, each in table.items()}


def _words(text: str) -> tuple[str, ...]:
    return tuple(piece.strip() for piece in text.split(",") if piece.strip())


def _field(name: str) -> str:
    return name.replace("-", "_")
