"""What all commands about files have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import click

from ouzel.base.errors import BadOption
from ouzel.base.units import format_clock, format_duration
from ouzel.cli.output import NORMAL, QUIET, VERBOSE, Output, fit
from ouzel.cli.texts import tr
from ouzel.engine.sinks.file import LEDGER, PART
from ouzel.model.flow import Gap

_CLEAR_LINE = "\r\x1b[K"
_PERCENT_COLUMNS = len("  100 %") + 1


def speaking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how a command speaks. They arrive as `output`."""

    @click.option("--json", "as_json", is_flag=True, help="The results as JSON, an object a line.")
    @click.option("-v", "--verbose", is_flag=True, help="Tell more.")
    @click.option("-q", "--quiet", is_flag=True, help="Tell only errors.")
    def with_output(*args: Any, as_json: bool, verbose: bool, quiet: bool, **options: Any) -> Any:
        return command(*args, output=Output(as_json, level_of(verbose=verbose, quiet=quiet)), **options)

    with_output.__name__ = command.__name__
    with_output.__doc__ = command.__doc__
    return with_output


def level_of(*, verbose: bool, quiet: bool) -> int:
    """How much is told. Raises: BadOption when both more and less is wanted."""
    if verbose and quiet:
        raise BadOption("--verbose and --quiet contradict each other")
    return VERBOSE if verbose else QUIET if quiet else NORMAL


def without_ledgers(files: Sequence[Path]) -> list[Path]:
    """What `folder/*` means: a ledger whose file is named too is not looked at by itself."""
    own = {file.with_suffix(LEDGER) for file in files if file.suffix not in ("", LEDGER, PART)}
    own |= {file.with_suffix("").with_suffix(LEDGER) for file in files if file.suffix == PART}
    return [file for file in files if file not in own]


class Bar:
    """How far a piece of work is, on a line that goes away: on a terminal only."""

    def __init__(self, output: Output, label: str) -> None:
        self._output = output
        self._label = label
        self._shown = -1
        self._on = output.is_terminal and output.level >= NORMAL

    def tell(self, share: float) -> None:
        """`share`: 0 to 1."""
        percent = int(share * 100)
        if self._on and percent != self._shown:
            self._shown = percent
            label = fit(self._label, self._output.terminal_size()[0] - _PERCENT_COLUMNS)
            self._output.draw(f"{_CLEAR_LINE}{label}  {percent} %")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Make room for a line that stays."""
        if self._shown >= 0:
            self._output.draw(_CLEAR_LINE)
            self._shown = -1


def missing_text(gap: Gap) -> str:
    """How much a gap is, and of what, if not of all."""
    time = format_duration(gap.missing_s)
    return time if gap.scope == "all" else tr(f"gap.{gap.scope}", time=time)


def gap_text(gap: Gap) -> str:
    """A gap as one line: how much, where in the file, when it was on air if that is known, why."""
    start, end = gap.wall_start.astimezone(), gap.wall_end.astimezone()
    return tr(
        "file.gap" if gap.is_dated else "file.gap_undated",
        missing=missing_text(gap),
        at=format_clock(gap.at_s),
        start=f"{start:%Y-%m-%d %H:%M:%S}",
        end=f"{end:%H:%M:%S}",
        why=gap.why,
        code=gap.code.value,
    )
