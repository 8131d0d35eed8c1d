"""`ouzel storage`."""

from __future__ import annotations

import click

from ouzel.base.units import format_size
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Row, show
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.output import Output


@click.command(cls=Command)
@talking
def storage(output: Output, api: Api) -> int:
    """Show where a running daemon keeps recordings: whether the disk takes more, and for how long it will do."""
    show(output, api.get("storage")["items"], "storage.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    days = row["days_left"]
    return [
        row["name"],
        row["state"],
        format_size(row["free_bytes"]),
        format_size(row["held_bytes"]),
        row["files"],
        "" if days is None else f"{days:.0f}",
        row["folder"],
        row["why"],
    ]
