"""One way to speak: a line for people, or JSON lines for programs. Results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

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
            print(text, flush=True)  # noqa: T201 - this is where the program speaks

    def tell(self, text: str, *, level: int = NORMAL) -> None:
        """A line about what is going on, for people."""
        if not self.is_json and self.level >= level:
            print(text, file=sys.stderr, flush=True)  # noqa: T201

    def json(self, doc: dict[str, Any]) -> None:
        """One object on one line of stdout; silent without --json."""
        if self.is_json:
            sys.stdout.write(json.dumps(doc, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def error(self, code: str, message: str) -> None:
        """One line on stderr that says what is wrong; with --json also an object on stdout."""
        line = " ".join(message.split())
        self.json({"event": "error", "code": code, "message": line})
        print(f"ouzel: {tr('error')}: {line} ({code})", file=sys.stderr, flush=True)  # noqa: T201
