"""The view of the daemon on standard output: a table where that is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

from ouzel.cli import texts
from ouzel.cli.outbox import Outbox
from ouzel.daemon.view import Terminal, View, open_view

_STDIN = 0
_FAREWELL_S = 2.0
"""For a reader that does not read: the end is not put off for longer."""


@contextmanager
def live_view(*, table: bool = True) -> Generator[View]:
    """Log lines go to its `log` where there is one; its `run` shows. At the end the terminal is as it was.

    Args:
        table: whether one is wanted at all: not with `--json` or `--quiet`.
    """
    box = Outbox(sys.stdout)
    terminal = terminal_of(sys.stdout.fileno()) if table else None
    try:
        with open_view(box, texts, terminal) as view:
            yield view
    finally:
        box.drain(_FAREWELL_S)


def terminal_of(fd: int) -> Terminal | None:
    """None where nothing can be drawn."""
    if not os.isatty(fd) or os.environ.get("TERM") == "dumb":
        return None
    return Terminal(fd, lambda: size_of(fd), colour=not os.environ.get("NO_COLOR"), keys_fd=_STDIN)


def size_of(fd: int) -> tuple[int, int]:
    """Columns and rows of a terminal, now; the usual ones where it does not tell."""
    try:
        columns, rows = os.get_terminal_size(fd)
    except OSError:
        columns = rows = 0
    return columns or 80, rows or 24
