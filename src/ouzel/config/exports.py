"""Channels and settings as text: TOML that a person can read, edit, compare and keep, and that `ouzel import` reads. Pure.

format = "ouzel export 1"

[layers.global]                                   # settings of all channels; `platform:NAME`: of those of a platform
split_after_s = 1800

[[channels]]
addresses = ["https://live.bilibili.com/21495945"]
name = "…"
[channels.settings]
quality = ["uhd", "best"]

[policies."a week"]
keep_days = 7.0

[pipelines."to mp4"]
steps = [{step = "remux", format = "mp4"}]

[remotes.nas]
kind = "rclone"
settings = {remote = "nas"}

[users.anna]
role = "editor"

[targets.phone]
kind = "ntfy"
settings = {url = "https://ntfy.sh/topic"}

[routes.live]
targets = ["phone"]
events = ["broadcast.began"]
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ouzel.base.errors import BadConfig
from ouzel.base.urls import MASK

FORMAT = "ouzel export 1"
_MARK = re.compile(r'^format\s*=\s*"ouzel export (\d+)"\s*(?:#.*)?$', re.MULTILINE)
_TABLES = ("layers", "policies", "remotes", "pipelines", "users", "targets", "routes")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_UNFIT = re.compile("[\x7f\ud800-\udfff]")
"""What JSON leaves as it is, and TOML does not have."""


@dataclass(frozen=True, slots=True)
class ExportedChannel:
    """Of what is empty, or as usual, nothing is written."""

    addresses: tuple[str, ...]
    """At least one."""
    name: str = ""
    """The user's own; empty: as the platform calls it."""
    watch: bool = True
    labels: tuple[str, ...] = ()
    folder: str = ""
    aliases: tuple[str, ...] = ()
    identity: str = ""
    """`platform:id`; empty: not known yet."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Its own layer: JSON values by the names of `ChannelSettings`."""


@dataclass(frozen=True, slots=True)
class Export:
    """Everything that a person has set in the database."""

    channels: tuple[ExportedChannel, ...] = ()
    layers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]], repr=False)
    """By scope: `global`, `platform:NAME`."""
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """By name: the fields of `model.policies.Rule`, but for those that have no value."""
    pipelines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """By name: `steps`, each with what is not as usual."""
    users: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]], repr=False)
    """By name: `role`, and `labels, disabled, language, password_hash` where there are any."""
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]], repr=False)
    """By name: the fields of `model.targets.Target`, with secrets in the clear; `left_out`: names of those that are not there."""
    routes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """By name: the fields of `model.routes.Route`, channels by their addresses."""
    remotes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]], repr=False)
    """By name: the fields of `model.remotes.Remote`, with secrets in the clear; `left_out`: names of those that are not there."""


def is_export(text: str) -> bool:
    return _MARK.search(text) is not None


def render_export(export: Export, *, hidden: Collection[str] = ()) -> str:
    """As text. Args: hidden: names of settings whose values are left out, and a remark stands in their place."""
    return "\n".join(_lines(export, hidden)) + "\n"


def parse_export(text: str) -> Export:
    """Raises: BadConfig, which names the line or the channel, and shows no value."""
    found = _MARK.search(text)
    if found is None or found[1] != FORMAT.rpartition(" ")[2]:
        raise BadConfig(f'this is no export that can be read: it begins with format = "{FORMAT}"')
    try:
        doc = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as exc:
        place = _PLACE.search(str(exc))
        line = place[1] if place and place[1] else str(text.count("\n") + 1)
        raise BadConfig(f"line {line}: no TOML: {_PLACE.sub('', str(exc))}", line=int(line)) from None
    except RecursionError:
        raise BadConfig("it is nested too deeply") from None
    _check_keys("the export", doc, ("format", "channels", *_TABLES))
    tables = {name: _tables(name, doc) for name in _TABLES}
    channels = doc.get("channels", [])
    if not isinstance(channels, list):
        raise BadConfig("channels are written [[channels]]")
    return Export(tuple(_channel(n, each) for n, each in enumerate(cast("list[object]", channels), 1)), **tables)


