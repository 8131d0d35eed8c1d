"""What is shown while recordings run: a live line each on a terminal, events as lines elsewhere, JSON with --json."""

from __future__ import annotations

from collections import deque
from typing import Any

import anyio

from ouzel.base.units import format_clock, format_duration, format_rate, format_size
from ouzel.cli.output import NORMAL, VERBOSE, Output, fit, plain
from ouzel.cli.texts import reason, tr
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape
from ouzel.model.events import Event, EventCode
from ouzel.model.ledger import stamp
from ouzel.model.report import Report
from ouzel.model.states import RecordingState

_TERMINAL_S = 0.5
_LINES_S = 10.0
_JSON_S = 1.0
_MOST_JSON_PER_S = 50
_RATE_S = 10.0
_MOST_LINES = 20
_FIRST_TRIES = 3
_LONG_S = 10.0
_LOUD = {
    EventCode.GAP, EventCode.RECONNECTING, EventCode.WARNING, EventCode.FILE_CLOSED, EventCode.CONVERTED,
    EventCode.CLOCK_SET,
}  # fmt: skip
_OF_THE_DISK = {EventCode.PAUSED, EventCode.RESUMED}


class Progress:
    """Shows events as they come and counters on a timer. One integer read per recording and tick: nothing is summed."""

    def __init__(self, output: Output, *, several: bool) -> None:
        self._output = output
        self._several = several
        self._drawn = 0
        self._begun: set[str] = set()
        self._paused: set[str] = set()
        self._waits: dict[str, tuple[int, str]] = {}
        self._rates: list[_Rate] = []

    def listen(self, event: Event) -> None:
        """Take an event of any recording."""
        if self._output.is_json:
            self._output.json(
                {"event": event.code.value, "at": stamp(event.wall), "source": event.source, **event.data}
            )
            return
        level = self._level(event)
        if event.code is EventCode.REPAIR or self._output.level < level:
            return
        prefix = f"{event.source}: " if self._several and event.code not in _OF_THE_DISK else ""
        words = tr(_key(event), **_shown(event.data))
        self.tell(f"{event.wall.astimezone():%H:%M:%S}  {prefix}{words}")

    def _level(self, event: Event) -> int:
        match event.code:
            case EventCode.FILE_OPENED:
                self._begun.add(event.source)
            case EventCode.RECONNECTING if event.source not in self._begun:
                return self._level_of_wait(event)
            case EventCode.PAUSED:  # one notice for all that write to this disk
                self._paused.add(event.source)
                return NORMAL if len(self._paused) == 1 else VERBOSE
            case EventCode.RESUMED:
                self._paused.discard(event.source)
                return VERBOSE if self._paused else NORMAL
            case _:
                pass
        return NORMAL if event.code in _LOUD else VERBOSE

    def _level_of_wait(self, event: Event) -> int:
        """The first tries are no news: if they fail, the error is told at the end. With `--wait` there is none: each reason is
        told once; at once where the next try is a while away."""
        tries, told = self._waits.get(event.source, (0, ""))
        is_news = (tries >= _FIRST_TRIES or event.data["delay_s"] >= _LONG_S) and event.data["code"] != told
        self._waits[event.source] = (tries + 1, event.data["code"] if is_news else told)
        return NORMAL if is_news else VERBOSE

    async def run(self, built: list[tuple[Recorder, Tape]]) -> None:
        """Tick until cancelled."""
        json_s = max(_JSON_S, len(built) / _MOST_JSON_PER_S)
        tick_s = json_s if self._output.is_json else _TERMINAL_S if self._output.is_terminal else _LINES_S
        if self._output.level < NORMAL and not self._output.is_json:
            return
        self.begin(built, tick_s)
        while True:
            await anyio.sleep(tick_s)
            now = anyio.current_time()
            for rate in self._rates:
                rate.look(now)
            self._output.catch_up()
            if self._output.is_json:
                docs = [
                    _fields(recorder, tape, rate.bps)
                    for (recorder, tape), rate in zip(built, self._rates, strict=True)
                    if recorder.state is not RecordingState.DONE  # `ended` was the last word about it
                ]
                self._output.json(*docs, dispensable=True)
            elif self._output.is_terminal:
                self._draw(built)
            else:
                for line in self.lines(built, _MOST_LINES):
                    self._output.tell(line)

    def begin(self, built: list[tuple[Recorder, Tape]], tick_s: float) -> None:
        """Measure rates from now on."""
        self._rates = [_Rate(tape, tick_s) for _, tape in built]

    def ended(self, recorder: Recorder, report: Report) -> None:
        self._output.json(
            {
                "event": "ended",
                "at": stamp(report.ended),
                "source": recorder.spec.source,
                "end_reason": report.end_reason.value,
            }
        )

    def tell(self, text: str) -> None:
        """A line above what is drawn."""
        self.close()
        self._output.tell(text)

    def close(self) -> None:
        """Back to the start of the drawn lines, and clear them."""
        if self._drawn:
            self._output.draw(self._erasing())
            self._drawn = 0

    def _erasing(self) -> str:
        if not self._drawn:
            return ""
        up = f"\x1b[{self._drawn - 1}A" if self._drawn > 1 else ""
        return f"\r{up}\x1b[J"

    def _draw(self, built: list[tuple[Recorder, Tape]]) -> None:
        width, height = self._output.terminal_size()
        lines = self.lines(built, max(1, min(_MOST_LINES, height - 1)))
        picture = "\n".join(f"\x1b[2K{fit(plain(line), width - 1)}" for line in lines)
        if self._output.draw(self._erasing() + picture, dispensable=True):
            self._drawn = len(lines)

    def lines(self, built: list[tuple[Recorder, Tape]], most: int) -> list[str]:
        """A line for each recording that is not over; those that are in trouble first where there is no room for all."""
        running = [
            (recorder, tape, rate)
            for (recorder, tape), rate in zip(built, self._rates, strict=True)
            if recorder.state is not RecordingState.DONE
        ]
        if len(running) > most:
            running.sort(key=lambda each: each[0].state is RecordingState.RECORDING)
        lines = [self._line(*each) for each in running[:most]]
        if len(running) > most:
            lines[-1] = tr("progress.more", count=len(running) - most + 1)
        return lines

    def _line(self, recorder: Recorder, tape: Tape, rate: _Rate) -> str:
        counters = tape.counters
        line = tr(
            "progress",
            state=tr(f"state.{recorder.state.value}"),
            time=format_clock(counters.media_s),
            size=format_size(counters.bytes),
            rate=format_rate(rate.bps),
            gaps=counters.gaps,
            reconnects=counters.reconnects,
        )
        return f"{line}  {recorder.spec.source}" if self._several else line


