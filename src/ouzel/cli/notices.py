"""`ouzel notices` and `ouzel events`."""

from __future__ import annotations

import json

import click

from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, show
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.output import Output


@click.group(cls=Noun)
def notices() -> None:
    """What somebody should know of a running daemon."""


@notices.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over or dismissed, too.")
@talking
def list_(output: Output, api: Api, *, everything: bool) -> int:
    """List notices, the latest first."""
    found = api.all("notices", open=None if everything else True)
    show(output, found, "notices.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    told = ", ".join(f"{name}: {value}" for name, value in row["data"].items() if value)
    return [row["id"], row["severity"], row["code"], row["raised_at"][:16], row["count"], told]


@notices.command()
@click.argument("notice", metavar="NOTICE")
@talking
def dismiss(output: Output, api: Api, *, notice: str) -> int:
    """Show a notice no more."""
    doc = api.post(f"notices/{api.find('notices', notice)['id']}/dismiss")
    done(output, doc, "notices.dismissed", code=doc["code"])
    return EXIT_OK


@click.command(cls=Command)
@click.option("--follow", is_flag=True, help="Go on with what happens from now on, until Ctrl+C.")
@click.option("--after", type=int, metavar="NUMBER", help="Begin with the event after this one; default: the first.")
@click.option("--topics", metavar="WORDS", help="Only these, with commas between: channel,recording …")
@talking
def events(output: Output, api: Api, *, follow: bool, after: int | None, topics: str | None) -> int:
    """Tell what happened in a running daemon, and what happens."""
    until = api.events(topics=topics)
    newest = int(next(until)["number"])
    until.close()
    start = after if after is not None else newest if follow else 0
    if start >= newest and not follow:
        return EXIT_OK
    for event in api.events(start or None, topics):
        if event["event"] == "ready":
            continue
        output.json(event)
        output.say(
            f"{event.get('at', '')[:19]}  {event['event']}  {json.dumps(event.get('data', {}), ensure_ascii=False)}"
        )
        if not follow and event["number"] >= newest:
            break
    return EXIT_OK
