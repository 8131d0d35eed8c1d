"""How many connections one host is asked over at once: as many as bring more, and fewer when it says they are too many. Pure.

Slow start, then careful steps, and a multiplicative decrease, as in TCP's own control (RFC 5681), with goodput in the place of
acknowledgements. All times are seconds of one monotonic clock.
"""

from __future__ import annotations

FIRST = 4
_GROWTH = 1.2
"""Goodput must grow by this in slow start, from one round to the next, in which connections are doubled."""
_STEP_GROWTH = 1.04
"""And by this when one was added."""
_PATIENCE_S = 5.0
"""After trouble, and after a step that brought nothing, until the next one is tried; doubled each time, up to `_LONGEST_S`."""
_LONGEST_S = 60.0
_ROUND_S = 0.25
"""The least time over which goodput is taken."""
_MERCY_S = 1.0
"""Several answers of one moment are one trouble: those to requests that were under way when the first came."""


class Congestion:
    """Of one host.

    Args:
        most: connections that are never exceeded.
    """

    def __init__(self, most: int, *, first: int = FIRST) -> None:
        self.most = most
        self.limit = min(first, most)
        """So many may be under way now."""
        self._starting = True
        self._bytes = 0
        self._pieces = 0
        self._round = self.limit
        """Pieces in a round: one for each connection that there was when it began."""
        self._since: float | None = None
        self._was_bps = 0.0
        self._was_limit = 0
        self._wait_s = _PATIENCE_S
        self._next_at = float("-inf")
        self._free_at = float("-inf")
        self._halved_at = float("-inf")
        self._wall = 0
        """So many were too many, lately."""

    def rest_s(self, now: float) -> float:
        """How long the host wants not to be asked at all."""
        return max(0.0, self._free_at - now)

    def came(self, count: int) -> None:
        """So many bytes."""
        self._bytes += count

    def done(self, now: float, *, busy: bool) -> None:
        """A piece is whole.

        Args:
            busy: as many as may be are under way, so that the goodput tells something of the limit.
        """
        if self._since is None or not busy:
            self._begin_round(now)
            return
        self._pieces += 1
        if self._pieces >= self._round and now - self._since >= _ROUND_S:
            self._judge(self._bytes / (now - self._since), now)
            self._begin_round(now)
        if self._starting:
            self.limit = min(self.most, self.limit + 1)

    def trouble(self, now: float, retry_after_s: float | None = None, *, refused: bool = True) -> None:
        """429 or 503; or, not `refused`, a reset, which may have any reason."""
        if retry_after_s:
            self._free_at = max(self._free_at, now + retry_after_s)
        if now - self._halved_at < _MERCY_S:
            return
        self._halved_at = now
        self._wall = self.limit if refused else 0
        self.limit = max(1, self.limit // 2)
        self._settle(now)

    def _judge(self, bps: float, now: float) -> None:
        if self._starting:
            if self._was_limit and bps < _GROWTH * self._was_bps and self._was_limit < self._round:
                self.limit = self._round
                self._settle(now)
            else:
                self._was_bps, self._was_limit = bps, self._round
            return
        if self._was_limit == self.limit or not self._was_limit:  # no step was taken: this is what it brings by now
            self._was_bps, self._was_limit = bps, self.limit
            if now >= self._next_at:
                self._grow(now)
            return
        if bps >= _STEP_GROWTH * self._was_bps:
            self._was_bps, self._was_limit = bps, self.limit
            self._wait_s = _PATIENCE_S
            self._grow(now)
            return
        self.limit = self._was_limit
        self._settle(now)

    def _grow(self, now: float) -> None:
        if self.limit + 1 == self._wall and now - self._halved_at < _LONGEST_S:
            return
        self.limit = min(self.most, self.limit + 1)

    def _settle(self, now: float) -> None:
        """Stay here for a while."""
        self._starting = False
        self._was_limit, self._was_bps = 0, 0.0
        self._next_at = now + self._wait_s
        self._wait_s = min(_LONGEST_S, self._wait_s * 2)
        self._begin_round(now)

    def _begin_round(self, now: float) -> None:
        self._since, self._bytes, self._pieces, self._round = now, 0, 0, self.limit
