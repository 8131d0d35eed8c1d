"""One way to speak: a line for people, or JSON lines for programs. Results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TextIO

from ouzel.base.errors import DiskFull
from ouzel.cli.outbox import Outbox, is_full
from ouzel.cli.texts import advised, reason, tr

QUIET, NORMAL, VERBOSE = -1, 0, 1
_WIDE = frozenset("WF")
_UNSAFE = dict.fromkeys(
    (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"
)
"""What steers a terminal, or turns the direction of what follows: titles and names are written by strangers."""


@dataclass(slots=True)
class Output:
    """How this call wants to be told things.

    What writes to stdout raises DiskFull when that is a file for which there is no room; not while `without_waiting`.
    """

    is_json: bool = False
    level: int = NORMAL
    unread: bool = field(default=False, init=False)
    """Whoever read stdout has gone away: the results are for nobody."""
    _boxes: dict[TextIO, Outbox] = field(default_factory=dict["TextIO", "Outbox"], repr=False)

    @classmethod
    def plain(cls, is_json: bool) -> Output:
        return cls(is_json)

    @property
    def is_terminal(self) -> bool:
        """Whether lines can be drawn over on stderr."""
        return not self.is_json and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    @contextmanager
    def without_waiting(self) -> Generator[None]:
        """Until the end of this, whoever reads us slowly, or not at all, gets it later; nothing here waits, or raises."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # one that is closed, or is no file
                self._boxes[stream] = Outbox(stream)
        try:
            yield
        finally:
            boxes = list(self._boxes.values())
            for box in boxes:
                box.drain()
            full = (box := self._boxes.get(sys.stdout)) is not None and box.full
            self._boxes.clear()
            if full:
                told = _no_room()
                self.complain(told.code, reason(told.code, str(told)))
            self._tell_lost(boxes)

    def catch_up(self) -> None:
        """Write what waited for its reader."""
        for box in self._boxes.values():
            box.flush()
        self._tell_lost([box for box in self._boxes.values() if box.empty])

    def _tell_lost(self, boxes: list[Outbox]) -> None:
        """What found no room while nobody read, now that somebody does."""
        lost = sum(box.lost for box in boxes)
        for box in boxes:
            box.lost = 0
        if lost:
            why = tr("output_lost", count=lost)
            with suppress(DiskFull):
                self.json({"event": "warning", "code": "output_lost", "why": why})
            self.complain("output_lost", why)

    def say(self, text: str, *, level: int = NORMAL) -> None:
        """A line of the result, for people; silent with --json."""
        if not self.is_json and self.level >= level:
            self._write(sys.stdout, plain(text) + "\n")

    def tell(self, text: str, *, level: int = NORMAL) -> None:
        """A line about what is going on, for people."""
        if not self.is_json and self.level >= level:
            self._write(sys.stderr, plain(text) + "\n")

    def terminal_size(self) -> tuple[int, int]:
        """Columns and rows of the terminal that is drawn on."""
        try:
            columns, rows = os.get_terminal_size(sys.stderr.fileno())
        except OSError:
            columns = rows = 0
        return columns or 80, rows or 24

    def draw(self, text: str, *, dispensable: bool = False) -> bool:
        """Write to the terminal as it stands, control sequences and all. Returns: False when it was dispensable and left out."""
        return self._write(sys.stderr, text, dispensable=dispensable)

    def json(self, *docs: dict[str, Any], dispensable: bool = False) -> None:
        """Each object on a line of stdout; silent without --json."""
        if self.is_json and docs:
            is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
            lines = [json.dumps(doc, ensure_ascii=not is_utf8) + "\n" for doc in docs]
            self._write(sys.stdout, "".join(lines), dispensable=dispensable)

    def error(self, code: str, message: str, **about: str) -> None:
        """The command fails: one line on stderr that says what is wrong; with --json also an object on stdout."""
        line = " ".join(message.split())
        with suppress(DiskFull):  # it may be what we are telling
            self.json({"event": "error", **about, "code": code, "message": line})
        self.complain(code, advised(code, line))

    def complain(self, code: str, message: str) -> None:
        """One line on stderr that says what is wrong with a part of the work."""
        self._write(sys.stderr, f"ouzel: {tr('error')}: {plain(' '.join(message.split()))} ({code})\n")

    def _write(self, stream: TextIO, text: str, *, dispensable: bool = False) -> bool:
        box = self._boxes.get(stream)
        if box is not None:
            return box.put(text, dispensable=dispensable)
        if not _write(stream, text) and stream is sys.stdout:
            self.unread = True
        return True


def plain(text: str) -> str:
    """The text with nothing in it that a terminal would obey."""
    return text.translate(_UNSAFE)


def fit(text: str, columns: int) -> str:
    """The text in at most so many columns of a terminal: a line that wraps could not be drawn over."""
    total = 0
    for place, char in enumerate(text):
        total += 2 if unicodedata.east_asian_width(char) in _WIDE else 1
        if total > columns:
            return text[:place]
    return text


def columns(text: str) -> int:
    """How many columns of a terminal it takes."""
    return sum(2 if unicodedata.east_asian_width(char) in _WIDE else 1 for char in text)


def pad(text: str, width: int) -> str:
    """The text, filled up with spaces to so many columns of a terminal."""
    return text + " " * (width - columns(text))


def give_up(stream: TextIO, exc: OSError) -> None:
    """Nothing more is written to this stream, which took no more of a result.

    A reader that has gone away (a closed pipe, a closed terminal) is no error. Raises: DiskFull when there was no room on stdout.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    if is_full(exc) and stream is sys.stdout:
        raise _no_room() from exc


def _no_room() -> DiskFull:
    return DiskFull("no space left for standard output: what was written to it is not whole")


def _write(stream: TextIO, text: str) -> bool:
    """Returns: whether somebody reads it. Raises: DiskFull."""
    try:
        stream.write(text)
        stream.flush()
    except OSError as exc:
        give_up(stream, exc)
        return False
    return True
