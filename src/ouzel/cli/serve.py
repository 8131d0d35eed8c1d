"""`ouzel serve`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import anyio
import click

from ouzel.base.errors import NotFound
from ouzel.cli import texts
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.options import level_of
from ouzel.cli.output import QUIET, VERBOSE, Output
from ouzel.cli.texts import tr

if TYPE_CHECKING:
    from ouzel.config.settings import Settings
    from ouzel.daemon.run import Ready
    from ouzel.services.channels import Channels


@click.command(cls=Command)
@click.option("-c", "--config", type=click.Path(path_type=Path), help="Settings file, in place of the usual one.")
@click.option("--data", metavar="FOLDER", help="Folder of the database.")
@click.option("--recordings", metavar="FOLDER", help="Where media are kept.")
@click.option("--host", metavar="ADDRESS", help="Listen there.")
@click.option("--port", metavar="NUMBER", help="Listen on this port; 0 takes one that is free.")
@click.option(
    "--follow",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="Obey the files of another recorder there.",
)
@click.option("--json", "as_json", is_flag=True, help="Logs, and when it is ready, as JSON lines.")
@click.option("-v", "--verbose", is_flag=True, help="Tell more.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only errors.")
def serve(as_json: bool, verbose: bool, quiet: bool, follow: tuple[Path, ...], **given: Any) -> int:
    """Watch channels, record what goes live, and serve the web page and the API, until it is told to end.

    \b
    Ctrl+C or SIGTERM closes all files and ends; what is not closed within `shutdown_timeout`
    is put in order at the next start. A second one ends at once.
    """
    output = Output(as_json, level_of(verbose=verbose, quiet=quiet))
    folders = [each.absolute() for each in follow]
    settings = _settings(given, folders, as_json=as_json)
    from ouzel.cli.live import live_view
    from ouzel.daemon.logs import logging_to
    from ouzel.daemon.run import serve as run
    from ouzel.daemon.telling import Teller
    from ouzel.system.loop import backend_options, calm_collector, raise_descriptor_limit, share_heap

    share_heap()
    calm_collector()
    raise_descriptor_limit()
    level = "debug" if output.level >= VERBOSE else "error" if output.level <= QUIET else None

    with live_view(table=not as_json and output.level > QUIET) as view:
        tell = output.tell if view.log is None else view.tell

        def ready(now: Ready) -> None:
            now.daemon.db.listen(Teller(texts, partial(_name_of, now.daemon.channels)).hear)
            output.json({"event": "ready", "address": now.address, "setup": now.setup})
            if output.level > QUIET:
                tell(tr("serve.ready", address=now.address))
                if now.setup:
                    tell(tr("serve.setup", address=now.setup))

        log = view.log if sys.stderr.isatty() else None  # else it is read somewhere else
        with logging_to(settings.log, level=level, stream=cast("TextIO | None", log)):
            anyio.run(
                partial(
                    run, settings, ready, follow=folders, view=view, say=texts.notice_in, language=texts.language()
                ),
                backend_options=backend_options(),
            )
    return EXIT_OK


def _name_of(channels: Channels, channel_id: str) -> str:
    try:
        return channels.get(channel_id).name
    except NotFound:  # it was removed meanwhile
        return channel_id


def _settings(given: dict[str, Any], followed: Sequence[Path], *, as_json: bool) -> Settings:
    """Raises: BadConfig."""
    from ouzel.config.load import load_settings
    from ouzel.config.sources import Override
    from ouzel.platforms.registry import registry

    keys = {
        "data": "storage.data", "recordings": "storage.recordings", "host": "server.host", "port": "server.port",
    }  # fmt: skip
    overrides = [Override(f"--{name}", key, str(given[name])) for name, key in keys.items() if given[name] is not None]
    if as_json:
        overrides.append(Override("--json", "log.format", "json"))
    usual: Sequence[Override] = ()
    if followed:
        from ouzel.services.follow_start import settings_of  # and with it all formats of other recorders

        usual = settings_of(followed, registry())
    return load_settings(given["config"], [platform.name for platform in registry()], overrides, usual)
