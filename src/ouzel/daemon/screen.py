"""A terminal with a picture at its lower end, above which lines scroll. Nothing here waits for whoever reads."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Terminals that know this show what is between them at once; the others ignore it."""
_CLEAR_LINE, _CLEAR_BELOW = "\x1b[K", "\x1b[J"


class Box(Protocol):
    """Writes without waiting; what cannot be written yet is kept, in order."""

    lost: int

    @property
    def empty(self) -> bool: ...

    def put(self, text: str, *, dispensable: bool = False) -> bool: ...

    def flush(self) -> None: ...


class Screen(io.TextIOBase):
    """Lines that are written to it, from any thread, stay; the picture below them is drawn over again and again.

    Args:
        box: of the terminal.
        size: its columns and rows, now.
        told_lost: the line about so many lines that were lost because nobody read them.
    """

    def __init__(self, box: Box, size: Callable[[], tuple[int, int]], told_lost: Callable[[int], str]) -> None:
        super().__init__()
        self._box = box
        self._size = size
        self._told_lost = told_lost
        self._lock = threading.Lock()
        self._picture: Sequence[str] = ()
        """What was drawn last, and is still there."""
        self._width = 0
        """Of the terminal at that time."""
        self._unfinished = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        """Whole lines are shown above the picture; the rest waits for its end."""
        with self._lock:
            lines, newline, rest = (self._unfinished + text).rpartition("\n")
            self._unfinished = rest
            if newline:
                self._above(lines)
        return len(text)

    def flush(self) -> None:
        with self._lock:
            self._box.flush()

    def paint(self, picture: Sequence[str]) -> None:
        """Draw these lines instead of those before. Each is shorter than the terminal is wide, and steers nothing but colours."""
        with self._lock:
            self._box.flush()
            if self._box.lost and self._box.empty:
                lost, self._box.lost = self._box.lost, 0
                self._above(self._told_lost(lost))
            width = self._size()[0]
            if picture == self._picture and width == self._width:
                return
            text = f"{_BEGIN}{self._home()}{_drawn(picture)}{_END}"
            if self._box.put(text, dispensable=True):
                self._picture, self._width = picture, width

    def clear(self) -> None:
        """Take the picture away."""
        with self._lock:
            if self._picture:
                self._box.put(f"{self._home()}{_CLEAR_BELOW}")
                self._picture = ()

    def _above(self, lines: str) -> None:
        if not self._picture:
            self._box.put(f"{lines}\n")
            return
        self._box.put(f"{_BEGIN}{self._home()}{_CLEAR_BELOW}{lines}\n{_drawn(self._picture)}{_END}")
        self._width = self._size()[0]

    def _home(self) -> str:
        """Back to the beginning of the picture. A terminal that became narrower has wrapped its lines meanwhile."""
        if not self._picture:
            return "\r"
        width = max(1, self._size()[0])
        rows = len(self._picture)
        if width < self._width:
            rows = sum(max(1, -(-visible(line) // width)) for line in self._picture)
        return f"\r\x1b[{rows - 1}A" if rows > 1 else "\r"


def visible(line: str) -> int:
    """Columns of a line in which there may be colours."""
    from rich.cells import cell_len

    total, rest = 0, line
    while rest:
        plain, escape, rest = rest.partition("\x1b[")
        total += cell_len(plain)
        if escape:
            rest = rest.partition("m")[2]
    return total


def _drawn(picture: Sequence[str]) -> str:
    return "\n".join(f"{line}{_CLEAR_LINE}" for line in picture) + _CLEAR_BELOW
