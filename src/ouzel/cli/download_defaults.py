"""What counts for a download where the command line does not say: `[download]` of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ouzel.base.errors import BadOption
from ouzel.config.presence import is_anything_set, usual_file
from ouzel.model.downloads import MOST_CONNECTIONS, PROFILES, Pace
from ouzel.services.paces import pace_of

_FOLDER = ("download", "folder")


@dataclass(frozen=True, slots=True)
class Usual:
    """As it is set."""

    folder: Path | None = None
    """None: where the command is called."""
    at_once: int = 3
    most_connections: int = MOST_CONNECTIONS
    pace: Pace = field(default_factory=Pace)
    profiles: Mapping[str, Pace] = field(default_factory=lambda: {**PROFILES})
    profile: str = ""

    def pace_of(self, profile: str) -> Pace:
        """Raises: BadOption."""
        name = profile or self.profile
        if name and name not in self.profiles:
            raise BadOption(f"{name[:40]} is no profile; there are {', '.join(self.profiles)}")
        return self.profiles[name] if name else self.pace


def read_usual(config: Path | None) -> Usual:
    """Blocking. `config`: the file of `--config`. Raises: BadConfig."""
    path = config or usual_file()
    if not is_anything_set(path):
        return Usual()
    from ouzel.config.load import load_reading  # and with it all settings
    from ouzel.platforms.registry import registry

    reading = load_reading(path, [platform.name for platform in registry()])
    settings = reading.settings
    own = settings.download
    return Usual(
        own.folder if _FOLDER in reading.given else None, own.at_once, own.most_connections, pace_of(own, own),
        {name: pace_of(each, own) for name, each in settings.profiles.items()}, own.profile,
    )  # fmt: skip
