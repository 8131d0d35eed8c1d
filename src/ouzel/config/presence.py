"""Whether anything is set at all: who finds nothing need not load what reads it."""

from __future__ import annotations

import os
import re
from pathlib import Path

_LIKE_A_SETTING = re.compile(
    r"OUZEL_(\w+__|(SERVER|STORAGE|RETENTION|DAEMON|LOG|WATCH|RECORD|DOWNLOAD|JOBS|TRANSFER|AUTH|METRICS|HOOKS|PLATFORMS)_)",
    re.IGNORECASE,
)


def is_anything_set(path: Path | None) -> bool:
    """By a file, or by the environment."""
    return path is not None or any(_LIKE_A_SETTING.match(name) for name in os.environ)


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
