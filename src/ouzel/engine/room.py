"""Whether a folder has room for files a second time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ouzel.engine.sinks.file import storage_error

_MARGIN_BYTES = 16 << 20
"""What a muxer holds back, and what else is written meanwhile."""


def missing_bytes(folder: Path, files: Sequence[Path]) -> int:
    """By how much there is not enough room; 0: there is. Blocking. Raises: StorageError."""
    try:
        stat = os.statvfs(folder)
        wanted = sum(path.stat().st_size for path in files) + _MARGIN_BYTES
    except OSError as exc:
        raise storage_error(exc, folder) from exc
    return max(0, wanted - stat.f_bavail * stat.f_frsize)
