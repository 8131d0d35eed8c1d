"""Reading settings, and saying what is wrong with them: file, line, and the nearest word that would be right."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from ouzel.base.errors import BadConfig
from ouzel.config.roots import wrong_name
from ouzel.config.schema import PROFILES, ROOTS, Key, Keys, Table, plain_tables, schema
from ouzel.config.settings import PlatformDefaults, PlatformSettings, PlatformTables, Settings
from ouzel.config.sources import (
    BETWEEN,
    PREFIX,
    Origin,
    Override,
    Source,
    environment_source,
    file_source,
    option_source,
)
from ouzel.config.tables import HookSettings, RootSettings, usual_profiles
from ouzel.config.values import WrongValue, read

_OWN = {
    "cookies": "cookies are",
    "login": "a login is",
    "password": "a password is",
    "password_file": "a password_file is",
}
"""Keys that no two platforms have in common."""
_WATCHED = {"interval": "an interval", "requests_per_minute": "requests_per_minute"}
"""Keys that have a table of their own when they are for all platforms."""
_SHOWN = 200
_DEFAULT = Origin("default")


@dataclass(frozen=True, slots=True)
class Found:
    """A value that was given."""

    value: object
    source: Source
    spelled: Keys
    """Its key, as the source writes it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, and where from."""

    settings: Settings
    given: Mapping[Keys, Found]

    def origin(self, keys: Keys) -> Origin:
        found = self.given.get(keys)
        return found.source.origin(found.spelled) if found else _DEFAULT


def read_settings(
    path: Path | None,
    platforms: Collection[str],
    variables: Mapping[str, str],
    overrides: Sequence[Override] = (),
    usual: Sequence[Override] = (),
) -> Reading:
    """Options go before the environment, that before the file, and that before what is `usual` here; blocking.

    Args:
        platforms: the names that there are.
        variables: of the environment.
    Raises: BadConfig, which shows no value; its context has all `problems`, a sentence each.
    """
    root = schema(platforms)
    taken = _Taken(root)
    files = [file_source(path)] if path else []
    for source in (option_source(overrides), environment_source(variables), *files, option_source(usual)):
        taken.take(source)
    problems = [*taken.problems, *taken.without_command(), *taken.wrong_roots(), *_misspelled(root, variables)]
    if problems:
        raise BadConfig("; ".join(problems), problems=problems)
    return Reading(_settings(taken, path, platforms), taken.given)


class _Taken:
    """What the sources say, the first first."""

    def __init__(self, root: Table) -> None:
        self._root = root
        self.given: dict[Keys, Found] = {}
        self.hooks: dict[str, tuple[str, Source]] = {}
        """Their names as fields; as they are spelled, in the file if they are there, and where."""
        self.roots: dict[str, Source] = {}
        """Storage roots by name, and where they are set first."""
        self.problems: list[str] = []

    def take(self, source: Source) -> None:
        self._take(source.doc, self._root, (), (), source)

    def without_command(self) -> Iterator[str]:
        """What is wrong with hooks that have none, or one that no shell can read."""
        for name, (spelled, source) in self.hooks.items():
            command = self._hook(name).command
            if not command:
                yield f"{source.origin(('hooks', spelled))}: [hooks.{spelled}] has no command"
            elif self._hook(name).shell and len(command) > 1:
                yield f"{source.origin(('hooks', spelled))}: [hooks.{spelled}] has a shell: its command is one text in a list"

    def wrong_roots(self) -> Iterator[str]:
        """What is wrong with a storage root: its name, or that it has no path."""
        for name, source in self.roots.items():
            path = self.values(*ROOTS, name).get("path", Path())
            if words := wrong_name(name, path):
                yield f"{source.origin((*ROOTS, name))}: {words}"

    def all_roots(self) -> dict[str, RootSettings]:
        return {name: RootSettings(**self.values(*ROOTS, name)) for name in self.roots}

    def values(self, *table: str) -> dict[str, Any]:
        return {keys[-1]: found.value for keys, found in self.given.items() if keys[:-1] == table}

    def all_hooks(self) -> dict[str, HookSettings]:
        return {spelled: self._hook(name) for name, (spelled, _) in self.hooks.items()}

    def _hook(self, name: str) -> HookSettings:
        return HookSettings(**self.values("hooks", name))

    def _take(self, doc: Mapping[str, Any], table: Table, at: Keys, spelled: Keys, source: Source) -> None:
        names = {_field(name): name for name in table.tables}
        for word, value in doc.items():
            here, name = (*spelled, word), names.get(_field(word), word)
            below = table.tables.get(name) or table.each
            if below is not None:
                self._descend(value, below, (*at, name), here, source)
            elif name in table.keys:
                self._read(value, table.keys[name], (*at, name), here, source)
            else:
                self._wrong(source, here, _unknown(table, here))

    def _descend(self, value: object, table: Table, at: Keys, spelled: Keys, source: Source) -> None:
        if not isinstance(value, dict):
            self._wrong(source, spelled, f"{spelled[-1]} is a table: [{'.'.join(spelled)}]")
            return
        if at[:-1] == ("hooks",):
            at = ("hooks", _field(at[-1]))
            self.hooks[at[-1]] = (spelled[-1], source)  # the file is read last
        elif at[:-1] == ROOTS:
            self.roots.setdefault(at[-1], source)
        self._take(cast("Mapping[str, Any]", value), table, at, spelled, source)

    def _read(self, value: object, key: Key, at: Keys, spelled: Keys, source: Source) -> None:
        try:
            found = read(key.kind, value, source.place)
        except WrongValue as exc:
            self._wrong(source, spelled, f"{spelled[-1]} {exc}")
            return
        self.given.setdefault(at, Found(found, source, spelled))

    def _wrong(self, source: Source, spelled: Keys, words: str) -> None:
        self.problems.append(f"{source.origin(spelled)}: {words}")


def _settings(taken: _Taken, path: Path | None, platforms: Collection[str]) -> Settings:
    plain: dict[str, Any] = {name: cls(**taken.values(name)) for name, cls in plain_tables().items()}
    named = {keys[1] for keys in taken.given if len(keys) > 2 and keys[0] == "platforms"}
    tables = {name: PlatformSettings(**taken.values("platforms", name)) for name in platforms if name in named}
    defaults = PlatformDefaults(**taken.values("platforms"))
    profiles = {name: replace(usual, **taken.values(*PROFILES, name)) for name, usual in usual_profiles().items()}
    return Settings(
        **plain, roots=taken.all_roots(), hooks=taken.all_hooks(), platforms=PlatformTables(defaults, tables),
        profiles=profiles, path=path,
    )  # fmt: skip


def _unknown(table: Table, spelled: Keys) -> str:
    *above, key = spelled
    known = [*table.keys, *table.tables]
    if not above:
        return _with_near(f"there is no table [{key}]", key, known)
    if above != ["platforms"]:
        return _with_near(f"[{'.'.join(above)}] has no key {key}", key, known)
    if key in _OWN:
        return f"{_OWN[key]} set for one platform: [platforms.NAME]"
    if key in _WATCHED:
        return f"{_WATCHED[key]} for all platforms stands in [watch]"
    return _with_near(f"there is no platform {key}", key, known)


def _with_near(what: str, word: str, known: Sequence[str]) -> str:
    near = get_close_matches(word.lower(), known, 1)
    return f"{what[:_SHOWN]}; did you mean {near[0]}?" if near else what[:_SHOWN]


def _misspelled(root: Table, variables: Mapping[str, str]) -> Iterator[str]:
    """Variables that want to be settings, and have one `_` where two are needed: nobody would read them."""
    for name in variables:
        for table in plain_tables():
            start, keys = f"{PREFIX}{table}_".upper(), root.tables[table].keys
            key = name.upper().removeprefix(start)
            if BETWEEN in name or not name.upper().startswith(start):
                continue
            near = get_close_matches(key.lower(), keys, 1)
            meant = f"; did you mean {start}_{near[0].upper()}?" if near else f": [{table}] has no key {key.lower()}"
            yield f"{name} in the environment is no setting{meant}"


def _field(name: str) -> str:
    return name.replace("-", "_")
