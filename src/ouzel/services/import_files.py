"""Which files are meant when a file or a folder is to be imported, and what they hold. Blocking."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ouzel.config.importers.detect import MOST_BYTES

_ENDINGS = frozenset({".ini", ".json", ".yaml", ".yml", ".env", ".txt", ".conf"})
_INNER = "config"
_BACKUPS = "backup_config"
_ROOMS = "URL_config.ini"
_MOST_BACKUPS = 20
"""The recorder itself keeps six."""
_STAMP = re.compile(r"_\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A foreign file as it is at this moment."""

    path: Path
    data: bytes = field(default=b"", repr=False)
    backups: tuple[SourceFile, ...] = ()
    """The newest first."""
    trouble: str = ""
    """Why it could not be read."""
    is_named: bool = True
    """Whether the user named it, and did not only name its folder."""


def gather(paths: Sequence[Path]) -> list[SourceFile]:
    """The files, and those in the folders. What cannot be read comes with its trouble."""
    found: list[SourceFile] = []
    for path in paths:
        if path.is_dir():
            found += in_folder(path)
        else:
            found.append(read_source(path))
    return found


def in_folder(folder: Path) -> list[SourceFile]:
    """Those that may be configuration; of a list of rooms that is not there any more its backups."""
    found = [read_source(path, is_named=False) for path in candidates(folder)]
    if not any(source.path.name == _ROOMS for source in found):
        path = (folder / _INNER if (folder / _INNER).is_dir() else folder) / _ROOMS
        lost = SourceFile(path, b"", _read_backups(path), is_named=False)
        found += [lost] if lost.backups else []
    return found


def candidates(folder: Path) -> list[Path]:
    """What may be configuration, by its ending, in the folder and in `config` below it."""
    places = [folder, folder / _INNER] if (folder / _INNER).is_dir() else [folder]
    return [path for place in places for path in _candidates(place)]


def _candidates(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # it is gone, or not ours
        return
    for entry in entries:
        path = Path(entry.path)
        if (path.suffix.lower() in _ENDINGS or entry.name.startswith(".env")) and path.is_file():
            yield path


def read_source(path: Path, *, is_named: bool = True, with_backups: bool = True) -> SourceFile:
    """A file as it is now, and the copies that there are of it."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)  # one more, so that it is seen that it is too large
    except OSError as exc:
        return SourceFile(path, trouble=(exc.strerror or str(exc)).lower(), is_named=is_named)
    return SourceFile(path, data, _read_backups(path) if with_backups else (), is_named=is_named)


def _read_backups(path: Path) -> tuple[SourceFile, ...]:
    """Those that can be read."""
    found = (read_source(each, with_backups=False) for each in _backups(path))
    return tuple(each for each in found if not each.trouble)


def _backups(path: Path) -> list[Path]:
    """Copies that the INI recorder made: `URL_config.ini_2026-01-02_03-04-05`."""
    found: dict[str, Path] = {}
    for folder in (path.parent / _BACKUPS, path.parent.parent / _BACKUPS):
        try:
            names = [each.name for each in folder.iterdir()]
        except OSError:  # there is none
            continue
        found |= {n: folder / n for n in names if n.startswith(path.name) and _STAMP.fullmatch(n[len(path.name) :])}
    return [found[name] for name in sorted(found, reverse=True)][:_MOST_BACKUPS]
