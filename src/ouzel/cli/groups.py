"""Commands about one noun: a group, its help, and tables of what a daemon answers."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import click

from ouzel.cli.main import Command
from ouzel.cli.output import Output, columns, fit, pad
from ouzel.cli.texts import help as help_texts
from ouzel.cli.texts import language, tr

_WIDEST = 40
_LEAST_NAME, _LEAST_LAST = 12, 10


class Noun(Command, click.Group):
    """A group whose commands are listed with what they do."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        with formatter.section(tr("help.commands")):
            formatter.write_dl([(name, _what(ctx, self, name)) for name in self.list_commands(ctx)])


def _what(ctx: click.Context, group: click.Group, name: str) -> str:
    if language() == "zh":
        return help_texts.COMMANDS[f"{ctx.command_path.partition(' ')[2]} {name}"].partition("\n")[0]
    return group.commands[name].get_short_help_str(limit=80)


Row = dict[str, Any]


def show(
    output: Output,
    rows: Iterable[Row],
    heads: str,
    cells: Callable[[Row], Sequence[object]],
    *,
    gives_way: int | None = None,
) -> None:
    """Each row as JSON, or all as a table.

    Args:
        heads: key of a text with the names of the columns, `|` between them.
        gives_way: place of the column that is cut where the terminal is too narrow, after the last one; columns in which nothing
            stands are left out then, too. None: lines are as long as they have to be.
    """
    found = [*rows]
    output.json(*found)
    table = [tr(heads).split("|"), *([_cell(value) for value in cells(row)] for row in found)]
    room = _room() if gives_way is not None and found else None
    if room is not None:
        kept = [place for place in range(len(table[0])) if any(row[place] for row in table[1:])]
        table = [[row[place] for place in kept] for row in table]
    widths = [min(_WIDEST, max(columns(row[place]) for row in table)) for place in range(len(table[0]))]
    widths[-1] = max(columns(row[-1]) for row in table)  # where nothing is beside it, nothing is cut off
    if room is not None and gives_way is not None:
        for place, least in ((-1, _LEAST_LAST), (gives_way, _LEAST_NAME)):
            over = max(0, sum(widths) + 2 * (len(widths) - 1) - room)
            widths[place] = max(min(least, widths[place]), widths[place] - over)
    for row in table if found else ():
        line = (pad(fit(cell, width), width) for cell, width in zip(row, widths, strict=True))
        output.say("  ".join(line).rstrip())
    if not found:
        output.say(tr("clients.none"))


def _room() -> int | None:
    """Columns of the terminal that it is written to; None: it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return tr("clients.yes") if value else ""
        case list():
            return ", ".join(str(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case dict():
            texts = {str(name): _cell(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            return ", ".join(f"{name} {text}" for name, text in texts.items() if text)
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case _:
            return " ".join(str(value).split())


def local_time(text: str | None) -> str:
    """An instant of the API as the clocks here show it, to the second; empty for none."""
    return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M:%S}" if text else ""


def fields(output: Output, row: Row, *names: str, **said: object) -> None:
    """One thing: as JSON, or these fields of it, each on a line. `said`: what people read in place of some of them."""
    output.json(row)
    for name in names:
        value: Any = said.get(name, row.get(name))
        if (text := local_time(value) if name.endswith("_at") else _cell(value)) != "":
            output.say(f"{pad(name, 12)}  {text}")


def done(output: Output, row: Row | None, text: str, /, **about: object) -> None:
    """Something was done to it."""
    output.json(row if row is not None else {"event": "done", **about})
    output.say(tr(text, **about))


def given_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were given, as JSON values."""
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    return {
        name: list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value
        for name, value in given.items()
    }
