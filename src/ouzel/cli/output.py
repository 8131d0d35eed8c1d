"""One way to speak: a line for people, or JSON lines for programs. Results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any, TextIO

from ouzel.cli.texts import tr

QUIET, NORMAL, VERBOSE = -1, 0, 1


@dataclass(slots=True)
class Output:
    """How this call wants to be told things."""

    is_json: bool = False
    level: int = NORMAL

    @classmethod
    def plain(cls, is_json: bool) -> Output:
        return cls(is_json)

    @property
    def is_terminal(self) -> bool:
        return not self.is_json and sys.stderr.isatty()

    def say(self, text: str, *, level: int = NORMAL) -> None:
        """A line of the result, for people; silent with --json."""
        if not self.is_json and self.level >= level:
            _write(sys.stdout, text + "\n")

    def tell(self, text: str, *, level: int = NORMAL) -> None:
        """A line about what is going on, for people."""
        if not self.is_json and self.level >= level:
            _write(sys.stderr, text + "\n")

    def terminal_size(self) -> tuple[int, int]:
        """Columns and rows of the terminal that is drawn on."""
        try:
            columns, rows = os.get_terminal_size(sys.stderr.fileno())
        except OSError:
            columns = rows = 0
        return columns or 80, rows or 24

    def draw(self, text: str) -> None:
        """Write to the terminal as it stands, control sequences and all."""
        _write(sys.stderr, text)

    def json(self, doc: dict[str, Any]) -> None:
        """One object on one line of stdout; silent without --json."""
        if self.is_json:
            _write(sys.stdout, json.dumps(doc, ensure_ascii=False) + "\n")

    def error(self, code: str, message: str) -> None:
        """The command fails: one line on stderr that says what is wrong; with --json also an object on stdout."""
        line = " ".join(message.split())
        self.json({"event": "error", "code": code, "message": line})
        self.complain(code, line)

    def complain(self, code: str, message: str) -> None:
        """One line on stderr that says what is wrong with a part of the work."""
        _write(sys.stderr, f"ouzel: {tr('error')}: {' '.join(message.split())} ({code})\n")


def _write(stream: TextIO, text: str) -> None:
    """A reader that has gone away (a closed pipe, a closed terminal) does not end a recording."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
