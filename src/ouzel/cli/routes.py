"""`ouzel routes`, `ouzel messages`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import quote

import click

from ouzel.base.errors import BadOption
from ouzel.base.units import parse_duration
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, local_time, show
from ouzel.cli.main import EXIT_OK
from ouzel.cli.output import Output

_NONE = "none"
_TIMES = ("debounce_s", "digest_s")


@click.group(cls=Noun)
def routes() -> None:
    """What a running daemon tells, and to whom."""


@routes.command("list")
@talking
def list_(output: Output, api: Api) -> int:
    """List routes."""
    show(output, api.get("routes")["items"], "routes.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    return [row["name"], row["enabled"], row["events"], row["targets"], row["labels"], row["severity"]]


def _with_conditions(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--digest", "digest_s", metavar="TIME", help="Collect for so long, and send one message."),
        click.option(
            "--debounce", "debounce_s", metavar="TIME", help="The same is told once in this time; `none`: as usual."
        ),
        click.option("--language", type=click.Choice(["en", "zh"]), help="Of the usual words."),
        click.option("--text", metavar="TEMPLATE", help="What is said, with {fields}."),
        click.option("--title", metavar="TEMPLATE", help="The line above it."),
        click.option("--over/--not-over", "over", default=None, help="Tell also when a notice is over."),
        click.option("--severity", type=click.Choice(["info", "warning", "error"]), help="At least so severe."),
        click.option(
            "--channel", "channels", multiple=True, metavar="CHANNEL", help="Only this channel; may be repeated."
        ),
        click.option("--label", "labels", multiple=True, metavar="WORD", help="Only channels with this label."),
        click.option(
            "--on", "events", multiple=True, metavar="EVENT", help="What is told: broadcast.began, storage.*, *."
        ),
        click.option("--to", "targets", multiple=True, metavar="TARGET", help="Who is told; may be repeated."),
    ):
        command = option(command)
    return command


@routes.command()
@click.argument("name", metavar="NAME")
@_with_conditions
@talking
def add(output: Output, api: Api, *, name: str, **given: Any) -> int:
    """Add a route: what is told from now on, and to whom."""
    done(
        output,
        api.post("routes", {"name": name, "targets": [], "events": [], **_read(api, given)}),
        "routes.added",
        name=name,
    )
    return EXIT_OK


@routes.command()
@click.argument("name", metavar="NAME")
@click.option("--enable/--disable", "enabled", default=None, help="Whether anything is told.")
@_with_conditions
@talking
def edit(output: Output, api: Api, *, name: str, **given: Any) -> int:
    """Change a route; `none` takes conditions and words away."""
    patch = _read(api, given)
    if not patch:
        raise BadOption("nothing is to be changed: see `ouzel routes edit --help`")
    done(output, api.patch(_path(name), patch), "routes.changed", name=name)
    return EXIT_OK


@routes.command()
@click.argument("name", metavar="NAME")
@talking
def remove(output: Output, api: Api, *, name: str) -> int:
    """Remove a route. What it has brought about already is still sent."""
    api.delete(_path(name))
    done(output, None, "routes.removed", name=name)
    return EXIT_OK


def _path(name: str) -> str:
    return f"routes/{quote(name, safe='')}"


def _read(api: Api, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises: BadOption, NotFound."""
    body: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value == ():
            continue
        if name in _TIMES:
            usual = None if name == "debounce_s" else 0.0
            body[name] = usual if value == _NONE else parse_duration(value)
        elif isinstance(value, tuple):
            words = [each for each in cast("tuple[str, ...]", value) if each != _NONE]
            if name == "channels":
                words = [api.find("channels", each, "name", "addresses")["id"] for each in words]
            body[name] = words
        else:
            body[name] = "" if value == _NONE else value
    return body


@click.group(cls=Noun)
def messages() -> None:
    """What a running daemon has told, or is about to tell."""


@messages.command("list")
@click.option("--state", type=click.Choice(["waiting", "sent", "failed", "dropped"]), help="Only those that are so.")
@click.option("--target", metavar="TARGET", help="Only those for this target.")
@talking
def list_messages(output: Output, api: Api, *, state: str | None, target: str | None) -> int:
    """List messages, the latest first."""
    show(output, api.all("messages", state=state, target=target), "messages.table", _message)
    return EXIT_OK


def _message(row: Row) -> list[object]:
    return [row["id"], local_time(row["created_at"]), row["target"], row["state"], row["title"], row["why"]]


@messages.command()
@click.argument("message", metavar="MESSAGE")
@talking
def retry(output: Output, api: Api, *, message: str) -> int:
    """Send a message again that failed."""
    doc = api.post(f"messages/{api.find('messages', message)['id']}/retry")
    done(output, doc, "messages.again", target=doc["target"])
    return EXIT_OK
