"""`ouzel notices`."""

from __future__ import annotations

import click

from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, local_time, show
from ouzel.cli.main import EXIT_OK
from ouzel.cli.output import Output
from ouzel.cli.texts import notice as sentence


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
    return [
        row["id"],
        row["severity"],
        row["code"],
        local_time(row["raised_at"]),
        row["count"],
        sentence(row["code"], row["data"]),
    ]


@notices.command()
@click.argument("notice", metavar="NOTICE")
@talking
def dismiss(output: Output, api: Api, *, notice: str) -> int:
    """Show a notice no more."""
    doc = api.post(f"notices/{api.find('notices', notice)['id']}/dismiss")
    done(output, doc, "notices.dismissed", code=doc["code"])
    return EXIT_OK
