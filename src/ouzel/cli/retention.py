"""`ouzel retention`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from ouzel.base.errors import BadOption, NotFound
from ouzel.base.units import format_size, parse_duration, parse_size
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, given_of, show
from ouzel.cli.main import EXIT_OK
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.cli.using import NONE, places, use_at

_DAY_S = 86_400
_SHOWN = 5000


@click.group(cls=Noun)
def retention() -> None:
    """Rules by which a running daemon deletes recordings."""


@retention.command("list")
@talking
def list_(output: Output, api: Api) -> int:
    """List the rules."""
    show(output, api.get("policies")["items"], "retention.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    size = row["keep_bytes"]
    return [
        row["name"],
        "" if row["keep_days"] is None else f"{row['keep_days']:g}",
        "" if size is None else format_size(size),
        row["keep_count"],
        "" if row["keep_free"] is None else format_size(row["keep_free"]),
        tr(f"retention.per_{row['per']}"),
    ]


def _with_limits(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--per", type=click.Choice(["channel", "root"]), help="In what bytes and count are counted."),
        click.option("--keep-free", metavar="SIZE", help="So much room on the disk: else the oldest go at once."),
        click.option("--keep-count", metavar="N", help="So many of the latest recordings."),
        click.option("--keep-bytes", metavar="SIZE", help="So much of the latest: 500GB, 2TiB."),
        click.option("--keep-days", metavar="TIME", help="As long since they ended: 14d, 12h, or days as a number."),
    ):
        command = option(command)
    return command


@retention.command()
@click.argument("name", metavar="NAME")
@_with_limits
@talking
def add(output: Output, api: Api, *, name: str, **limits: str | None) -> int:
    """Add a rule. It deletes nothing until a channel, a platform or all channels use it."""
    doc = api.post("policies", {"name": name, **given_of(_read(limits))})
    done(output, doc, "retention.added", name=doc["name"])
    return EXIT_OK


@retention.command()
@click.argument("name", metavar="NAME")
@_with_limits
@talking
def edit(output: Output, api: Api, *, name: str, **limits: str | None) -> int:
    """Change a rule; `none` takes a limit away."""
    given = {key: value for key, value in _read(limits).items() if limits[key] is not None}
    if not given:
        raise BadOption("nothing is to be changed: see `ouzel retention edit --help`")
    doc = api.patch(f"policies/{quote(name, safe='')}", given)
    done(output, doc, "retention.changed", name=doc["name"])
    return EXIT_OK


@retention.command()
@click.argument("name", metavar="NAME")
@talking
def remove(output: Output, api: Api, *, name: str) -> int:
    """Remove a rule that nothing uses any more."""
    api.delete(f"policies/{quote(name, safe='')}")
    done(output, None, "retention.removed", name=name)
    return EXIT_OK


@retention.command()
@click.argument("name", metavar="NAME|none|inherit")
@places
@talking
def use(output: Output, api: Api, *, name: str, **where: Any) -> int:
    """Say which rule is used for a channel, a platform, or all; `none`, or `inherit` what holds above."""
    unknown = NotFound(f"there is no rule {name[:60]}; `ouzel retention list` has them")
    return use_at(output, api, "policy", name, among="policies", unknown=unknown, said="retention.used", **where)


@retention.command()
@talking
def plan(output: Output, api: Api) -> int:
    """Show what the rules would delete now, and why; nothing is done."""
    doc = api.get("retention/plan", limit=_SHOWN)
    if output.is_json:
        output.json(doc)
        return EXIT_OK
    show(output, doc["steps"], "retention.steps", _step)
    if (more := doc["count"] - len(doc["steps"])) > 0:
        output.say(tr("retention.more", count=more))
    output.say(tr("retention.frees", size=format_size(doc["frees_bytes"])))
    for root in doc["roots"]:
        if root["kept"]:
            unknown = format_size(root["unknown_bytes"])
            output.say(tr(f"retention.kept.{root['kept']}", root=root["name"], unknown=unknown))
        elif root["out_of_reach"]:
            output.say(tr("retention.out_of_reach", root=root["name"], size=format_size(root["keep_free_bytes"])))
        elif root["lacks_bytes"]:
            output.say(tr("retention.lacks", root=root["name"], size=format_size(root["lacks_bytes"])))
    for why, count in doc["kept"].items():
        output.say(tr("retention.stays", why=tr(f"retention.why.{why}"), count=count))
    if not doc["on"]:
        output.say(tr("retention.off"))
    return EXIT_OK


def _step(row: Row) -> list[object]:
    what = tr("retention.unlinked" if row["unlink"] else "retention.trashed")
    return [row["recording"], row["channel"], row["title"], format_size(row["bytes"]), row["why"], what]


@retention.command()
@talking
def run(output: Output, api: Api) -> int:
    """Keep the rules now, as a job."""
    job = api.post("retention/run")
    done(output, job, "retention.running", job=job["id"])
    return EXIT_OK


def _read(limits: dict[str, str | None]) -> dict[str, Any]:
    """Raises: BadOption."""
    return {
        "keep_days": _limit(limits["keep_days"], _days),
        "keep_bytes": _limit(limits["keep_bytes"], _size),
        "keep_count": _limit(limits["keep_count"], _count),
        "keep_free": _limit(limits["keep_free"], _size),
        "per": limits["per"],
    }


def _size(text: str) -> int:
    if text.strip().isdecimal():
        raise BadOption(f"{text[:40]!r} has no unit: write 500MB, 500GB or 2TiB")
    return parse_size(text)


def _limit(text: str | None, read: Callable[[str], float]) -> float | None:
    return None if text is None or text.strip().lower() == NONE else read(text)


def _days(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return parse_duration(text) / _DAY_S


def _count(text: str) -> int:
    if not text.strip().isdecimal():
        raise BadOption(f"--keep-count takes a number of recordings, not {text[:40]!r}")
    return int(text)
