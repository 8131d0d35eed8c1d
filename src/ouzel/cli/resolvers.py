"""`ouzel resolvers`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import anyio
import click

from ouzel.base.errors import BadOption, OuzelError
from ouzel.cli.main import EXIT_OK, Command, exit_code
from ouzel.cli.options import speaking
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.platforms.javascript import deno
from ouzel.platforms.upgrade import Upgrades, Version, default_folder


@click.command(cls=Command)
@click.argument("libraries", metavar="[LIBRARY]...", nargs=-1)
@click.option("--upgrade", is_flag=True, help="Fetch the newest versions, try them, and use them from now on.")
@click.option("--roll-back", is_flag=True, help="Use the versions before the last upgrade.")
@speaking
def resolvers(libraries: tuple[str, ...], output: Output, *, upgrade: bool, roll_back: bool) -> int:
    """Show the libraries that resolve pages, and upgrade them without touching the installation.

    \b
    Exit codes: 0 done, 2 bad arguments, 4 they cannot be had, or do not work: nothing was changed.
    """
    if upgrade and roll_back:
        raise BadOption("--upgrade and --roll-back contradict each other")
    if libraries and not upgrade:
        raise BadOption("libraries are named for --upgrade only")
    upgrades = Upgrades(default_folder())
    try:
        if upgrade:
            versions = anyio.run(_upgrade, upgrades, libraries, output)
        else:
            versions = upgrades.roll_back() if roll_back else upgrades.versions()
    except OuzelError as exc:
        output.error(exc.code, str(exc))
        return exit_code(exc)
    _show(versions, output)
    return EXIT_OK


async def _upgrade(upgrades: Upgrades, only: Sequence[str], output: Output) -> list[Version]:
    return await upgrades.upgrade(
        datetime.now(UTC), only=only, on_step=lambda step: output.say(tr(f"resolvers.{step}"))
    )


def _show(versions: Sequence[Version], output: Output) -> None:
    for each in versions:
        doc = {"library": each.library, "used": each.used, "installed": each.installed}
        output.json({"event": "library", **doc})
        note = tr("resolvers.note", installed=each.installed) if each.used != each.installed else ""
        output.say(tr("resolvers.version", library=each.library, used=each.used, note=note))
    runtime = deno()
    output.json({"event": "runtime", "runtime": "deno", "path": runtime})
    output.say(tr("resolvers.runtime", path=runtime) if runtime else tr("resolvers.no_runtime"))
