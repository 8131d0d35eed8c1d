"""The picture of a running daemon in a terminal, and the same as plain lines: made of an `Overview`, without input or output.

The words are the command line's, in the user's language, and are handed in. No colour says what a word does not say as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from ouzel.base.units import format_clock, format_duration, format_rate, format_size
from ouzel.daemon.words import Words
from ouzel.model.overview import TASK_KINDS, ChannelLine, NoticeLine, Overview, TaskLine, Trouble, by_urgency

_BAD, _GOOD, _FAINT, _STRONG = "31", "32", "2", "1"
_GAP = "  "
_LEAST_NAME, _MOST_NAME, _LEAST_ERROR = 8, 24, 16
_MOST_NOTICES = 3
_DOTS = "..."


@dataclass(frozen=True, slots=True)
class _Column:
    key: str
    """Of its heading: `table.KEY`."""
    text: Callable[[ChannelLine], str]
    right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Args:
    width: columns of the terminal; None: lines are as long as they have to be.
    height: its rows; None: all channels are shown.
    colour: whether to colour what has a meaning.
    """

    words: Words
    width: int | None = None
    height: int | None = None
    colour: bool = False

    def picture(self, seen: Overview) -> list[str]:
        """All of it. Where there is no room for all channels, the troubled and the live come first."""
        head = [self._cut(self._head(seen)), *(self._cut(each) for each in self._roots(seen))]
        head += [self._notice(each) for each in seen.notices[:_MOST_NOTICES]]
        if len(seen.notices) > _MOST_NOTICES:
            head.append(self._cut(self.words.tr("table.more_notices", count=len(seen.notices) - _MOST_NOTICES)))
        if self.height is not None:
            head = head[: max(1, self.height // 3)]
        if not seen.channels:
            return [*head, self._cut(self.words.tr("table.none"))]
        most = len(seen.channels) if self.height is None else max(1, self.height - len(head) - 1)
        shown, left = seen.channels, ()
        if len(shown) > most:
            ordered = sorted(seen.channels, key=by_urgency)
            shown, left = tuple(ordered[: most - 1]), tuple(ordered[most - 1 :])
        lines = [*head, *self._channels(shown)]
        if left:
            live = sum(each.is_on_air for each in left)
            lines.append(self._cut(self.words.tr("table.more", count=len(left), live=live)))
        return lines

    def tasks(self, seen: Overview) -> list[str]:
        """Every task with its state: those that ask platforms, and those that record, apart."""
        if not seen.tasks:
            return [self.words.tr("tasks.none")]
        lines: list[str] = []
        for kind in TASK_KINDS:
            tasks = [task for task in seen.tasks if task.kind == kind]
            if tasks:
                lines.append(self.words.tr(f"tasks.{kind}", count=len(tasks)))
                width = max(cell_len(_plain(task.name)) for task in tasks)
                lines += [self._cut(self._task(task, width)) for task in tasks]
        return lines

    # -- above the channels -------------------------------------------------------------------------------------------

    def _head(self, seen: Overview) -> str:
        totals = seen.totals
        words = [
            f"ouzel {seen.version}",
            seen.address,
            self.words.tr("table.channels", count=totals.channels),
            self.words.tr("table.on_air", count=totals.on_air),
            self.words.tr("table.recording", count=totals.recording),
        ]
        if totals.troubled:
            words.append(self.words.tr("table.troubled", count=totals.troubled))
        if fetched := sum(task.kind == "download" for task in seen.tasks):
            words.append(self.words.tr("table.downloads", count=fetched))
        if totals.recording:
            words.append(format_rate(totals.bitrate_bps))
        return _GAP.join(each for each in words if each)

    def _roots(self, seen: Overview) -> list[str]:
        lines: list[str] = []
        for root in seen.roots:
            free = self.words.tr("table.unasked") if root.free_bytes is None else format_size(root.free_bytes)
            floor = format_size(root.min_free_bytes)
            key = "table.root_low" if root.is_low else "table.root"
            lines.append(self.words.tr(key, name=_plain(root.name), free=free, floor=floor, folder=_plain(root.folder)))
        return lines

    def _notice(self, notice: NoticeLine) -> str:
        bad = notice.severity != "info"
        text = f"! {_plain(notice.message)} ({notice.code})" if bad else f"{_plain(notice.message)} ({notice.code})"
        return self._painted(self._cut(text), _BAD if bad else "")

    # -- channels -----------------------------------------------------------------------------------------------------

    def _channels(self, lines: Sequence[ChannelLine]) -> list[str]:
        columns = self._columns()
        cells = [[column.text(line) for column in columns] for line in lines]
        heads = [self.words.tr(f"table.{column.key}") for column in columns]
        widths = [max(cell_len(row[place]) for row in [heads, *cells]) for place in range(len(columns))]
        widths[0] = min(widths[0], _MOST_NAME) if self.width is not None else widths[0]
        kept = self._kept(columns, widths)
        head = self._row([heads[place] for place in kept], [columns[place] for place in kept], widths, kept)
        rows = [self._painted(head, _STRONG)]
        for line, row in zip(lines, cells, strict=True):
            text = self._row([row[place] for place in kept], [columns[place] for place in kept], widths, kept)
            rows.append(self._painted(text, _style(line)))
        return rows

    def _columns(self) -> list[_Column]:
        return [
            _Column("channel", lambda line: _plain(line.name)),
            _Column("state", self._state),
            _Column("quality", lambda line: _plain(line.quality)),
            _Column("time", lambda line: format_clock(line.time_s) if line.is_recording else "", right=True),
            _Column("size", lambda line: format_size(line.bytes) if line.is_recording else "", right=True),
            _Column("bitrate", lambda line: format_rate(line.bitrate_bps) if line.is_recording else "", right=True),
            _Column("gaps", lambda line: _gaps(line) if line.is_recording else "", right=True),
            _Column("last_error", lambda line: self._error(line.last_error) or _plain(line.title)),
        ]

    def _kept(self, columns: Sequence[_Column], widths: list[int]) -> list[int]:
        """Which columns there is room for; the widths of the first and the last are made to fit."""
        kept = [*range(len(columns))]
        if self.width is None:
            return kept
        room = self.width - 1
        last = len(columns) - 1
        for given_up in ("quality", "bitrate", "time", "size", "last_error", "gaps"):
            if _taken(kept, {0: min(widths[0], _LEAST_NAME), last: min(widths[last], _LEAST_ERROR)}, widths) <= room:
                break
            kept = [place for place in kept if columns[place].key != given_up]
        widths[1] = min(widths[1], max(1, room // 2))
        others = _taken(kept, {0: 0, last: 0}, widths)
        most_error = min(widths[last], _LEAST_ERROR) if last in kept else 0
        widths[0] = max(1, min(widths[0], room - others - most_error))
        if last in kept:
            widths[last] = max(0, room - others - widths[0])
        return kept

    def _row(self, cells: list[str], columns: list[_Column], widths: list[int], kept: list[int]) -> str:
        texts: list[str] = []
        for text, column, place in zip(cells, columns, kept, strict=True):
            fitted = _fit(text, widths[place])
            room = " " * (widths[place] - cell_len(fitted))
            texts.append(room + fitted if column.right else fitted + room)
        return self._cut(_GAP.join(texts).rstrip())

    def _state(self, line: ChannelLine) -> str:
        mark = "!" if line.is_troubled else "*" if line.is_recording else " "
        state = self.words.tr(f"state.{line.state}")
        if line.not_recorded:
            state = self.words.tr("table.not_recorded", state=state)
        return f"{mark} {state}"

    def _error(self, error: Trouble | None) -> str:
        return "" if error is None else _plain(f"{self.words.reason(error.code, error.message)} ({error.code})")

    # -- tasks --------------------------------------------------------------------------------------------------------

    def _task(self, task: TaskLine, width: int) -> str:
        name = _plain(task.name)
        words = [f"  {name}{' ' * (width - cell_len(name))}", self.words.tr(f"task.{task.state}")]
        if task.state != "queued":
            words.append(self.words.tr("tasks.since", time=format_duration(task.since_s)))
        if task.restarts:
            words.append(self.words.tr("tasks.restarts", count=task.restarts))
        if task.last_error is not None:
            words.append(self._error(task.last_error))
        return _GAP.join(words)

    # -- in a terminal ------------------------------------------------------------------------------------------------

    def _cut(self, text: str) -> str:
        return text if self.width is None else _fit(text, max(1, self.width - 1))

    def _painted(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.colour and style and text else text


def _style(line: ChannelLine) -> str:
    if line.is_troubled:
        return _BAD
    return _GOOD if line.is_recording else "" if line.is_on_air else _FAINT


def _gaps(line: ChannelLine) -> str:
    return f"{line.gaps} ({format_duration(line.missing_s)})" if line.gaps else "0"


def _taken(kept: Sequence[int], instead: dict[int, int], widths: Sequence[int]) -> int:
    return sum(instead.get(place, widths[place]) for place in kept) + len(_GAP) * (len(kept) - 1)


def _fit(text: str, width: int) -> str:
    """At most so many columns; what was cut ends with dots where there is room for them."""
    if cell_len(text) <= width:
        return text
    if width <= len(_DOTS):
        return set_cell_size(text, width)
    return set_cell_size(text, width - len(_DOTS)).rstrip() + _DOTS


def _plain(text: str) -> str:
    """Names and titles are written by strangers: nothing in them steers the terminal, or turns its direction."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
