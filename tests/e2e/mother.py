"""Processes that are killed, again and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

_HOUSE = Path(__file__).parents[2]


class Mother:
    """Forks the processes that are killed. Args: module: of them, in `tests`; more: what it takes beside the folder."""

    def __init__(self, module: str, folder: Path, *more: str) -> None:
        command = [sys.executable, "-m", f"tests.{module}", str(folder), *more]
        self._process = subprocess.Popen(
            command, cwd=_HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.put: set[str] = set()
        """Ids of what was told to be in the database."""

    def bear(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        while not (line := self.line()).startswith("child "):
            self._note(line)
        return int(line.split()[1])

    def line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "it has ended"
        self._note(line)
        return line

    def _note(self, line: str) -> None:
        word, _, name = line.partition(" ")
        if word == "put":
            self.put.add(name)

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        while self.line() != f"dead {pid}":
            pass

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
