"""What followed files say that counts from the start of the daemon on: where recordings are kept, how much stays free …"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ouzel.config.sources import Override
from ouzel.platforms.registry import Registry
from ouzel.services.import_files import gather
from ouzel.services.import_settings import home_of, override_of
from ouzel.services.imports import plan_import

_RECORDINGS = "storage.recordings"
_USUAL = "downloads"
"""Where the INI recorder keeps its recordings when it is told no other folder."""


def settings_of(folders: Sequence[Path], registry: Registry) -> list[Override]:
    """For what `ouzel.toml` does not say; of two files the first counts. Blocking."""
    plan = plan_import(gather(folders), registry)
    found = [each for setting in plan.settings if (each := override_of(setting.of, Path(setting.file)))]
    found += _usual(file for file, format_ in plan.files if format_ == "live_ini")
    first: dict[str, Override] = {}
    for each in found:
        first.setdefault(each.key, each)
    return [*first.values()]


def _usual(files: Iterator[str]) -> Iterator[Override]:
    for file in files:
        yield Override(file, _RECORDINGS, str(home_of(Path(file)) / _USUAL))
