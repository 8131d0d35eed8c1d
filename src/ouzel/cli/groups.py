"""Commands about one noun: a group, its help, and tables of what a daemon answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import click

from ouzel.cli.main import Command
from ouzel.cli.output import Output, columns, fit, pad
from ouzel.cli.texts import help as help_texts
from ouzel.cli.texts import language, tr

_WIDEST = 40


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


def show(output: Output, rows: Iterable[Row], heads: str, cells: Callable[[Row], Sequence[object]]) -> None:
    """Each row as JSON, or all as a table. `heads`: key of a text with the names of the columns, `|` between them."""
    found = [*rows]
    output.json(*found)
    table = [tr(heads).split("|"), *([_cell(value) for value in cells(row)] for row in found)]
    widths = [min(_WIDEST, max(columns(row[place]) for row in table)) for place in range(len(table[0]))]
    for row in table if found else ():
        line = (pad(fit(cell, width), width) for cell, width in zip(row, widths, strict=True))
        output.say("  ".join(line).rstrip())
    if not found:
        output.say(tr("clients.none"))


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return tr("clients.yes") if value else ""
        case list():
            return ", ".join(str(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return " ".join(str(value).split())


def fields(output: Output, row: Row, *names: str) -> None:
    """One thing: as JSON, or these fields of it, each on a line."""
    output.json(row)
    for name in names:
        if (text := _cell(row.get(name))) != "":
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
