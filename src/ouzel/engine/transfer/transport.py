"""What every way to a remote can do, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from ouzel.base.errors import CopyDiffers
from ouzel.engine.sinks.file import storage_error
from ouzel.model.remotes import Found, Sent

OnBytes: TypeAlias = Callable[[int], None]
"""Told how many bytes of the file are on their way, as often as it changes."""
FULL = re.compile(
    r"no space left|remaining disk space|insufficient.?(storage|space)|(storage|disk).?(quota|full)|"
    r"quota.?(limit|exceeded)|\b507\b",
    re.IGNORECASE,
)
"""In what the other side says: it has no room."""
Settings: TypeAlias = Mapping[str, Any]
"""Of `model.remotes.KINDS`, in the clear."""


@dataclass(frozen=True, slots=True)
class TransferRules:
    """What the configuration says."""

    rate_bytes_s: int = 0
    """Of one upload; 0: as fast as it goes."""
    timeout_s: float = 300.0
    """Without an answer."""
    rclone: str = "rclone"
    """A path, or a name on PATH."""
    rclone_config: str = ""
    """Path of rclone's own configuration file; empty: where it looks for it."""


class Transport(Protocol):
    """One remote. Whatever it starts ends with the call, also when that is cancelled.

    Each raises RemoteRefused, RemoteUnreachable; ToolMissing when what it needs is not installed.
    """

    async def put(self, path: Path, key: str, *, may_replace: bool, on_bytes: OnBytes) -> Sent:
        """Make a whole, verified copy. What is there with the same size and digest is taken.

        Args:
            may_replace: something else there is an older copy of the same file.
        Raises: RemoteTaken; CopyDiffers, and then nothing is left there; StorageError.
        """
        ...

    async def look(self, key: str) -> Found | None:
        """None: there is no such file."""
        ...

    async def test(self, key: str) -> None:
        """Write, read and remove a small file of this name. Raises: also CopyDiffers."""
        ...


@dataclass(frozen=True, slots=True)
class Local:
    """A file here, before it is sent."""

    path: Path
    bytes: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> Local:
        """Blocking. Raises: StorageError."""
        try:
            stat = path.stat()
        except OSError as exc:
            raise storage_error(exc, path) from exc
        return cls(path, stat.st_size, stat.st_mtime_ns)

    def check_same(self) -> None:
        """Blocking. Raises: CopyDiffers, StorageError."""
        if Local.of(self.path) != self:
            raise CopyDiffers(f"{self.path.name} was changed while it was sent")
