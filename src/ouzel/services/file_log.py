"""Which files were begun, written down at once: their rows come a moment later, and the process may be killed in between.

A text file in the data folder, a JSON object a line. What has a row by now is of no more use: when no recording runs, the file is
emptied; a start empties it, too.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

_EMPTIED_AT = 64 * 1024
_MOST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Begun:
    """A file of a recording, with its final name."""

    recording: str
    part: int
    root: str
    path: str
    format: str


class FileLog:
    """All methods are short and blocking; `note` is called from where nothing may wait."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._open: set[str] = set()
        """Ids of recordings that are running."""
        self._size = os.fstat(fd).st_size

    @classmethod
    def open(cls, path: Path) -> Self:
        """Raises: OSError."""
        return cls(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))

    def note(self, begun: Begun) -> None:
        """It is about to be made. What the disk refuses is not written: then the media are not, either."""
        line = json.dumps(asdict(begun), ensure_ascii=False).encode() + b"\n"
        self._open.add(begun.recording)
        try:
            self._size += os.write(self._fd, line)
        except OSError:
            return

    def forget(self, recording: str) -> None:
        """All files of this recording have their rows."""
        self._open.discard(recording)
        if not self._open and self._size > _EMPTIED_AT:
            self.clear()

    def read(self) -> list[Begun]:
        """What was noted. A torn line at the end is no line."""
        lines = os.pread(self._fd, _MOST, 0).split(b"\n")
        return [begun for line in lines if (begun := _parse(line)) is not None]

    def clear(self) -> None:
        os.ftruncate(self._fd, 0)
        self._size = 0

    def close(self) -> None:
        os.close(self._fd)


def _parse(line: bytes) -> Begun | None:
    try:
        doc: Any = json.loads(line)
        return Begun(**doc)
    except (ValueError, TypeError):
        return None
