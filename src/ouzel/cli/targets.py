"""`ouzel targets`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import click

from ouzel.base.errors import BadOption
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, show
from ouzel.cli.main import EXIT_NOTHING, EXIT_OK
from ouzel.cli.output import Output
from ouzel.cli.texts import told, tr

_NONE = "none"


@click.group(cls=Noun)
def targets() -> None:
    """Where a running daemon sends messages."""


@targets.command("list")
@talking
def list_(output: Output, api: Api) -> int:
    """List targets."""
    show(output, api.get("targets")["items"], "targets.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    quiet = [f"{each['from']}-{each['to']}" for each in row["quiet"]]
    settings = [f"{name}={value}" for name, value in row["settings"].items()]
    return [row["name"], row["kind"], row["enabled"], quiet, settings]


@targets.command()
@talking
def kinds(output: Output, api: Api) -> int:
    """List the sorts of targets, and what each has to be told."""
    show(output, api.get("target-kinds")["items"], "targets.kinds", _kind)
    return EXIT_OK


def _kind(row: Row) -> list[object]:
    return [row["kind"], ", ".join(f"{each['name']}{'!' if each['needed'] else ''}" for each in row["settings"])]


_quiet = click.option(
    "--quiet-hours", "hours", multiple=True, metavar="FROM-TO", help="Send nothing then: 23:00-07:00."
)
_zone = click.option("--time-zone", metavar="NAME", help="Of these hours, such as Asia/Shanghai.")
_loud = click.option(
    "--loud",
    type=click.Choice(["info", "warning", "error", _NONE]),
    help="What is as severe is sent in quiet hours too.",
)


@targets.command()
@click.argument("name", metavar="NAME")
@click.argument("kind", metavar="KIND")
@click.argument("settings", metavar="KEY=VALUE...", nargs=-1)
@_quiet
@_zone
@_loud
@talking
def add(
    output: Output, api: Api, *, name: str, kind: str, settings: tuple[str, ...], hours: tuple[str, ...], **given: Any
) -> int:
    """Add a target. `KEY=@FILE` reads a secret from a file, `KEY=@-` from standard input.

    It is told nothing until a route leads to it: `ouzel routes add`.
    """
    body = {"name": name, "kind": kind, "settings": read_settings(api, kind, settings), **_given(hours, given)}
    done(output, api.post("targets", body), "targets.added", name=name)
    return EXIT_OK


@targets.command()
@click.argument("name", metavar="NAME")
@click.argument("settings", metavar="KEY=VALUE...", nargs=-1)
@click.option("--enable/--disable", "enabled", default=None, help="Whether anything is sent there.")
@_quiet
@_zone
@_loud
@talking
def edit(
    output: Output,
    api: Api,
    *,
    name: str,
    settings: tuple[str, ...],
    hours: tuple[str, ...],
    enabled: bool | None,
    **given: Any,
) -> int:
    """Change a target; `KEY=` takes a value away, `--quiet-hours none` the quiet hours."""
    patch = _given(hours, given)
    if settings:
        kind = next((each["kind"] for each in api.get("targets")["items"] if each["name"] == name), "")
        patch["settings"] = read_settings(api, kind, settings)
    if enabled is not None:
        patch["enabled"] = enabled
    if not patch:
        raise BadOption("nothing is to be changed: see `ouzel targets edit --help`")
    done(output, api.patch(_path(name), patch), "targets.changed", name=name)
    return EXIT_OK


@targets.command()
@click.argument("name", metavar="NAME")
@talking
def remove(output: Output, api: Api, *, name: str) -> int:
    """Remove a target to which no route leads any more."""
    api.delete(_path(name))
    done(output, None, "targets.removed", name=name)
    return EXIT_OK


@targets.command()
@click.argument("name", metavar="NAME")
@talking
def test(output: Output, api: Api, *, name: str) -> int:
    """Send a message there now.

    \b
    Exit codes: 0 it was sent, 4 it was not.
    """
    doc = api.post(f"{_path(name)}/test")
    output.json(doc)
    if doc["sent"]:
        output.say(tr("targets.tested", name=name))
        return EXIT_OK
    output.say(tr("targets.not_tested", name=name, why=told(doc["why"])))
    return EXIT_NOTHING


def _path(name: str) -> str:
    return f"targets/{quote(name, safe='')}"


def _given(hours: tuple[str, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises: BadOption."""
    body = {name: value for name, value in given.items() if value is not None}
    if body.get("loud") == _NONE:
        body["loud"] = None
    if hours:
        body["quiet"] = [] if hours == (_NONE,) else [_window(each) for each in hours]
    return body


def _window(text: str) -> dict[str, str]:
    begin, dash, end = text.partition("-")
    if not dash:
        raise BadOption(f"quiet hours are written 23:00-07:00, not {text[:40]!r}")
    return {"from": begin.strip(), "to": end.strip()}


def read_settings(api: Api, kind: str, words: tuple[str, ...], *, kinds: str = "target-kinds") -> dict[str, Any]:
    """`KEY=VALUE` as the daemon wants it. Raises: BadOption."""
    items = cast("list[Row]", api.get(kinds)["items"])
    shapes = {each["name"]: each["kind"] for item in items if item["kind"] == kind for each in item["settings"]}
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadOption(f"settings are written KEY=VALUE, not {name[:40]!r}")
        found[name] = _value(shapes.get(name, "text"), _read(value)) if value else None
    return found


def _read(value: str) -> str:
    if not value.startswith("@"):
        return value
    try:
        return (sys.stdin.read() if value == "@-" else Path(value[1:]).read_text("utf-8")).strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise BadOption(f"{value[1:61]} cannot be read: {exc}") from None


def _value(shape: str, text: str) -> Any:
    match shape:
        case "words":
            return [each.strip() for each in text.split(",") if each.strip()]
        case "yes" | "number":
            try:
                return json.loads({"yes": "true", "no": "false"}.get(text.lower(), text))
            except ValueError:
                return text
        case _:
            return text
