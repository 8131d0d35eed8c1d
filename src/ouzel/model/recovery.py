"""What `ouzel recover` did. The spellings are a promise; `docs/reference/commands.md` explains them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    CLOSED = "closed"  # cut back to its last whole chunk, and closed
    REBUILT = "rebuilt"  # the same, with a ledger that was made from the media
    BUSY = "busy"  # another process is at work on it: left alone
    UNREADABLE = "unreadable"  # nothing whole in it that could be told: left alone
    BLOCKED = "blocked"  # a file of its final name exists: left alone
    EMPTY = "empty"  # nothing had been recorded yet: removed
    LEFTOVER = "leftover"  # of a conversion that was broken off; its source is whole: removed
    DOWNLOAD = "download"  # unfinished, and of a download, which goes on where it is: left alone
    ORPHAN = "orphan"  # a ledger whose media is gone: left alone
    FAILED = "failed"  # the disk refused


@dataclass(frozen=True, slots=True)
class Recovered:
    """One file. Times in seconds, sizes in bytes."""

    path: str
    """Where it is now."""
    outcome: Outcome
    media_s: float = 0.0
    bytes: int = 0
    chunks: int = 0
    cut_bytes: int = 0
    """Taken off the end: of an unfinished chunk, or of chunks whose bytes are not what was written."""
    lost_chunks: int = 0
    """Whole chunks of which the ledger tells, but whose bytes are not there."""
    lost_s: float = 0.0
    """Media time of these. That of an unfinished chunk nobody knows."""
    damaged: tuple[int, ...] = ()
    """Chunks before the end whose bytes are not what was written; they stay as they are."""
    detail: str = ""

    @property
    def is_whole(self) -> bool:
        """Nothing is lost that we know of, and nothing is left to do."""
        settled = self.outcome in {Outcome.CLOSED, Outcome.EMPTY, Outcome.LEFTOVER, Outcome.BUSY, Outcome.DOWNLOAD}
        return settled and not self.cut_bytes and not self.lost_chunks and not self.damaged

    def fields(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "outcome": self.outcome.value,
            "media_s": round(self.media_s, 3),
            "bytes": self.bytes,
            "chunks": self.chunks,
            "cut_bytes": self.cut_bytes,
            "lost_chunks": self.lost_chunks,
            "lost_s": round(self.lost_s, 3),
            "damaged": list(self.damaged),
            "detail": self.detail,
        }
