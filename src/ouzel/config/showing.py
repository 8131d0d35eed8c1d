"""What counts now, key by key, with where it comes from. Secrets are not in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ouzel.base.urls import MASK, redact_text
from ouzel.config.reading import Reading
from ouzel.config.schema import PROFILES, ROOTS, Key, Keys, keys_of, plain_tables
from ouzel.config.settings import PlatformDefaults, PlatformSettings
from ouzel.config.sources import Origin
from ouzel.config.tables import HookSettings, ProfileSettings, RootSettings
from ouzel.config.values import as_json, as_toml


@dataclass(frozen=True, slots=True)
class Setting:
    """One key."""

    key: str
    """As in the file, with its tables: `server.port`."""
    value: object
    """As in JSON; a secret that is set is `***`."""
    written: str
    """As in the file."""
    origin: Origin

    def fields(self) -> dict[str, object]:
        return {
            "key": self.key,
            "value": self.value,
            "from": self.origin.kind,
            "name": self.origin.name,
            "line": self.origin.line,
        }


def settings_of(reading: Reading) -> Iterator[Setting]:
    """All keys; of single platforms those that are set."""
    settings = reading.settings
    for table, cls in plain_tables().items():
        for name, key in keys_of(cls).items():
            yield _setting((table, name), (table, name), key, getattr(settings, table), reading)
    for profile, values in settings.profiles.items():
        for name, key in keys_of(ProfileSettings).items():
            keys = (*PROFILES, profile, name)
            yield _setting(keys, keys, key, values, reading)
    for root, values in settings.roots.items():
        for name, key in keys_of(RootSettings).items():
            keys = (*ROOTS, root, name)
            yield _setting(keys, keys, key, values, reading)
    for hook, values in settings.hooks.items():
        for name, key in keys_of(HookSettings).items():
            yield _setting(("hooks", hook, name), ("hooks", hook.replace("-", "_"), name), key, values, reading)
    for name, key in keys_of(PlatformDefaults).items():
        yield _setting(("platforms", name), ("platforms", name), key, settings.platforms.defaults, reading)
    for platform, values in settings.platforms.tables.items():
        for name, key in keys_of(PlatformSettings).items():
            keys = ("platforms", platform, name)
            if keys in reading.given:
                yield _setting(keys, keys, key, values, reading)


def _setting(shown: Keys, keys: Keys, key: Key, table: Any, reading: Reading) -> Setting:
    value = getattr(table, keys[-1])
    kind, value = (str, MASK) if key.secret and value else (key.kind, value)
    if keys[-1] == "command":
        value = tuple(redact_text(word) for word in value)
    return Setting(".".join(shown), as_json(kind, value), as_toml(kind, value), reading.origin(keys))
