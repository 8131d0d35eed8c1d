"""`ouzel notices`."""

from __future__ import annotations

import click

from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, show
from ouzel.cli.main import EXIT_OK
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
