"""`ouzel config`."""

from __future__ import annotations

from pathlib import Path

import click

from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.options import speaking
from ouzel.cli.output import Output, columns
from ouzel.cli.texts import tr
from ouzel.config.load import load_reading, usual_file, usual_place
from ouzel.platforms.registry import registry

_MOST_COLUMNS = 60


@click.command(cls=Command)
@click.argument("what", type=click.Choice(["show", "path", "example"]), metavar="[show|path|example]", default="show")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings, instead of the usual ouzel.toml.",
)
@speaking
def config(output: Output, *, what: str, path: Path | None) -> int:
    """Show what is set, and from where each value comes; the path of the settings file; or an example of all there is to set.

    \b
    Exit codes: 0, 2 the settings are not what they should be.
    """
    if what == "example":
        _example(output)
    elif what == "path":
        _path(path, output)
    else:
        _show(path, output)
    return EXIT_OK


def _example(output: Output) -> None:
    from ouzel.config.example import example

    text = example()
    output.json({"event": "example", "text": text})
    output.say(text.rstrip("\n"))


def _path(given: Path | None, output: Output) -> None:
    path = given or usual_file()
    place = path or usual_place()
    output.json({"event": "path", "path": str(place), "exists": place.is_file()})
    output.say(str(place))
    if path is None:
        output.tell(tr("config.no_file"))


def _show(given: Path | None, output: Output) -> None:
    from ouzel.config.showing import settings_of

    for each in settings_of(load_reading(given or usual_file(), [platform.name for platform in registry()])):
        output.json({"event": "setting", **each.fields()})
        line = f"{each.key} = {each.written}"
        gap = " " * max(_MOST_COLUMNS - columns(line), 1)
        output.say(
            f"{line}{gap}# {tr(f'config.from_{each.origin.kind}', name=each.origin.name, line=each.origin.line)}"
        )
