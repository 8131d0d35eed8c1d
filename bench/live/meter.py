"""What a process tree costs: CPU seconds, memory, and how long it had to wait for a core. From /proc (Linux)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True)
class Used:
    """Since the processes began; children that were waited for are counted with their parents."""

    cpu_s: float
    waited_s: float
    """Ready to run, but not on a core."""

    def __sub__(self, before: Used) -> Used:
        return Used(self.cpu_s - before.cpu_s, self.waited_s - before.waited_s)


def tree(roots: Iterable[int]) -> Iterator[int]:
    """These processes and all that descend from them."""
    for pid in roots:
        yield pid
        try:
            threads = [*Path(f"/proc/{pid}/task").iterdir()]
            children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
        except _GONE:
            continue
        yield from tree(children)


def used(roots: Iterable[int]) -> Used:
    cpu_s = waited_s = 0.0
    for pid in tree(roots):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            cpu_s += sum(int(ticks) for ticks in fields[11:15]) / _TICKS  # utime, stime, cutime, cstime
            for thread in Path(f"/proc/{pid}/task").iterdir():
                waited_s += int((thread / "schedstat").read_text().split()[1]) / 1e9
        except _GONE:
            continue
    return Used(cpu_s, waited_s)


def pss_bytes(roots: Iterable[int]) -> int:
    """Proportional set size: shared pages are divided among those that share them, so that sums are right."""
    total = 0
    for pid in tree(roots):
        try:
            found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
        except _GONE:
            continue
        total += int(found[1]) * 1024 if found else 0
    return total


def available_bytes() -> int:
    """Memory that may be filled, the file system in memory included."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024
