"""Which settings count."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ouzel.config.presence import is_anything_set, usual_file, usual_place
from ouzel.config.settings import Settings

if TYPE_CHECKING:
    from ouzel.config.reading import Reading
    from ouzel.config.sources import Override

__all__ = ["load_reading", "load_settings", "usual_file", "usual_place", "with_folders"]


def load_settings(
    given: Path | None,
    platforms: Collection[str],
    overrides: Sequence[Override] = (),
    usual: Sequence[Override] = (),
) -> Settings:
    """The settings of this user; blocking. Options go before the environment, and that before the file.

    Args:
        given: the file; None: OUZEL_CONFIG, else the usual one if there is one.
        platforms: the names that there are.
        overrides: options of the command.
        usual: what counts where nothing else is said, before the defaults.
    Raises: BadConfig.
    """
    path = given or usual_file()
    if not overrides and not usual and not is_anything_set(path):
        return with_folders(Settings())
    return load_reading(path, platforms, overrides, usual).settings


def load_reading(
    path: Path | None,
    platforms: Collection[str],
    overrides: Sequence[Override] = (),
    usual: Sequence[Override] = (),
) -> Reading:
    """The settings, and where each comes from; blocking. `path`: None is no file. Raises: BadConfig."""
    from ouzel.config.reading import read_settings
    from ouzel.config.roots import check_apart

    reading = read_settings(path, platforms, os.environ, overrides, usual)
    settings = with_folders(reading.settings)
    check_apart(settings)
    return replace(reading, settings=settings)


def with_folders(settings: Settings) -> Settings:
    """The same, with the usual folders where none are set."""
    storage = settings.storage
    home = os.environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    data = storage.data if storage.data != Path() else Path(home) / "ouzel"
    recordings = storage.recordings if storage.recordings != Path() else data / "recordings"
    downloads = settings.download.folder if settings.download.folder != Path() else data / "downloads"
    return replace(
        settings,
        storage=replace(storage, data=data.absolute(), recordings=recordings.absolute()),
        download=replace(settings.download, folder=downloads.absolute()),
    )
