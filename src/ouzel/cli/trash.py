"""`ouzel trash`."""

from __future__ import annotations

import click

from ouzel.base.errors import BadOption
from ouzel.base.units import format_duration, format_size
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, local_time, show
from ouzel.cli.main import EXIT_OK
from ouzel.cli.output import Output


@click.group(cls=Noun)
def trash() -> None:
    """Recordings that were removed from a running daemon, and can be brought back."""


@trash.command("list")
@talking
def list_(output: Output, api: Api) -> int:
    """List them, and when each goes for good."""
    show(output, api.all("trash"), "trash.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    length, size = format_duration(row["media_s"]), format_size(row["bytes"])
    removed, goes = local_time(row["deleted_at"]), local_time(row["goes_at"])
    return [row["id"], row["channel"], row["title"], length, size, removed, goes]


@trash.command()
@click.argument("recording", metavar="RECORDING")
@talking
def restore(output: Output, api: Api, *, recording: str) -> int:
    """Take a recording out of the trash."""
    doc = api.post(f"recordings/{api.find('recordings', recording, 'title', trash=True)['id']}/restore")
    done(output, doc, "recordings.restored", id=doc["id"], title=doc["title"])
    return EXIT_OK


@trash.command()
@click.argument("recordings", metavar="[RECORDING]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that is in the trash.")
@talking
def empty(output: Output, api: Api, *, recordings: tuple[str, ...], everything: bool) -> int:
    """Delete recordings for good: these, or with --all whatever is in the trash."""
    if bool(recordings) == everything:
        raise BadOption("name recordings in the trash, or give --all")
    found = [api.find("recordings", each, "title", trash=True)["id"] for each in recordings]
    job = api.post("trash/empty", {"recordings": found or None})
    done(output, job, "trash.emptied", job=job["id"])
    return EXIT_OK
