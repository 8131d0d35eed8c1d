"""What no reader sees: a disk that fills, a file that is taken away, bytes without media, a slow media clock."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from ouzel.base.errors import OuzelError, Stalled, StorageError
from ouzel.engine.disk import DiskGate
from ouzel.engine.sources.context import SourceContext
from ouzel.model.events import EventCode
from ouzel.model.states import RecordingState

_EVERY_S = 5.0
_SILENT_S, _SILENT_TIMES = 60.0, 6
"""So long, or so many times as long as bytes may stay away, a connection may bring no media."""
_PACE_S = 60.0
_S = RecordingState


class Watchdog:
    """Beside one recording.

    Args:
        state: of the recording, as it is now.
        end: ends the connection that is open, for this reason.
    """

    def __init__(
        self,
        context: SourceContext,
        gate: DiskGate,
        state: Callable[[], RecordingState],
        end: Callable[[OuzelError], None],
    ) -> None:
        self._clock = context.clock
        self._tape = context.tape
        self._silent_s = max(_SILENT_S, _SILENT_TIMES * context.policy.stall_s)
        self._gate = gate
        self._state = state
        self._end = end

    async def run(self) -> None:
        """Until cancelled."""
        mark = (self._clock.monotonic(), 0.0)
        while True:
            await anyio.sleep(_EVERY_S)
            self._look_at_disk()
            self._look_at_media()
            mark = self._look_at_pace(*mark)

    @property
    def _connected(self) -> bool:
        return self._state() in {_S.RECORDING, _S.CONNECTING}

    def _look_at_disk(self) -> None:
        if not self._connected:
            return
        try:
            self._gate.check()
            self._tape.look()
        except StorageError as exc:
            self._end(exc)

    def _look_at_media(self) -> None:
        counters = self._tape.counters
        silent_s = self._clock.monotonic() - counters.last_media
        if self._connected and counters.chunks and silent_s > self._silent_s:
            self._end(Stalled(f"connected, but no media for {silent_s:.0f} s"))

    def _look_at_pace(self, since: float, media_s: float) -> tuple[float, float]:
        now = self._clock.monotonic()
        came_s = self._tape.counters.media_s + self._tape.counters.passed_over_s
        if now - since < _PACE_S or self._state() is not _S.RECORDING:
            return (since, media_s) if self._state() is _S.RECORDING else (now, came_s)
        gained = came_s - media_s
        if gained < 0.5 * (now - since):
            self._tape.emit(
                EventCode.WARNING,
                code="slow_media",
                why=f"{gained:.0f} s of media in {now - since:.0f} s: the source or the line is slower than real time",
            )
        return now, came_s
