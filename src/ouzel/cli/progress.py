"""What is shown while recordings run: a live line each on a terminal, events as lines elsewhere, JSON with --json."""

from __future__ import annotations

import sys
from collections import deque
from typing import Any

import anyio

from ouzel.base.units import format_clock, format_duration, format_rate, format_size
from ouzel.cli.output import NORMAL, VERBOSE, Output
from ouzel.cli.texts import tr
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape
from ouzel.model.events import Event, EventCode
from ouzel.model.ledger import stamp
from ouzel.model.report import Report

_TERMINAL_S = 0.5
_LINES_S = 10.0
_JSON_S = 1.0
_RATE_WINDOW = 20
_MOST_LINES = 20
_LOUD = {
    EventCode.GAP, EventCode.RECONNECTING, EventCode.PAUSED, EventCode.RESUMED, EventCode.WARNING,
    EventCode.FILE_CLOSED, EventCode.CONVERTED, EventCode.CLOCK_SET,
}  # fmt: skip


class Progress:
    """Shows events as they come and counters on a timer. One integer read per recording and tick: nothing is summed."""

    def __init__(self, output: Output, *, several: bool) -> None:
        self._output = output
        self._several = several
        self._drawn = 0
        self._rates: dict[int, deque[tuple[float, int]]] = {}
        self._lines: list[str] = []

    def listen(self, event: Event) -> None:
        """Take an event of any recording."""
        if self._output.is_json:
            self._output.json(
                {"event": event.code.value, "at": stamp(event.wall), "source": event.source, **event.data}
            )
            return
        level = NORMAL if event.code in _LOUD else VERBOSE
        key = f"event.{event.code.value}"
        if event.code is EventCode.REPAIR or self._output.level < level:
            return
        prefix = f"{event.source}: " if self._several else ""
        self._above(f"{event.wall.astimezone():%H:%M:%S}  {prefix}{tr(key, **_shown(event.data))}")

    async def run(self, built: list[tuple[Recorder, Tape]]) -> None:
        """Tick until cancelled."""
        tick_s = _JSON_S if self._output.is_json else _TERMINAL_S if self._output.is_terminal else _LINES_S
        if self._output.level < NORMAL and not self._output.is_json:
            return
        while True:
            await anyio.sleep(tick_s)
            for index, (recorder, tape) in enumerate(built):
                self._tick(index, recorder, tape)
            self._draw()

    def ended(self, recorder: Recorder, report: Report) -> None:
        self._output.json(
            {
                "event": "ended",
                "at": stamp(report.ended),
                "source": recorder.spec.source,
                "end_reason": report.end_reason.value,
            }
        )

    def close(self) -> None:
        """Leave the last state on the screen."""
        if self._drawn:
            sys.stderr.write("\n")
            self._drawn = 0

    def _tick(self, index: int, recorder: Recorder, tape: Tape) -> None:
        counters = tape.counters
        now = anyio.current_time()
        window = self._rates.setdefault(index, deque(maxlen=_RATE_WINDOW))
        window.append((now, counters.received))
        (t0, b0), (t1, b1) = window[0], window[-1]
        rate = (b1 - b0) * 8 / (t1 - t0) if t1 > t0 else 0.0
        if self._output.is_json:
            self._output.json(
                {
                    "event": "progress", "at": stamp(tape.wall()), "source": recorder.spec.source,
                    "state": recorder.state.value, "media_s": round(counters.media_s, 3), "bytes": counters.bytes,
                    "bitrate_bps": round(rate), "gaps": counters.gaps, "missing_s": round(counters.missing_s, 3),
                    "reconnects": counters.reconnects, "runs": counters.runs, "file": str(tape.current_path or ""),
                }
            )  # fmt: skip
            return
        line = tr(
            "progress",
            state=tr(f"state.{recorder.state.value}"),
            time=format_clock(counters.media_s),
            size=format_size(counters.bytes),
            rate=format_rate(rate),
            gaps=counters.gaps,
            reconnects=counters.reconnects,
        )
        self._lines.append(f"{recorder.spec.source}  {line}" if self._several else line)

    def _draw(self) -> None:
        lines, self._lines = self._lines, []
        if self._output.is_json or not lines:
            return
        if not self._output.is_terminal:
            for line in lines:
                self._output.tell(line)
            return
        if len(lines) > _MOST_LINES:
            lines = [*lines[:_MOST_LINES], f"... +{len(lines) - _MOST_LINES}"]
        self._wipe()
        sys.stderr.write("\n".join(f"\x1b[2K{line}" for line in lines))
        sys.stderr.flush()
        self._drawn = len(lines)

    def _above(self, text: str) -> None:
        self._wipe()
        self._output.tell(text)

    def _wipe(self) -> None:
        """Back to the start of the drawn lines, and clear them."""
        if self._drawn:
            up = f"\x1b[{self._drawn - 1}A" if self._drawn > 1 else ""
            sys.stderr.write(f"\r{up}\x1b[J")
            self._drawn = 0


def _shown(data: dict[str, Any]) -> dict[str, Any]:
    """Event data as people read it."""
    shown = dict(data)
    for name, key in (("missing", "missing_s"), ("delay", "delay_s"), ("by", "by_s")):
        if key in data:
            shown[name] = format_duration(abs(data[key]))
    if "at_s" in data:
        shown["at"] = format_clock(data["at_s"])
    if "bytes" in data:
        shown["size"] = format_size(data["bytes"])
    for key in ("media_s", "seconds"):
        if key in data:
            shown["time"] = format_clock(data[key])
    return shown
