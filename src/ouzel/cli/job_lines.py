"""`ouzel jobs list --follow`: what runs now, with a bar each on a terminal; elsewhere a line for each change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ouzel.base.units import format_duration
from ouzel.cli.client import Api
from ouzel.cli.groups import Row
from ouzel.cli.output import Output, fit, pad, plain
from ouzel.cli.texts import tr

_OPEN = ("running", "queued", "waiting")
_TOLD = ("state", "fraction", "message", "why")
_BAR, _LABEL = 20, 24
_EVERY_S = 1.0
_STEP = 0.1
"""Where nothing is drawn: a line for so much more of a job."""


class JobLines:
    """Of one call."""

    def __init__(self, output: Output, api: Api) -> None:
        self._output = output
        self._api = api
        self._known: dict[str, Row] = {}
        self._drawn = 0

    def follow(self, sleep: Callable[[float], None]) -> None:
        """Until whoever reads has gone away."""
        while not self._output.unread:
            self.look()
            sleep(_EVERY_S)

    def look(self) -> None:
        """What has changed since it was looked last, and what runs now."""
        running = [*self._api.all("jobs", state="running")]
        waiting = sum(self._api.get("jobs", state=state, limit=1, count="exact")["total"] for state in _OPEN[1:])
        ids = {row["id"] for row in running}
        over = [self._api.get(f"jobs/{job_id}") for job_id in self._known if job_id not in ids]
        if self._output.is_json:
            self._output.json(*(row for row in (*over, *running) if _told(row) != _told(self._known.get(row["id"]))))
        else:
            self._show(over, running, waiting)
        self._known = {row["id"]: row for row in running}

    def close(self) -> None:
        """What is drawn stays, and the cursor stands below it."""
        if self._drawn:
            self._output.draw("\n")
            self._drawn = 0

    def _show(self, over: list[Row], running: list[Row], waiting: int) -> None:
        if not self._output.is_terminal:
            changed = [row for row in running if _much_more(row, self._known.get(row["id"]))]
            for row in (*over, *changed):
                self._output.say(_line(row, bar=False))
            return
        width, height = self._output.terminal_size()
        lines = [_line(row, bar=True) for row in running[: max(1, height - 2)]]
        lines.append(tr("jobs.sum", running=len(running), waiting=waiting))
        up = f"\x1b[{self._drawn - 1}A" if self._drawn > 1 else ""
        erased = f"\r{up}\x1b[J" if self._drawn else ""
        ended = "".join(f"{fit(plain(_line(row, bar=False)), width - 1)}\n" for row in over)
        self._output.draw(erased + ended + "\n".join(fit(plain(line), width - 1) for line in lines))
        self._drawn = len(lines)


def _told(row: Row | None) -> list[Any] | None:
    return None if row is None else [row[name] for name in _TOLD]


def _much_more(row: Row, before: Row | None) -> bool:
    return before is None or int((row["fraction"] or 0) / _STEP) != int((before["fraction"] or 0) / _STEP)


def _line(row: Row, *, bar: bool) -> str:
    share = row["fraction"]
    label = pad(fit(f"{row['kind']} {row['id']}", _LABEL), _LABEL)
    if row["state"] != "running":
        return "  ".join(filter(None, (label, row["state"], row["why"] or "")))
    full = round(_BAR * (share or 0.0))
    drawn = f"{'█' * full}{'░' * (_BAR - full)} " if bar else ""
    percent = "  ?" if share is None else f"{int(share * 100):3d}"
    left = "" if row["eta_s"] is None else tr("download.eta", time=format_duration(row["eta_s"]))
    return "  ".join(filter(None, (f"{label} {drawn}{percent} %", left, row["message"])))
