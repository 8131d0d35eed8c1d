"""As much of a terminal as the daemon's picture needs."""

from __future__ import annotations

import re

from rich.cells import cell_len

_PIECE = re.compile(r"\x1b\[(\??\d*(?:;\d+)*)([A-Za-z])|(\r|\n)|([^\x1b\r\n]+)")


class Emulator:
    """Wraps at its width, and never forgets a line. Raises: AssertionError for what it does not know."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows: list[str] = [""]
        self.row = 0
        self.column = 0

    def feed(self, text: str) -> None:
        place = 0
        while place < len(text):
            found = _PIECE.match(text, place)
            assert found, repr(text[place : place + 20])
            place = found.end()
            number, letter, control, plain = found.groups()
            if plain is not None:
                self._put(plain)
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self._down()
            elif letter == "A":
                self.row = max(0, self.row - int(number or 1))
            elif letter == "K":
                self.rows[self.row] = self.rows[self.row][: self.column]
            elif letter == "J":
                self.rows[self.row] = self.rows[self.row][: self.column]
                del self.rows[self.row + 1 :]
            else:
                assert letter == "m" or number == "?2026", (number, letter)

    @property
    def lines(self) -> list[str]:
        return [row.rstrip() for row in self.rows]

    def _put(self, text: str) -> None:
        for char in text:
            if cell_len(self.rows[self.row][: self.column]) + cell_len(char) > self.width:
                self._down()
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + char + row[self.column + 1 :]
            self.column += 1

    def _down(self) -> None:
        self.row += 1
        self.column = 0
        if self.row == len(self.rows):
            self.rows.append("")