def _channel(number: int, value: object) -> ExportedChannel:
    where = f"channel {number}"
    doc = _table(where, value)
    names = ("addresses", "name", "watch", "labels", "folder", "aliases", "identity", "settings")
    _check_keys(where, doc, names)
    watch = doc.get("watch", True)
    if not isinstance(watch, bool):
        raise BadConfig(f"watch of {where} is true or false")
    addresses = _words(f"addresses of {where}", doc.get("addresses", []))
    if not addresses:
        raise BadConfig(f"{where} has no addresses")
    return ExportedChannel(
        addresses,
        name=_one(f"name of {where}", doc.get("name", "")),
        watch=watch,
        labels=_words(f"labels of {where}", doc.get("labels", [])),
        folder=_one(f"folder of {where}", doc.get("folder", "")),
        aliases=_words(f"aliases of {where}", doc.get("aliases", [])),
        identity=_one(f"identity of {where}", doc.get("identity", "")),
        settings=_table(f"settings of {where}", doc.get("settings", {})),
    )


def _one(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadConfig(f"{where} is a text, in quotation marks")
    return value


def _table(where: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadConfig(f"{where} is a table")
    return cast("dict[str, Any]", value)


def _tables(name: str, doc: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {key: _table(f"{name}.{key}", each) for key, each in _table(name, doc.get(name, {})).items()}


def _words(where: str, value: object) -> tuple[str, ...]:
    words = cast("list[object]", value) if isinstance(value, list) else [None]
    if not all(isinstance(each, str) for each in words):
        raise BadConfig(f'{where} is a list: ["…", "…"]')
    return tuple(cast("list[str]", words))


def _check_keys(where: str, doc: Mapping[str, Any], known: Collection[str]) -> None:
    if unknown := sorted(set(doc) - set(known)):
        raise BadConfig(f"{where} has no key {unknown[0][:40]}; there are {', '.join(known)}")


def _lines(export: Export, hidden: Collection[str]) -> Iterator[str]:
    yield "# Channels and settings of Ouzel; `ouzel import` reads this file."
    yield f'format = "{FORMAT}"'
    for scope, layer in export.layers.items():
        yield f"\n[layers.{_key(scope)}]"
        yield from _pairs(layer, hidden)
    for channel in export.channels:
        yield "\n[[channels]]"
        if hidden and any(MASK in address for address in channel.addresses):
            yield f"# what is secret in an address is left out: {MASK} stands in its place"
        usual = ExportedChannel(())
        given = {name: getattr(channel, name) for name in ExportedChannel.__slots__ if name != "settings"}
        yield from _pairs({name: value for name, value in given.items() if value != getattr(usual, name)})
        if channel.settings:
            yield "[channels.settings]"
            yield from _pairs(channel.settings, hidden)
    for name in _TABLES[1:]:
        tables: Mapping[str, Mapping[str, Any]] = getattr(export, name)
        for key, table in tables.items():
            yield f"\n[{name}.{_key(key)}]"
            yield from (f"# {each} is set, and left out" for each in table.get("left_out", ()))
            yield from _pairs({key: value for key, value in table.items() if key != "left_out"}, hidden)


def _pairs(table: Mapping[str, Any], hidden: Collection[str] = ()) -> Iterator[str]:
    for name, value in table.items():
        if name in hidden:
            yield f"# {name} is set, and left out"
        elif value is not None:
            yield f"{_key(name)} = {_value(value)}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: object) -> str:
    match value:
        case str():
            return _text(value)
        case bool() | int() | float():
            return json.dumps(value)
        case dict():
            pairs = cast("dict[str, object]", value).items()
            return "{" + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in pairs) + "}"
        case list() | tuple():
            return "[" + ", ".join(_value(each) for each in cast("list[object]", value)) + "]"
        case _:
            raise TypeError(f"no value of a setting: {type(value).__name__}")


def _text(text: str) -> str:
    return _UNFIT.sub(lambda found: "\\u007f" if found[0] == "\x7f" else "\ufffd", json.dumps(text, ensure_ascii=False))
