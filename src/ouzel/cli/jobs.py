"""`ouzel jobs`."""

from __future__ import annotations

import time

import click

from ouzel.base.errors import BadOption
from ouzel.base.units import format_duration
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, fields, show
from ouzel.cli.job_lines import JobLines
from ouzel.cli.main import EXIT_OK
from ouzel.cli.output import Output


@click.group(cls=Noun)
def jobs() -> None:
    """Finite work of a running daemon: what waits, runs, is done, or failed."""


@jobs.command("list")
@click.option("--state", metavar="STATE", help="Only those that are so: queued, running, failed …")
@click.option("--follow", is_flag=True, help="Show what runs, how far and for how long still, until Ctrl+C.")
@talking
def list_(output: Output, api: Api, *, state: str | None, follow: bool) -> int:
    """List jobs, the newest first."""
    if follow:
        if state is not None:
            raise BadOption("--follow shows what runs: leave --state out")
        lines = JobLines(output, api)
        try:
            lines.follow(time.sleep)
        finally:
            lines.close()
        return EXIT_OK
    show(output, api.all("jobs", state=state), "jobs.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    share = "" if row["fraction"] is None else f"{row['fraction']:.0%}"
    left = "" if row["eta_s"] is None or row["state"] != "running" else format_duration(row["eta_s"])
    return [row["id"], row["kind"], row["state"], share, left, row["prio"], row["why"] or row["message"]]


@jobs.command("show")
@click.argument("job", metavar="JOB")
@talking
def show_(output: Output, api: Api, *, job: str) -> int:
    """Show all that is known of a job."""
    doc = api.show("jobs", job)
    fields(output, doc, *doc)
    return EXIT_OK


@jobs.command()
@click.argument("job", metavar="JOB")
@talking
def cancel(output: Output, api: Api, *, job: str) -> int:
    """Cancel a job that is not over."""
    doc = api.post(f"jobs/{api.find('jobs', job)['id']}/cancel")
    done(output, doc, "jobs.changed", id=doc["id"], state=doc["state"])
    return EXIT_OK


@jobs.command()
@click.argument("job", metavar="JOB")
@talking
def retry(output: Output, api: Api, *, job: str) -> int:
    """Begin a job again that failed or was cancelled."""
    doc = api.post(f"jobs/{api.find('jobs', job)['id']}/retry")
    done(output, doc, "jobs.changed", id=doc["id"], state=doc["state"])
    return EXIT_OK


@jobs.command()
@click.argument("job", metavar="JOB")
@click.argument("priority", metavar="NUMBER", type=int)
@talking
def prio(output: Output, api: Api, *, job: str, priority: int) -> int:
    """Let a job go before others; the greater goes first."""
    doc = api.patch(f"jobs/{api.find('jobs', job)['id']}", {"prio": priority})
    done(output, doc, "jobs.changed", id=doc["id"], state=doc["state"])
    return EXIT_OK
