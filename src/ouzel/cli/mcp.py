"""`ouzel mcp`."""

from __future__ import annotations

from pathlib import Path

import anyio
import click

from ouzel.cli.client import connect, reaching
from ouzel.cli.main import EXIT_OK, Command


@click.command(cls=Command)
@click.option("--read-only", is_flag=True, help="Offer only what changes nothing.")
@reaching
def mcp(*, read_only: bool, server: str | None, key: str | None, data: Path | None) -> int:
    """Offer a running daemon to AI agents, by the Model Context Protocol on standard input and output.

    An agent may do what the API key may do. Without a key it is the administrator of this machine's daemon.

    \b
    Exit codes: 0 the agent has gone, 7 there is no daemon.
    """
    from ouzel.cli.mcp_server import make_server

    with connect(server, key, data) as api:
        api.get("auth/me")  # who may not even ask is told so now, and not by the first tool
        anyio.run(make_server(api, read_only=read_only).run_stdio_async)
    return EXIT_OK
