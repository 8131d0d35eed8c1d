"""What is shown while downloads run: a bar each and their sum on a terminal, lines elsewhere, JSON with --json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

from ouzel.base.errors import OuzelError
from ouzel.base.units import format_clock, format_duration, format_size
from ouzel.cli.output import NORMAL, Output, columns, fit, pad, plain
from ouzel.cli.texts import reason, told, tr
from ouzel.engine.download.home import TRACKS
from ouzel.model.downloads import DownloadOutcome, DownloadProgress

_TERMINAL_S, _LINES_S, _JSON_S = 0.5, 10.0, 1.0
_BAR = 20
_MOST_LINES = 20
_LABEL = 24
_LEAST_LABEL, _LEAST_BAR = 8, 4
_AROUND = len(" " + " 100 %  ")
"""Columns between label, bar and details."""


@dataclass(slots=True)
class _Line:
    label: str
    url: str
    """As JSON tells it."""
    progress: DownloadProgress = field(default_factory=lambda: DownloadProgress("resolving"))
    begun: bool = False
    over: bool = False
    failed: bool = False


class Bars:
    """Of one call."""

    def __init__(self, output: Output, labels: Sequence[str], urls: Sequence[str] = ()) -> None:
        """`urls`: redacted; without them the labels are."""
        self._output = output
        self._lines = [_Line(*each) for each in zip(labels, urls or labels, strict=True)]
        self._drawn = 0

    def begin(self, number: int) -> None:
        self._lines[number].begun = True

    def tell(self, number: int, progress: DownloadProgress) -> None:
        self._lines[number].progress = progress

    def done(self, number: int, outcome: DownloadOutcome) -> None:
        line = self._lines[number]
        line.over = True
        known = "download.there" if not outcome.fetched_bytes and outcome.pieces else "download.done"
        length = format_clock(outcome.media_s) if outcome.media_s else ""
        self._result(tr(known, path=outcome.path, size=format_size(outcome.size), time=length).rstrip())
        for gap in outcome.gaps:
            self._result(tr("download.gap", number=gap.first_sequence, why=reason(gap.code.value, gap.why)))
        for words in outcome.warnings:
            self.say(told(words))

    def failed(self, number: int, exc: OuzelError) -> None:
        line = self._lines[number]
        line.over = line.failed = True
        self.close()
        about = f"{line.label}: " if len(self._lines) > 1 else ""
        self._output.complain(exc.code, f"{about}{reason(exc.code, exc.message)}")

    async def run(self) -> None:
        """Tick until cancelled."""
        output = self._output
        if output.level < NORMAL and not output.is_json:
            return
        tick_s = _JSON_S if output.is_json else _TERMINAL_S if output.is_terminal else _LINES_S
        while True:
            await anyio.sleep(tick_s)
            output.catch_up()
            if output.is_json:
                output.json(*(_doc(line) for line in self._running()), dispensable=True)
            elif output.is_terminal:
                self._draw()
            else:
                for text in self.picture():
                    output.tell(text)

    def say(self, text: str) -> None:
        """A line above what is drawn."""
        self.close()
        self._output.tell(text)

    def close(self) -> None:
        if self._drawn:
            self._output.draw(self._erasing())
            self._drawn = 0

    def _result(self, text: str) -> None:
        self.close()
        self._output.say(text)

    def _erasing(self) -> str:
        if not self._drawn:
            return ""
        up = f"\x1b[{self._drawn - 1}A" if self._drawn > 1 else ""
        return f"\r{up}\x1b[J"

    def _draw(self) -> None:
        width, height = self._output.terminal_size()
        lines = self.picture(most=max(1, min(_MOST_LINES, height - 2)), width=width - 1)
        picture = "\n".join(f"\x1b[2K{fit(plain(line), width - 1)}" for line in lines)
        if lines and self._output.draw(self._erasing() + picture, dispensable=True):
            self._drawn = len(lines)

    def picture(self, *, most: int = _MOST_LINES, width: int | None = None) -> list[str]:
        """A line for each that runs, `most` of them, and their sum. `width`: of a terminal, in columns; None: no bars."""
        running = self._running()
        rows = _rows([_told(line) for line in running[:most]], width)
        if len(running) > most:
            rows[-1] = tr("progress.more", count=len(running) - most + 1)
        return [*rows, self._sum()] if rows and len(self._lines) > 1 else rows

    def _running(self) -> list[_Line]:
        return [line for line in self._lines if line.begun and not line.over]

    def _sum(self) -> str:
        failed = sum(line.failed for line in self._lines)
        over = sum(line.over for line in self._lines) - failed
        speed = sum(line.progress.speed_bps for line in self._running())
        size = sum(line.progress.bytes_done for line in self._lines)
        text = tr("download.sum", over=over, count=len(self._lines), size=format_size(size), speed=format_size(speed))
        return f"{text}  {tr('download.failed', count=failed)}" if failed else text


def _share(progress: DownloadProgress) -> float | None:
    """0 to 1; None where nobody knows."""
    if progress.stage != "fetching":
        return progress.share
    if progress.bytes_total:
        return progress.bytes_done / progress.bytes_total
    return progress.pieces_done / progress.pieces if progress.pieces > 1 else None


@dataclass(frozen=True, slots=True)
class _Told:
    """A line, before it is known how wide it may be."""

    label: str
    share: float | None
    details: str


def _rows(told: Sequence[_Told], width: int | None) -> list[str]:
    """The label and the bar give way to what is told."""
    label, bar = _LABEL, 0
    if width is not None:
        room = width - _AROUND - max((columns(each.details) for each in told), default=0)
        label = min(_LABEL, max(_LEAST_LABEL, room - _BAR))
        bar = min(_BAR, room - label)
    return [_row(each, label, bar if bar >= _LEAST_BAR else 0) for each in told]


def _row(told: _Told, label: int, bar: int) -> str:
    share = min(1.0, told.share or 0.0)
    full = round(bar * share)
    drawn = f"{'█' * full}{'░' * (bar - full)} " if bar else ""
    percent = "  ?" if told.share is None else f"{int(share * 100):3d}"
    return f"{pad(_shortened(told.label, label), label)} {drawn}{percent} %  {told.details}"


def _shortened(label: str, width: int) -> str:
    """Of an address the end says more than the beginning."""
    if columns(label) <= width:
        return label
    if "://" not in label:
        return f"{fit(label, width - 1)}…"
    path = label.partition("?")[0].rstrip("/")
    while columns(path) > width - 1:
        path = path[1:]
    return f"…{path}"


def _name(line: _Line) -> str:
    """What is written; of a track in the folder of its download, which one."""
    folder, _, name = line.progress.file.rpartition("/")
    stem = folder.rpartition("/")[2]
    if not stem.endswith(TRACKS):
        return name or line.label
    return f"{name.rpartition('.')[0]} {stem.removesuffix(TRACKS)}"


def _told(line: _Line) -> _Told:
    progress = line.progress
    if progress.stage != "fetching":
        return _Told(_name(line), _share(progress), tr(f"download.{progress.stage}"))
    count = f"{progress.pieces_done}/{progress.pieces}" if progress.pieces else format_clock(progress.media_done_s)
    text = tr("download.fetching", count=count, speed=format_size(progress.speed_bps))
    eta = "" if progress.eta_s is None else tr("download.eta", time=format_duration(progress.eta_s))
    more = [
        tr(key, count=count)
        for key, count in (("download.retries", progress.retries), ("download.gaps", progress.gaps))
        if count
    ]
    size = format_size(progress.bytes_done)  # last: it is what may be cut off
    return _Told(_name(line), _share(progress), "  ".join(each for each in (text, eta, *more, size) if each))


def _doc(line: _Line) -> dict[str, object]:
    progress = line.progress
    return {
        "event": "progress",
        "url": line.url,
        "stage": progress.stage,
        "segments_done": progress.pieces_done,
        "segments": progress.pieces,
        "bytes": progress.bytes_done,
        "bytes_total": progress.bytes_total,
        "media_done_s": round(progress.media_done_s, 3),
        "media_s": round(progress.media_s, 3),
        "speed_bps": round(progress.speed_bps),
        "eta_s": None if progress.eta_s is None else round(progress.eta_s, 1),
        "connections": progress.connections,
        "retries": progress.retries,
        "gaps": progress.gaps,
        "file": progress.file,
    }