class _Rate:
    """Bits a second from the network, over the last seconds."""

    def __init__(self, tape: Tape, tick_s: float) -> None:
        self._tape = tape
        self._seen: deque[tuple[float, int]] = deque(maxlen=max(2, round(_RATE_S / tick_s) + 1))
        self.look(anyio.current_time())

    def look(self, now: float) -> None:
        self._seen.append((now, self._tape.counters.received))

    @property
    def bps(self) -> float:
        (t0, b0), (t1, b1) = self._seen[0], self._seen[-1]
        return (b1 - b0) * 8 / (t1 - t0) if t1 > t0 else 0.0


def _fields(recorder: Recorder, tape: Tape, bps: float) -> dict[str, Any]:
    """The `progress` event."""
    counters = tape.counters
    return {
        "event": "progress", "at": stamp(tape.wall()), "source": recorder.spec.source,
        "state": recorder.state.value, "media_s": round(counters.media_s, 3), "bytes": counters.bytes,
        "bitrate_bps": round(bps), "gaps": counters.gaps, "missing_s": round(counters.missing_s, 3),
        "reconnects": counters.reconnects, "runs": counters.runs, "file": str(tape.current_path or ""),
    }  # fmt: skip


def _key(event: Event) -> str:
    if event.code is EventCode.WARNING and "format" in event.data:
        return "event.no_time" if event.data["code"] == "stopped" else "event.stays"
    return f"event.{event.code.value}"


def _shown(data: dict[str, Any]) -> dict[str, Any]:
    """Event data as people read it."""
    shown = dict(data)
    if "why" in data and "code" in data:
        shown["why"] = reason(data["code"], data["why"])
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
