"""Recordings that another recorder has left on the disk: what belongs together, of whom, since when. Nothing is written or moved.

Two ways of naming are known:

* `<platform>/[name/][YYYY-mm-dd/][title level/]<name>_[<title>_]YYYY-mm-dd_HH-MM-SS[_NNN].<ending>`, where the title level is
  `<title>_<name>` below a day, else `YYYY-mm-dd_<title>`; `_NNN` counts the parts of one recording;
* `<nickname>_YYYYmmdd_HHMMSS.mp4`, of Twitch.

What a file holds is told by its first bytes: the parts of a split `.m4a` are a transport stream.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ouzel.config.importers.live_platforms import of_folder
from ouzel.model.channel import DIRECT
from ouzel.services.adoption_bytes import SNIFFED_BYTES, MediaFormat, format_of

Left: TypeAlias = Literal["no_media", "empty", "own", "no_time", "unreadable"]
"""Why a file is left: no media; nothing in it; a recording of Ouzel; no time in its name; not readable."""
_DASHED = re.compile(r"(?:(?P<who>.+)_)?(?P<at>\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2})(?:_(?P<part>\d{3,}))?", re.DOTALL)
_PLAIN = re.compile(r"(?P<who>.+)_(?P<at>\d{8}_\d{6})", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TITLE_LEVEL = re.compile(r"\d{4}-\d{2}-\d{2}_(.*)", re.DOTALL)
_CLEANED = re.compile(r"[/\\:*?？\"<>|&#.。,，\s~！·]")
_OWN = (".ledger", ".part")
_SUBTITLES = ".srt"


@dataclass(frozen=True, slots=True)
class AdoptedFile:
    """One file of media."""

    path: Path
    bytes: int
    format: MediaFormat
    part: int | None = None
    """From 0; None: it was not split."""
    subtitles: Path | None = None


@dataclass(frozen=True, slots=True)
class AdoptedRecording:
    """What was kept at one time: the parts of it, and the same in other containers."""

    channel: str
    platform: str
    """Empty: not known; `direct`: the address of a stream."""
    title: str
    started: datetime
    """Aware."""
    files: tuple[AdoptedFile, ...]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    def fields(self) -> dict[str, Any]:
        return {
            "channel": self.channel,
            "platform": self.platform,
            "title": self.title,
            "started": self.started.isoformat(),
            "bytes": self.bytes,
            "files": [
                {
                    "path": str(file.path),
                    "bytes": file.bytes,
                    "format": file.format,
                    "part": file.part,
                    "subtitles": str(file.subtitles) if file.subtitles else None,
                }
                for file in self.files
            ],
        }


@dataclass(frozen=True, slots=True)
class AdoptionPlan:
    """What a folder holds. Nothing is done yet."""

    folder: Path
    recordings: tuple[AdoptedRecording, ...]
    """By time."""
    left: tuple[tuple[Path, Left], ...]

    def fields(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "recordings": [each.fields() for each in self.recordings],
            "left": [{"path": str(path), "why": why} for path, why in self.left],
        }


@dataclass(frozen=True, slots=True)
class _Found:
    """A file whose name was understood."""

    file: AdoptedFile
    stem: str
    """Without the number of the part: what the files of a recording have in common."""
    who: str
    """Name, and perhaps title, as they stand before the time."""
    started: datetime
    platform: str
    levels: tuple[str, ...]
    """Folders between the platform's and the file."""


def plan_adoption(folder: Path, *, zone: tzinfo | None = None, names: Collection[str] = ()) -> AdoptionPlan:
    """Look through a folder and all below it; blocking. Links to folders are not followed.

    Args:
        zone: in which names tell the time; None: the machine's.
        names: of channels that are known: they tell a name from the title behind it.
    """
    found: list[_Found] = []
    left: list[tuple[Path, Left]] = []
    for path in _files(folder):
        looked = _look(folder, path, zone)
        if isinstance(looked, _Found):
            found.append(looked)
        elif looked is not None:
            left.append((path, looked))
    known = {*map(spelled, names), *(level for each in found for level in each.levels[:1] if _begins(each.who, level))}
    groups: dict[tuple[Path, str], list[_Found]] = {}
    for each in found:
        groups.setdefault((each.file.path.parent, each.stem), []).append(each)
    recordings = sorted((_recording(group, known) for group in groups.values()), key=lambda each: each.started)
    return AdoptionPlan(folder, tuple(recordings), tuple(left))


