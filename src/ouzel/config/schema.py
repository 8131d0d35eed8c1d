"""Which tables and keys there are, as the classes of settings say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, get_type_hints

from ouzel.config.settings import PlatformDefaults, PlatformSettings, Settings
from ouzel.config.tables import (
    DownloadSettings,
    HookSettings,
    ProfileSettings,
    RootSettings,
    StorageSettings,
    usual_profiles,
)

Keys: TypeAlias = tuple[str, ...]
"""From the outermost table to the key."""
OF_ALL = ("hooks", "platforms")
"""Tables that have tables of many names below them; the others are fields of `Settings`, and of its classes."""
PROFILES = ("download", "profiles")
"""Where the tables of profiles stand, which are a field of `Settings`, too."""
ROOTS = ("storage", "roots")
"""Where those of storage roots stand, which are one as well."""


@dataclass(frozen=True, slots=True)
class Key:
    """One that may be set."""

    kind: object
    """Its annotation, with its limits."""
    default: object
    secret: bool
    """Never shown."""


@dataclass(frozen=True, slots=True)
class Table:
    """What may stand in it."""

    keys: Mapping[str, Key] = field(default_factory=dict[str, Key])
    tables: Mapping[str, Table] = field(default_factory=dict[str, "Table"])
    each: Table | None = None
    """Tables of any other name."""

    def key(self, keys: Keys) -> Key:
        """Raises: KeyError."""
        table: Table = self
        for name in keys[:-1]:
            table = table.tables.get(name) or table.each or Table()
        return table.keys[keys[-1]]


def schema(platforms: Collection[str]) -> Table:
    """All of them. `platforms`: the names that there are."""
    own, profile = keys_of(PlatformSettings), Table(keys_of(ProfileSettings))
    return Table(
        tables={
            **{name: Table(keys_of(cls)) for name, cls in plain_tables().items()},
            PROFILES[0]: Table(
                keys_of(DownloadSettings), {PROFILES[1]: Table(tables=dict.fromkeys(usual_profiles(), profile))}
            ),
            ROOTS[0]: Table(keys_of(StorageSettings), {ROOTS[1]: Table(each=Table(keys_of(RootSettings)))}),
            "hooks": Table(each=Table(keys_of(HookSettings))),
            "platforms": Table(keys_of(PlatformDefaults), {name: Table(own) for name in platforms}),
        }
    )


def plain_tables() -> dict[str, type[Any]]:
    """Those with nothing but keys, in the order in which they are shown, and the class of each."""
    hints, others = get_type_hints(Settings), (*OF_ALL, PROFILES[1], ROOTS[1], "path")
    return {each.name: hints[each.name] for each in fields(Settings) if each.name not in others}


def keys_of(table: type[Any]) -> dict[str, Key]:
    """The keys of a class of settings."""
    hints = get_type_hints(table, include_extras=True)
    return {each.name: Key(hints[each.name], each.default, secret=not each.repr) for each in fields(table)}
