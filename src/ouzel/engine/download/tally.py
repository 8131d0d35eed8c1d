"""Counters of one download: integers that callbacks add to, and what is made of them when somebody looks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ouzel.model.downloads import DownloadProgress, Stage

_SPEED_S = 5.0
"""Speed is taken over so long."""


@dataclass(slots=True)
class Tally:
    """Sums over all tracks of a download."""

    stage: Stage = "resolving"
    file: str = ""
    pieces: int = 0
    pieces_done: int = 0
    media_s: float = 0.0
    media_done_s: float = 0.0
    bytes_total: int | None = None
    bytes_done: int = 0
    """Of whole pieces, those included that were there before."""
    fetched: int = 0
    """What came over the wire in this call, of pieces that failed as well."""
    under_way: int = 0
    """Bytes of pieces that are not whole yet."""
    retries: int = 0
    connections: int = 0
    gaps: int = 0
    share: float = 0.0
    _marks: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])

    def look(self, now: float) -> DownloadProgress:
        speed_bps = self._speed(now)
        return DownloadProgress(
            self.stage,
            self.pieces_done,
            self.pieces,
            self.bytes_done + self.under_way,
            self.media_done_s,
            self.media_s,
            self.bytes_total,
            speed_bps,
            self._eta_s(speed_bps),
            self.connections,
            self.retries,
            self.gaps,
            self.file,
            self.share,
        )

    def _speed(self, now: float) -> float:
        self._marks.append((now, self.fetched))
        while len(self._marks) > 2 and now - self._marks[1][0] >= _SPEED_S:
            self._marks.popleft()
        since, before = self._marks[0]
        return (self.fetched - before) / (now - since) if now - since > 0 else 0.0

    def _eta_s(self, speed_bps: float) -> float | None:
        """By bytes where they are announced, else by bytes per second of media (segments of one list differ in length)."""
        if speed_bps <= 0 or self.stage != "fetching":
            return None
        if self.bytes_total is not None:
            return max(0.0, self.bytes_total - self.bytes_done - self.under_way) / speed_bps
        if self.media_done_s > 0 and self.media_s > 0:
            per_s = self.bytes_done / self.media_done_s
            return max(0.0, (self.media_s - self.media_done_s) * per_s - self.under_way) / speed_bps
        return None


class Bucket:
    """A limit of bytes a second, with a debt instead of a queue: who has taken too much waits."""

    __slots__ = ("_at", "_level", "_rate_bps")

    def __init__(self, rate_bps: int) -> None:
        self._rate_bps = rate_bps
        self._level = 0.0
        self._at: float | None = None

    def take(self, count: int, now: float) -> None:
        """So many bytes have come."""
        passed_s = 0.0 if self._at is None else now - self._at
        self._at = now
        self._level = min(self._rate_bps * 0.25, self._level + passed_s * self._rate_bps) - count

    def owed_s(self, now: float) -> float:
        """Seconds to wait before more is taken."""
        self.take(0, now)
        return max(0.0, -self._level / self._rate_bps)
