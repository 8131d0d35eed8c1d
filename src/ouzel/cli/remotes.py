"""`ouzel remotes`."""

from __future__ import annotations

from urllib.parse import quote

import click

from ouzel.base.errors import BadOption
from ouzel.base.ids import is_id
from ouzel.base.units import format_size
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, local_time, show
from ouzel.cli.main import EXIT_NOTHING, EXIT_OK
from ouzel.cli.output import Output
from ouzel.cli.targets import read_settings
from ouzel.cli.texts import told, tr

_KINDS = "remote-kinds"


@click.group(cls=Noun)
def remotes() -> None:
    """Where a running daemon sends copies of recordings."""


@remotes.command("list")
@talking
def list_(output: Output, api: Api) -> int:
    """List remotes."""
    show(output, api.get("remotes")["items"], "remotes.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    return [row["name"], row["kind"], [f"{name}={value}" for name, value in row["settings"].items()]]


@remotes.command()
@talking
def kinds(output: Output, api: Api) -> int:
    """List the sorts of remotes, and what each has to be told."""
    show(output, api.get(_KINDS)["items"], "targets.kinds", _kind)
    return EXIT_OK


def _kind(row: Row) -> list[object]:
    return [row["kind"], ", ".join(f"{each['name']}{'!' if each['needed'] else ''}" for each in row["settings"])]


@remotes.command()
@click.argument("name", metavar="NAME")
@click.argument("kind", metavar="KIND")
@click.argument("settings", metavar="KEY=VALUE...", nargs=-1)
@talking
def add(output: Output, api: Api, *, name: str, kind: str, settings: tuple[str, ...]) -> int:
    """Add a remote. `KEY=@FILE` reads a secret from a file, `KEY=@-` from standard input.

    A small file is written there, read and removed first. Copies are sent by a pipeline: "upload to=NAME".
    """
    body = {"name": name, "kind": kind, "settings": read_settings(api, kind, settings, kinds=_KINDS)}
    done(output, api.post("remotes", body), "remotes.added", name=name)
    return EXIT_OK


@remotes.command()
@click.argument("name", metavar="NAME")
@click.argument("settings", metavar="KEY=VALUE...", nargs=-1)
@talking
def edit(output: Output, api: Api, *, name: str, settings: tuple[str, ...]) -> int:
    """Change a remote; `KEY=` takes a value away."""
    if not settings:
        raise BadOption("nothing is to be changed: see `ouzel remotes edit --help`")
    kind = next((each["kind"] for each in api.get("remotes")["items"] if each["name"] == name), "")
    patch = {"settings": read_settings(api, kind, settings, kinds=_KINDS)}
    done(output, api.patch(_path(name), patch), "remotes.changed", name=name)
    return EXIT_OK


@remotes.command()
@click.argument("name", metavar="NAME")
@talking
def remove(output: Output, api: Api, *, name: str) -> int:
    """Remove a remote to which no pipeline copies any more. What is there stays."""
    api.delete(_path(name))
    done(output, None, "remotes.removed", name=name)
    return EXIT_OK


@remotes.command()
@click.argument("name", metavar="NAME")
@talking
def test(output: Output, api: Api, *, name: str) -> int:
    """Write, read and remove a small file there now.

    \b
    Exit codes: 0 it works, 4 it does not.
    """
    doc = api.post(f"{_path(name)}/test")
    output.json(doc)
    if doc["works"]:
        output.say(tr("remotes.tested", name=name))
        return EXIT_OK
    output.say(tr("remotes.not_tested", name=name, why=told(doc["why"])))
    return EXIT_NOTHING


@remotes.command()
@click.argument("recording", metavar="RECORDING")
@talking
def copies(output: Output, api: Api, *, recording: str) -> int:
    """List the copies of a recording, also of one that is here no more (by its whole id)."""
    show(output, api.get(f"recordings/{copied_id(api, recording)}/copies")["items"], "remotes.copies", _copy)
    return EXIT_OK


def copied_id(api: Api, word: str) -> str:
    """Of one that is here no more only the whole id is known."""
    return word if is_id(word) else api.find("recordings", word, "title")["id"]


def _copy(row: Row) -> list[object]:
    return [row["remote"], row["key"], format_size(row["bytes"]), row["digest"] or "", local_time(row["verified_at"])]


def _path(name: str) -> str:
    return f"remotes/{quote(name, safe='')}"
