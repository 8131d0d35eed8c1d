"""`ouzel status`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import click

from ouzel.cli import texts
from ouzel.cli.client import Api, connect, reaching
from ouzel.cli.live import live_view, terminal_of
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.output import Output
from ouzel.model.overview import Overview


@click.command(cls=Command)
@reaching
@click.option("--tasks", is_flag=True, help="Every task with its state, as Ctrl+P shows them.")
@click.option("--watch", is_flag=True, help="Go on showing, until Ctrl+C.")
@click.option(
    "--json", "as_json", is_flag=True, help="What the daemon tells, as it comes; with --watch an object a line."
)
def status(*, server: str | None, key: str | None, data: Path | None, tasks: bool, watch: bool, as_json: bool) -> int:
    """Show what the running daemon is doing: channels, recordings, storage, notices.

    \b
    Exit codes: 0, 2 it does not let us in, 4 what answers is no daemon, 7 there is none.
    """
    output = Output(as_json)
    with connect(server, key, data) as api:
        if watch:
            _watch(lambda: fetch_overview(api), output)
            return EXIT_OK
        doc = fetch_overview(api)
    output.json(doc)
    output.say("\n".join(_lines(Overview.parse(doc), tasks=tasks)))
    return EXIT_OK


def fetch_overview(api: Api) -> dict[str, Any]:
    """What the daemon tells of itself. Raises: OuzelError."""
    return api.get("status")


def _lines(seen: Overview, *, tasks: bool) -> list[str]:
    from ouzel.daemon.table import Table

    terminal = terminal_of(sys.stdout.fileno()) if sys.stdout.isatty() else None
    table = Table(texts) if terminal is None else Table(texts, terminal.size()[0], None, terminal.colour)
    return table.tasks(seen) if tasks else table.picture(seen)


def _watch(fetch: Callable[[], dict[str, Any]], output: Output) -> None:
    async def look() -> Overview:
        doc = await anyio.to_thread.run_sync(fetch)
        if output.is_json:
            output.json(doc)
        return Overview.parse(doc)

    async def show() -> None:
        with live_view(table=not output.is_json) as view:
            if view.log is not None:
                await view.run(look)
                return
            while True:
                seen = await look()
                if not output.is_json:
                    output.say("\n".join(_lines(seen, tasks=False)))
                await anyio.sleep(2.0)

    anyio.run(show)
