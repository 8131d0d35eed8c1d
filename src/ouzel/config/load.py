"""Which settings count."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from ouzel.config.settings import Settings

VARIABLES = "OUZEL_PLATFORMS__"
"""What the names of variables that are settings begin with."""


def load_settings(given: Path | None, platforms: Collection[str]) -> Settings:
    """The settings of this user; blocking. What stands in the environment goes before the file.

    Args:
        given: the file; None: OUZEL_CONFIG, else the usual one if there is one.
        platforms: the names that there are.
    Raises: BadConfig.
    """
    path = given or usual_file()
    if path is None and not any(name.upper().startswith(VARIABLES) for name in os.environ):
        return Settings()
    from ouzel.config.reading import read_settings  # and with it pydantic

    return read_settings(path, platforms)


def usual_file() -> Path | None:
    """OUZEL_CONFIG, else `ouzel/ouzel.toml` in the folder for settings, if there is one."""
    if named := os.environ.get("OUZEL_CONFIG"):
        return Path(named)
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    path = Path(folder) / "ouzel" / "ouzel.toml"
    return path if path.is_file() else None