def spelled(name: str) -> str:
    """A name as the INI recorder writes it into paths."""
    name = "".join("_" if unicodedata.category(c) in ("So", "Cs") else c for c in name.strip())
    return _CLEANED.sub("_", name.replace("（", "(").replace("）", ")"))


def _files(folder: Path) -> Iterator[Path]:
    for place, inner, names in os.walk(folder):
        inner.sort()
        for name in sorted(names):
            yield Path(place, name)


def _look(folder: Path, path: Path, zone: tzinfo | None) -> _Found | Left | None:
    """None: it belongs to another file."""
    if path.suffix in _OWN or path.with_suffix(".ledger").exists():
        return "own" if path.suffix != ".ledger" else None
    if path.suffix.lower() == _SUBTITLES:
        return None if _has_media(path) else "no_media"
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(SNIFFED_BYTES)
    except OSError:
        return "unreadable"
    if not size:
        return "empty"
    format_ = format_of(first)
    if format_ is None:
        return "no_media"
    name = _DASHED.fullmatch(path.stem) or _PLAIN.fullmatch(path.stem)
    started = _time(name["at"], zone) if name else None
    if name is None or started is None:
        return "no_time"
    is_split = name.re is _DASHED and name["part"] is not None
    subtitles = path.with_suffix(_SUBTITLES)
    adopted = AdoptedFile(
        path, size, format_, int(name["part"]) if is_split else None, subtitles if subtitles.is_file() else None
    )
    stem = path.stem[: name.start("part") - 1] if is_split else path.stem
    platform, levels = _place(path.relative_to(folder).parts[:-1], folder.name)
    if name.re is _PLAIN and platform is None:
        platform = "twitch"
    return _Found(adopted, stem, name["who"] or "", started, platform or "", levels)


def _has_media(subtitles: Path) -> bool:
    return any(subtitles.with_suffix(ending).exists() for ending in (".ts", ".mp4", ".mkv", ".flv", ".mp3", ".m4a"))


def _place(levels: Sequence[str], root: str) -> tuple[str | None, tuple[str, ...]]:
    """The platform whose folder the file is in, and the folders below that; the folder that was named may be one itself."""
    for place, level in enumerate((root, *levels)):
        platform = of_folder(level)
        if platform is not None:
            return platform or DIRECT, tuple(levels[place:])
    return None, tuple(levels)


def _time(text: str, zone: tzinfo | None) -> datetime | None:
    form = "%Y-%m-%d_%H-%M-%S" if "-" in text else "%Y%m%d_%H%M%S"
    try:
        told = datetime.strptime(text, form)  # noqa: DTZ007 - the zone comes next
    except ValueError:  # the 31st of February
        return None
    return told.replace(tzinfo=zone) if zone else told.astimezone()


def _recording(group: Sequence[_Found], known: Collection[str]) -> AdoptedRecording:
    first = group[0]
    channel, title = _split(first, known)
    files = sorted((each.file for each in group), key=lambda file: (file.path.suffix, file.part or 0))
    return AdoptedRecording(channel, first.platform, title, first.started, tuple(files))


def _split(found: _Found, known: Collection[str]) -> tuple[str, str]:
    """Name and title. A name may have `_` in it: folders, and names that are known, tell where it ends."""
    who = found.who
    if found.levels and not _DAY.match(found.levels[0]) and _begins(who, found.levels[0]):
        return found.levels[0], who[len(found.levels[0]) + 1 :] or _title(found.levels, found.levels[0])
    for level in reversed(found.levels):
        if (told := _TITLE_LEVEL.fullmatch(level)) and told[1] and who.endswith(f"_{told[1]}"):
            return who.removesuffix(f"_{told[1]}"), told[1]
    for name in sorted(known, key=len, reverse=True):
        if _begins(who, name):
            return name, who[len(name) + 1 :] or _title(found.levels, name)
    return who, _title(found.levels, who)


def _title(levels: Sequence[str], name: str) -> str:
    """As the folder says: `<title>_<name>` or `YYYY-mm-dd_<title>`."""
    for level in reversed(levels):
        if told := _TITLE_LEVEL.fullmatch(level):
            return told[1]
        if level.endswith(f"_{name}"):
            return level.removesuffix(f"_{name}")
    return ""


def _begins(who: str, name: str) -> bool:
    return who == name or who.startswith(f"{name}_")
