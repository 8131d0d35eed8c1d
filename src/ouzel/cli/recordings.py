"""`ouzel recordings`."""

from __future__ import annotations

import click

from ouzel.base.units import format_duration, format_size
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, fields, local_time, show
from ouzel.cli.main import EXIT_OK
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.model.channel_settings import DEFAULTS


@click.group(cls=Noun)
def recordings() -> None:
    """What a running daemon has recorded, and records."""


@recordings.command("list")
@click.option("--channel", metavar="CHANNEL", help="Only those of this channel.")
@click.option("--state", metavar="STATE", help="Only those that are so: recording, parked, done …")
@click.option("--gaps", is_flag=True, help="Only those with gaps.")
@click.option("--trash", is_flag=True, help="Those that were removed.")
@talking
def list_(output: Output, api: Api, *, channel: str | None, state: str | None, gaps: bool, trash: bool) -> int:
    """List recordings, the latest first."""
    of = api.find("channels", channel, "name", "addresses")["id"] if channel else None
    found = api.all("recordings", channel=of, state=state, has_gaps=gaps or None, trash=trash or None)
    show(output, found, "recordings.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    length, size = format_duration(row["media_s"]), format_size(row["bytes"])
    begun, pinned = local_time(row["started_at"]), "*" if row["pinned"] else ""
    return [row["id"], row["channel"], row["title"], row["state"], begun, length, size, row["gaps"], pinned]


@recordings.command()
@click.argument("recording", metavar="RECORDING")
@click.argument("title", metavar="TITLE")
@talking
def rename(output: Output, api: Api, *, recording: str, title: str) -> int:
    """Give a recording another title; its files keep their names."""
    doc = api.patch(f"recordings/{_found(api, recording)['id']}", {"title": title})
    done(output, doc, "recordings.renamed", id=doc["id"], title=doc["title"])
    return EXIT_OK


@recordings.command()
@click.argument("recordings", metavar="RECORDING...", nargs=-1, required=True)
@click.option("--to", metavar="ROOT", required=True, help="Name of the storage root; `ouzel storage` lists them.")
@talking
def move(output: Output, api: Api, *, recordings: tuple[str, ...], to: str) -> int:
    """Move all files of recordings to another storage root. Each is a job; `ouzel jobs` shows how far it is."""
    for found in [_found(api, each) for each in recordings]:
        doc = api.post(f"recordings/{found['id']}/move", {"to": to})
        done(output, doc, "recordings.moving", title=found["title"], to=to, id=doc["id"])
    return EXIT_OK


@recordings.command("show")
@click.argument("recording", metavar="RECORDING")
@talking
def show_(output: Output, api: Api, *, recording: str) -> int:
    """Show a recording with its files, gaps and chapters."""
    doc = api.show("recordings", recording, "title")
    fields(
        output,
        doc,
        "id",
        "channel",
        "title",
        "state",
        "started_at",
        "ended_at",
        "end_reason",
        "quality",
        "policy",
        "why",
    )
    now = doc["running"] or doc
    time, size = format_duration(now["media_s"]), format_size(now["bytes"])
    output.say(tr("recordings.kept", time=time, size=size, missing=format_duration(now["missing_s"])))
    kept_s = sum(file["media_s"] for file in doc["files"] if file["role"] == "original")
    rest_s = max(0.0, now["media_s"] - kept_s)
    for file in doc["files"]:
        if file["state"] == "open":  # its row has no numbers yet
            running = doc["running"] and file is doc["files"][-1]
            words = "recordings.file_open" if running else "recordings.file_left"
            output.say(tr(words, path=_place(file), time=format_duration(rest_s)))
        else:
            output.say(_closed(file))
    for gap in doc["gap_list"]:
        output.say(
            tr(
                "recordings.gap",
                at=format_duration(gap["at_s"]),
                missing=format_duration(gap["missing_s"]),
                code=gap["code"],
            )
        )
    for chapter in doc["chapters"]:
        if title := " ".join(filter(None, [chapter["title"], chapter["category"]])):
            output.say(tr("recordings.chapter", at=format_duration(chapter["at_s"]), title=title))
    return EXIT_OK


def _place(file: Row) -> str:
    """`nas:folder/show.ts`; where it is on the usual root, the path alone."""
    return file["path"] if file["root"] == DEFAULTS.root else f"{file['root']}:{file['path']}"


def _closed(file: Row) -> str:
    """Pictures and subtitles have no length of their own; what was made besides the originals is called what it is."""
    path, time, size = _place(file), format_duration(file["media_s"]), format_size(file["bytes"])
    if file["role"] == "original":
        return tr("recordings.file", path=path, time=time, size=size)
    timed = f"{path}  {time}" if file["media_s"] else path
    return tr("recordings.file_made", path=timed, size=size, role=tr(f"recordings.{file['role']}"))


def _action(name: str, method: str, path: str, text: str, body: object, what: str) -> None:
    @talking
    def act(output: Output, api: Api, *, recording: str) -> int:
        found = _found(api, recording, trash=name == "restore")
        answer = api.ask(method, f"recordings/{found['id']}{path}", body=body)
        done(output, answer, text, id=found["id"], title=found["title"])
        return EXIT_OK

    act.__doc__ = what
    command = recordings.command(name)(act)
    command.params.insert(0, click.Argument(["recording"], metavar="RECORDING"))


_action("pin", "PATCH", "", "recordings.pinned", {"pinned": True}, "Keep a recording, whatever the rules say.")
_action("unpin", "PATCH", "", "recordings.unpinned", {"pinned": False}, "Leave a recording to the rules again.")
_action("remove", "DELETE", "", "recordings.removed", None, "Put a recording into the trash; its files stay.")
_action("restore", "POST", "/restore", "recordings.restored", None, "Take a recording out of the trash.")


def _found(api: Api, word: str, *, trash: bool = False) -> Row:
    return api.find("recordings", word, "title", trash=trash or None)
