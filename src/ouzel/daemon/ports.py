"""Who listens at a port of this machine, as far as Linux tells us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = "0A"


def who_listens(port: int, proc: Path = _PROC) -> str | None:
    """`python3 (process 1234)`; None where that cannot be seen: another user's, another system's. Blocking."""
    inodes = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    if not inodes:
        return None
    for folder in proc.iterdir():
        if folder.name.isdecimal() and _has(folder, inodes):
            with suppress(OSError):  # it has ended meanwhile
                return f"{(folder / 'comm').read_text().strip()} (process {folder.name})"
    return None


def _inodes(port: int, proc: Path) -> Iterator[str]:
    for name in ("tcp", "tcp6"):
        with suppress(OSError):  # no Linux, or no IPv6
            for line in (proc / "net" / name).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == _LISTENS and int(words[1].rpartition(":")[2], 16) == port:
                    yield words[9]


def _has(folder: Path, inodes: set[str]) -> bool:
    try:
        files = list((folder / "fd").iterdir())
    except OSError:  # it is another user's, or has ended
        return False
    return any(_target(file) in inodes for file in files)


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:  # closed meanwhile
        return ""
