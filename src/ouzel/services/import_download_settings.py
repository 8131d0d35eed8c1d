"""Where `ouzel.toml` says what is imported of downloads, and how. Pure."""

from __future__ import annotations

from ouzel.config.importers.result import ImportedSetting
from ouzel.config.tables import usual_profiles
from ouzel.model.downloads import MOST_CONNECTIONS

TARGETS = "download."
_PROFILES = f"{TARGETS}profiles."
_CONNECTIONS = ("connections", "most_connections")


def place_of(setting: ImportedSetting) -> tuple[str, str] | None:
    """Table and key; None for profiles that there are not."""
    table, _, name = (setting.target or "").rpartition(".")
    key = name.removesuffix("_s")
    profile = str(setting.value) if key == "profile" else table.removeprefix(_PROFILES)
    return (table, key) if profile in usual_profiles() or (key != "profile" and table == "download") else None


def written(setting: ImportedSetting) -> str | int:
    """As it stands in the file."""
    value, name = setting.value, (setting.target or "").rpartition(".")[2]
    if name.endswith("_s"):
        return f"{value}s"
    if isinstance(value, int):
        return min(value, MOST_CONNECTIONS) if name in _CONNECTIONS else value
    return str(value)
