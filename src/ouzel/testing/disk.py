"""A disk that fills up: a small file system in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from unittest import SkipTest


@contextmanager
def tiny_disk(folder: Path, *, megabytes: int = 4) -> Generator[Path]:
    """Mount a tmpfs of `megabytes` at `folder`, which is created; gone again afterwards, with all that is on it.

    Yields: `folder`.
    Raises: unittest.SkipTest, which pytest takes for a skip, with the reason, where it cannot be mounted (needs Linux and root).
    """
    if not sys.platform.startswith("linux"):
        raise SkipTest("a tiny disk needs Linux")
    if os.geteuid() != 0:
        raise SkipTest("a tiny disk needs root, to mount a tmpfs")
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SkipTest(f"a tiny disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        # lazily: a child of the code under test may still hold a file open for a moment
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=True)
