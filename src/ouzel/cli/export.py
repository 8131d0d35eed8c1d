"""`ouzel export`."""

from __future__ import annotations

from pathlib import Path

import anyio
import click

from ouzel.base.errors import BadOption, SecretUnreadable
from ouzel.cli.client import connect, data_folder, reaching
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.options import speaking
from ouzel.cli.output import Output
from ouzel.cli.texts import tr


@click.command(cls=Command)
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to this file, which is whole or not there.",
)
@click.option(
    "--secrets",
    is_flag=True,
    help="With cookies, passwords and proxies in the clear, and the hashes of accounts' passwords.",
)
@reaching
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of the usual ouzel.toml."
)
@speaking
def export(
    output: Output,
    *,
    path: Path | None,
    secrets: bool,
    server: str | None,
    key: str | None,
    data: Path | None,
    config: Path | None,
) -> int:
    """Write everything that is set as one text: channels, their settings, rules that delete, accounts. `ouzel import` reads it.

    The database is only read: a daemon may run or not. With --server a daemon elsewhere is asked, and tells no secrets.

    \b
    Exit codes: 0, 2 there is no database, 5 the disk, 7 there is no daemon.
    """
    if server is not None and secrets:
        raise BadOption("--secrets is for the daemon's own machine")
    if server is not None:
        with connect(server, key, None) as api:
            text = api.text("export")
    else:
        text = anyio.run(_text, data or data_folder(config), secrets)
    if path is None:
        output.json({"event": "export", "text": text})
        output.say(text.rstrip("\n"))
        return EXIT_OK
    from ouzel.services.exports import write_whole

    write_whole(path, text)
    output.json({"event": "export", "path": str(path)})
    output.tell(tr("export.secret" if secrets else "export.written", path=path))
    return EXIT_OK


async def _text(folder: Path, secrets: bool) -> str:
    """Raises: NotFound, DatabaseTooNew, DatabaseDamaged, StorageError, SecretUnreadable."""
    from ouzel.services.exports import Exports
    from ouzel.services.secrets import load_secrets
    from ouzel.store.db import open_to_read
    from ouzel.system.clock import SystemClock

    async with open_to_read(folder / "ouzel.db", SystemClock()) as db:
        if not secrets:
            return await Exports(db).text()
        key = folder / "secret.key"
        if not await anyio.Path(key).is_file():
            raise SecretUnreadable(f"there is no {key}: without it secrets cannot be read")
        return await Exports(db, load_secrets(key).box).text()
