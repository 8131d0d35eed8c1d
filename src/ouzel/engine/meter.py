"""Long work in a worker thread: how far it is, told on the loop; and where it notices that it was cancelled."""

from __future__ import annotations

from collections.abc import Callable

import anyio.from_thread

OnProgress = Callable[[float], None]
"""Told the share of the work that is done, 0 to 1; called on the loop."""

_STEP = 0.002


class Meter:
    """Counts bytes in a thread that `anyio.to_thread.run_sync` runs."""

    def __init__(self, total: int, on_progress: OnProgress | None) -> None:
        self._total = max(1, total)
        self._on_progress = on_progress
        self._done = 0
        self._told = 0.0

    def finish(self) -> None:
        """There is no more to do than was done."""
        self.take(max(0, self._total - self._done))

    def take(self, count: int) -> None:
        """So many bytes more. Raises the loop's cancellation when the work is not wanted any more."""
        self._done += count
        share = min(1.0, self._done / self._total)
        if share - self._told < _STEP and share < 1.0:
            return
        self._told = share
        anyio.from_thread.check_cancelled()
        if self._on_progress is not None:
            anyio.from_thread.run_sync(self._on_progress, share)
