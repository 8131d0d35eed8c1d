"""What the files of a recording are called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ouzel.base.errors import OutputExists
from ouzel.engine.finish import ENDINGS, FormatWish
from ouzel.engine.sinks.file import LEDGER, PART
from ouzel.formats.shape import Container
from ouzel.model.naming import part_name, render_name, telling_name
from ouzel.model.stream import Stream
from ouzel.system.clock import Clock

Teller = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the files of one recording go."""

    folder: Path
    stem: str | None
    """A name that the user gave for one file; None: made from the template."""
    template: str
    numbered: bool
    """The recording may be split: its first file has a number too."""


def _nothing_told() -> Mapping[str, str]:
    return {}


class Names:
    """The names that this process has given away: a thousand channels of one name are not each counted from one again."""

    def __init__(self) -> None:
        self._last: dict[Path, int] = {}

    def maker(
        self, target: Target, stream: Stream, wish: FormatWish, clock: Clock, told: Teller = _nothing_told
    ) -> Callable[[int, Container], Path]:
        """The function that names the files of a recording: part number and container to a path that does not exist yet.

        A name is made when its file begins. Further files share it, until what is told has changed: then they have a new one.
        It raises OutputExists for a first file whose name the user has given.

        Raises: BadOption for a template that gives an empty name.
        Args:
            told: gives fields of the template that a platform knows better than the address, as they are then.
        """
        if target.stem is None:
            render_name(target.template, {**_fields(stream, clock), **told()})  # an empty name is refused now
        own = target.stem
        rendered: tuple[dict[str, Any], str] | None = None

        def stem_now() -> str:
            """As long as only time has passed, the one before."""
            nonlocal own, rendered
            fields = {**_fields(stream, clock), **told()}
            if (
                rendered is None
                or render_name(target.template, {**fields, "start": rendered[0]["start"]}) != rendered[1]
            ):
                rendered, own = (fields, render_name(target.template, fields)), None
            return rendered[1]

        def path_for(part: int, container: Container) -> Path:
            nonlocal own
            stem = stem_now() if target.stem is None else target.stem

            def path_of(name: str) -> Path:
                return target.folder / f"{name}.{ENDINGS[container]}"

            def is_free(name: str) -> bool:
                return not _taken(path_of(name), wish)

            def name_of(own: str) -> str:
                return part_name(own, part, numbered=target.numbered)

            if own is None:  # all parts of a recording share what its first one was called
                own = self._first_free(target.folder, stem, lambda name: is_free(name_of(name)))
            if part == 1 and target.stem is not None and not is_free(name_of(own)):
                taken = path_of(name_of(own)).with_suffix("")
                raise OutputExists(f"{taken}.* exists already; give another name or remove it")
            return path_of(next(name for name in _numbered(name_of(own)) if is_free(name)))

        return path_for

    def _first_free(self, folder: Path, stem: str, is_free: Callable[[str], bool]) -> str:
        last = self._last.get(folder / stem, 0)
        number, name = next(each for each in enumerate(_numbered(stem, last + 1), last + 1) if is_free(each[1]))
        self._last[folder / stem] = number
        return name


class NotedNames(Names):
    """Those of others, for one recording.

    Args:
        note: told of each file before it is made: which part of the recording it is, and its path.
    """

    def __init__(self, names: Names, note: Callable[[int, Path], None]) -> None:
        super().__init__()
        self._names = names
        self._note = note

    def maker(
        self, target: Target, stream: Stream, wish: FormatWish, clock: Clock, told: Teller = _nothing_told
    ) -> Callable[[int, Container], Path]:
        make = self._names.maker(target, stream, wish, clock, told)

        def path_for(part: int, container: Container) -> Path:
            path = make(part, container)
            self._note(part, path)
            return path

        return path_for


def _numbered(stem: str, first: int = 1) -> Iterator[str]:
    """`show`, `show_2`, `show_3` …"""
    return (stem if number == 1 else f"{stem}_{number}" for number in count(first))


def _fields(stream: Stream, clock: Clock) -> dict[str, Any]:
    address = urlsplit(stream.url)
    host = address.hostname or ""
    return {
        "name": telling_name(address.path, host),
        "host": host,
        "quality": stream.quality,
        "title": "",
        "platform": "",
        "start": clock.now().astimezone(),
    }


def _taken(path: Path, wish: FormatWish) -> bool:
    endings = [path.suffix, LEDGER] + ([f".{wish.format}"] if wish.format else [])
    return any(os.path.lexists(p) for p in [*map(path.with_suffix, endings), path.with_name(path.name + PART)])
