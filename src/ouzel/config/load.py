"""Which settings count."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ouzel.config.settings import Settings

if TYPE_CHECKING:
    from ouzel.config.reading import Reading
    from ouzel.config.sources import Override

_LIKE_A_SETTING = re.compile(
    r"OUZEL_(\w+__|(SERVER|STORAGE|DAEMON|LOG|WATCH|RECORD|AUTH|METRICS|HOOKS|PLATFORMS)_)", re.IGNORECASE
)


def load_settings(given: Path | None, platforms: Collection[str], overrides: Sequence[Override] = ()) -> Settings:
    """The settings of this user; blocking. Options go before the environment, and that before the file.

    Args:
        given: the file; None: OUZEL_CONFIG, else the usual one if there is one.
        platforms: the names that there are.
        overrides: options of the command.
    Raises: BadConfig.
    """
    path = given or usual_file()
    if path is None and not overrides and not any(_LIKE_A_SETTING.match(name) for name in os.environ):
        return with_folders(Settings())
    return load_reading(path, platforms, overrides).settings


def load_reading(path: Path | None, platforms: Collection[str], overrides: Sequence[Override] = ()) -> Reading:
    """The settings, and where each comes from; blocking. `path`: None is no file. Raises: BadConfig."""
    from ouzel.config.reading import read_settings

    reading = read_settings(path, platforms, os.environ, overrides)
    return replace(reading, settings=with_folders(reading.settings))


def usual_file() -> Path | None:
    """OUZEL_CONFIG, else `usual_place` if there is a file."""
    if named := os.environ.get("OUZEL_CONFIG"):
        return Path(named)
    path = usual_place()
    return path if path.is_file() else None


def usual_place() -> Path:
    """`ouzel/ouzel.toml` in the folder for settings."""
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    return Path(folder) / "ouzel" / "ouzel.toml"


def with_folders(settings: Settings) -> Settings:
    """The same, with the usual folders where none are set."""
    storage = settings.storage
    home = os.environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    data = storage.data if storage.data != Path() else Path(home) / "ouzel"
    recordings = storage.recordings if storage.recordings != Path() else data / "recordings"
    return replace(settings, storage=replace(storage, data=data.absolute(), recordings=recordings.absolute()))
