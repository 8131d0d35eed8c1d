"""`ouzel status`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import click

from ouzel.base.errors import BadResponse, ConnectFailed, HttpStatus, NeedsLogin, NotFound
from ouzel.cli import texts
from ouzel.cli.live import live_view, terminal_of
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.output import Output
from ouzel.model.overview import Overview

_PATH = "/api/status"
_TOKEN = "OUZEL_TOKEN"  # noqa: S105 - the name of a variable
_TIMEOUT_S = 10.0


@click.command(cls=Command)
@click.option("--url", metavar="ADDRESS", help="Of the daemon. Default: the one of this machine's data folder.")
@click.option("--data", type=click.Path(path_type=Path), metavar="FOLDER", help="Data folder of the daemon.")
@click.option("--tasks", is_flag=True, help="Every task with its state, as Ctrl+P shows them.")
@click.option("--watch", is_flag=True, help="Go on showing, until Ctrl+C.")
@click.option(
    "--json", "as_json", is_flag=True, help="What the daemon tells, as it comes; with --watch an object a line."
)
def status(*, url: str | None, data: Path | None, tasks: bool, watch: bool, as_json: bool) -> int:
    """Show what the running daemon is doing: channels, recordings, storage, notices.

    The API key stands in the variable OUZEL_TOKEN.

    \b
    Exit codes: 0, 2 no daemon holds the data folder, 4 it does not answer, or does not let us in.
    """
    output = Output(as_json)
    address = (url or _address(data)).rstrip("/")
    if watch:
        _watch(lambda: fetch_overview(address), output)
        return EXIT_OK
    doc = fetch_overview(address)
    output.json(doc)
    output.say("\n".join(_lines(Overview.parse(doc), tasks=tasks)))
    return EXIT_OK


def fetch_overview(address: str) -> dict[str, Any]:
    """What the daemon tells of itself. Raises: ConnectFailed, NeedsLogin, HttpStatus, BadResponse."""
    import httpx

    token = os.environ.get(_TOKEN, "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.get(f"{address}{_PATH}", headers=headers, timeout=_TIMEOUT_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise ConnectFailed(f"no daemon answers at {address}: {exc}") from exc
    if answer.status_code in {401, 403}:
        raise NeedsLogin(f"the daemon at {address} wants an API key, in the variable {_TOKEN}")
    if not answer.is_success:
        raise HttpStatus(f"the daemon at {address} answers {answer.status_code}", status=answer.status_code)
    try:
        return answer.json()
    except ValueError as exc:
        raise BadResponse(f"what answers at {address} is no Ouzel") from exc


def _address(data: Path | None) -> str:
    """Of the daemon that holds the data folder. Raises: NotFound, StorageError."""
    from ouzel.config.load import load_settings
    from ouzel.daemon.lock import held_by
    from ouzel.platforms.registry import registry

    folder = data or load_settings(None, [platform.name for platform in registry()]).storage.data
    holder = held_by(folder)
    if isinstance(holder, bool) or not holder.address:
        raise NotFound(f"no daemon runs on {folder}: start it with `ouzel serve`, or say --url")
    return holder.address


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
