"""`ouzel downloads`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ouzel.base.errors import BadOption, InputError
from ouzel.base.units import format_duration, format_size
from ouzel.base.urls import redact
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, fields, show
from ouzel.cli.main import EXIT_GAPS, EXIT_OK
from ouzel.cli.output import Output
from ouzel.cli.texts import reason, tr

PROFILES = ["fast", "stable", "low_bandwidth"]
FORMATS = ["mp4", "mkv", "ts", "flv", "m4a", "mp3"]


@click.group(cls=Noun)
def downloads() -> None:
    """What a running daemon fetches once: playlists, files, pages of videos."""


@downloads.command("list")
@click.option("--state", metavar="STATE", help="Only those that are so: pending, downloading, failed …")
@click.option("--text", metavar="WORD", help="Only those with this in a name, a title or an address.")
@talking
def list_(output: Output, api: Api, *, state: str | None, text: str | None) -> int:
    """List downloads, the newest first."""
    show(output, api.all("downloads", state=state, text=text), "downloads.table", _cells, gives_way=1)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    running = row["running"]
    speed = f"{format_size(running['speed_bps'])}/s" if running else ""
    done = f"{row['fraction']:.0%}" if row["state"] == "completed" or row["pieces"] else ""
    left = format_duration(running["eta_s"]) if running and running["eta_s"] is not None else ""
    return [
        row["id"], row["name"] or row["title"] or row["address"], tr(f"downloads.state.{row['state']}"), done,
        format_size(row["bytes"]), speed, left, row["prio"] or "", reason(row["code"], row["why"]) if row["code"] else "",
    ]  # fmt: skip


@downloads.command("show")
@click.argument("download", metavar="DOWNLOAD")
@talking
def show_(output: Output, api: Api, *, download: str) -> int:
    """Show all that is known of a download."""
    doc = api.show("downloads", download, "name", "title")
    total, running = doc["bytes_total"], doc["running"]
    fields(
        output,
        doc,
        *doc,
        fraction=f"{doc['fraction']:.0%}",
        bytes=format_size(doc["bytes"]),
        bytes_total=format_size(total) if total is not None else "",
        running={**running, "speed_bps": f"{format_size(running['speed_bps'])}/s"} if running else "",
    )
    return EXIT_OK


@downloads.command()
@click.argument("addresses", metavar="URL...", nargs=-1, required=True)
@click.option("--name", default="", help="Of the download and its file; else made from its title or address.")
@click.option("--folder", default="", metavar="FOLDER", help="Below the daemon's folder for downloads.")
@click.option("--quality", default="best", show_default=True, metavar="WORD", help="As for `ouzel record`.")
@click.option("--profile", type=click.Choice(PROFILES), help="How many connections, and how patient.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Of the file; else as it comes.")
@click.option("--priority", "prio", type=int, default=0, metavar="NUMBER", help="The greater goes first.")
@click.option("--paused", is_flag=True, help="Not to begin yet.")
@talking
def add(output: Output, api: Api, *, addresses: tuple[str, ...], name: str, format_: str | None, **given: Any) -> int:
    """Fetch what stands at these addresses, each a download of its own.

    \b
    Exit codes: 0 all were added, 3 some were not, 2 bad arguments.
    """
    if name and len(addresses) > 1:
        raise BadOption("--name is for one address")
    shared = {"name": name, "format": format_, **given}
    if len(addresses) == 1:
        made = api.post("downloads", {"url": addresses[0], **shared})
        done(output, made, "downloads.added", name=made["name"] or made["address"], id=made["id"])
        return EXIT_OK
    return _add_all(output, api, [{"url": each, **shared} for each in addresses])


@downloads.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@talking
def import_(output: Output, api: Api, *, files: tuple[Path, ...]) -> int:
    """Add the tasks of files: lists of `name`, `url`, `output_dir`, `quality`, `profile`, as JSON or YAML.

    What is wrong with one keeps no other out.

    \b
    Exit codes: 0 all were added, 3 some were not, 2 bad arguments.
    """
    from ouzel.cli.taking_over import download_body  # and with it all that imports
    from ouzel.platforms.registry import registry
    from ouzel.services.import_files import gather
    from ouzel.services.imports import plan_import

    plan = plan_import(gather(files), registry())
    for each in plan.problems:
        about = {**each.of.fields, "file": each.file}
        output.complain(each.of.code, f"{each.file}:{each.of.line}: {tr(f'import.{each.of.code}', **about)}")
    if not plan.downloads:
        raise InputError(f"there is no task in {', '.join(map(str, files))}")
    code = _add_all(output, api, [download_body(each) for each in plan.downloads])
    return EXIT_GAPS if plan.problems else code


def _add_all(output: Output, api: Api, wanted: Sequence[dict[str, Any]]) -> int:
    items = api.add_downloads(wanted)
    for asked, item in zip(wanted, items, strict=True):
        address = redact(asked["url"])
        output.json({"address": address, **item})
        if item["id"]:
            output.say(tr("downloads.added", name=asked["name"] or address, id=item["id"]))
        else:
            output.complain(item["code"], f"{asked['name'] or address}: {reason(item['code'], item['detail'])}")
    return EXIT_OK if all(item["id"] for item in items) else EXIT_GAPS


def _action(name: str, what: str) -> None:
    """A command that does one thing to downloads."""

    @talking
    def act(output: Output, api: Api, *, found: tuple[str, ...]) -> int:
        for word in found:
            doc = api.post(f"downloads/{_id(api, word)}/{name}")
            state = tr(f"downloads.after.{doc['after']}") if doc["after"] else tr(f"downloads.state.{doc['state']}")
            done(output, doc, "downloads.changed", name=_name(doc), state=state)
        return EXIT_OK

    act.__doc__ = what
    command = downloads.command(name)(act)
    command.params.insert(0, click.Argument(["found"], metavar="DOWNLOAD...", nargs=-1, required=True))


_action("pause", "Pause downloads; what is there stays.")
_action("resume", "Let paused downloads go on where they are.")
_action("cancel", "Cancel downloads; what is there stays until they are removed.")
_action("retry", "Begin downloads again that failed or were cancelled: only what is missing is fetched.")


@downloads.command()
@click.argument("download", metavar="DOWNLOAD")
@click.argument("number", metavar="NUMBER", type=int)
@talking
def priority(output: Output, api: Api, *, download: str, number: int) -> int:
    """Let a download go before others; the greater goes first."""
    doc = api.patch(f"downloads/{_id(api, download)}", {"prio": number})
    done(output, doc, "downloads.priority", name=_name(doc), number=doc["prio"])
    return EXIT_OK


@downloads.command()
@click.argument("found", metavar="DOWNLOAD...", nargs=-1, required=True)
@click.option("--files", is_flag=True, help="What they have written, too.")
@talking
def remove(output: Output, api: Api, *, found: tuple[str, ...], files: bool) -> int:
    """Take downloads from the list; those that run are ended. Files stay."""
    for word in found:
        doc = api.find("downloads", word, "name", "title")
        api.ask("DELETE", f"downloads/{doc['id']}", query={"files": "true" if files else None})
        done(output, None, "downloads.erased" if files else "downloads.removed", name=_name(doc), id=doc["id"])
    return EXIT_OK


def _id(api: Api, word: str) -> str:
    return api.find("downloads", word, "name", "title")["id"]


def _name(doc: Row) -> str:
    return doc["name"] or doc["title"] or doc["address"]
