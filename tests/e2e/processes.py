"""What the system tells every user of the machine about its processes. Linux only."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def children(parent: int) -> dict[int, list[str]]:
    """Command lines of the children of a process, by their process id."""
    found: dict[int, list[str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if _parent(folder) == parent:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode().split("\0")[:-1]
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
    return found


def is_running(pid: int) -> bool:
    """Not ended, and no zombie."""
    try:
        return _fields(Path(f"/proc/{pid}"))[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _parent(folder: Path) -> int:
    return int(_fields(folder)[1])


def _fields(folder: Path) -> list[str]:
    """Of `/proc/PID/stat`, from the state on: the name ahead of it is in brackets, and may have blanks in it."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
