"""`ouzel events`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from ouzel.base.errors import OuzelError
from ouzel.cli.client import Api, Row, talking
from ouzel.cli.groups import local_time
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.output import Output
from ouzel.cli.texts import reason, tr

_OF_THE_STREAM = frozenset({"ready", "passed"})


@click.command(cls=Command)
@click.option("--follow", is_flag=True, help="Go on with what happens from now on, until Ctrl+C.")
@click.option("--after", type=int, metavar="NUMBER", help="Begin with the event after this one; default: the first.")
@click.option("--topics", metavar="WORDS", help="Only these, with commas between: channel,recording …")
@talking
def events(output: Output, api: Api, *, follow: bool, after: int | None, topics: str | None) -> int:
    """Tell what happened in a running daemon, and what happens."""

    def lost(exc: OuzelError) -> None:
        output.tell(tr("events.lost", why=reason(exc.code, str(exc))))

    for event in api.events(after, topics, lost=lost) if follow else _past(api, after or 0, topics):
        if event["event"] not in _OF_THE_STREAM:
            output.json(event)
            output.say(_line(event))
        if output.unread:
            break
    return EXIT_OK


def _past(api: Api, after: int, topics: str | None) -> Iterator[Row]:
    """What has happened until now. Raises: NoDaemon when the daemon ends meanwhile."""
    newest = next(int(event["number"]) for event in api.events())
    wanted = frozenset(topics.split(",")) if topics else None
    for event in api.events(after) if after < newest else ():
        if wanted is None or event["event"].partition(".")[0] in wanted:
            yield event
        if event["event"] != "ready" and event["number"] >= newest:
            return


def _line(event: Row) -> str:
    if event["event"] == "resync":
        return tr("events.resync", number=event["number"])
    told = {"subject": event["subject"], **event["data"]}
    return f"{local_time(event['at'])}  {event['event']}  {json.dumps(told, ensure_ascii=False)}"
