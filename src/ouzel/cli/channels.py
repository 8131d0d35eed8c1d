"""`ouzel channels`."""

from __future__ import annotations

import json
from typing import Any

import click

from ouzel.base.errors import BadOption
from ouzel.base.urls import redact
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, fields, given_of, local_time, show
from ouzel.cli.main import EXIT_GAPS, EXIT_OK
from ouzel.cli.output import NORMAL, VERBOSE, Output
from ouzel.cli.texts import reason, tr

MODES = ["record", "notify", "manual"]


@click.group(cls=Noun)
def channels() -> None:
    """The channels of a running daemon: what it watches, and how."""


@channels.command("list")
@click.option("--platform", metavar="NAME", help="Only those of this platform.")
@click.option("--label", metavar="WORD", help="Only those with this label.")
@click.option("--state", metavar="STATE", help="Only those that are so: live, offline, blocked …")
@click.option("--text", metavar="WORD", help="Only those with this in a name or an address.")
@click.option("--mode", type=click.Choice(MODES), help="Only those of this mode.")
@click.option("--watched/--unwatched", "watch", default=None, help="Only those that are watched, or are not.")
@click.option("--trash", is_flag=True, help="Those that were removed.")
@talking
def list_(output: Output, api: Api, *, trash: bool, **filters: str | bool | None) -> int:
    """List channels, and what is known of each."""
    found = api.all("channels/trash") if trash else api.all("channels", **filters)
    show(output, found, "channels.table", _cells)
    return EXIT_OK


def _cells(row: Row) -> list[object]:
    running = row["recording"]
    state = tr(f"state.{row['state']}")
    if running:
        state = f"{state}, {tr('running.' + running['state'])}"
    return [
        row["id"],
        row["name"],
        row["platform"],
        state if row["watch"] else tr("channels.unwatched"),
        row["addresses"][0],
    ]


@channels.command()
@click.argument("addresses", metavar="URL...", nargs=-1, required=True)
@click.option("--name", default="", help="Called so; else as the platform calls it.")
@click.option("--label", "labels", multiple=True, metavar="WORD", help="With this label; may be repeated.")
@click.option("--quality", metavar="WORDS", help="Recorded so, the first that is there: 1080p,720p,best.")
@click.option("--mode", type=click.Choice(MODES), help="Record what goes live, only tell, or only when told to.")
@click.option("--folder", default="", metavar="NAME", help="For its files; else made from its name.")
@click.option("--other-url", "others", multiple=True, metavar="URL", help="A further address of the same channel.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting; VALUE is JSON, or a text.")
@click.option("--unwatched", is_flag=True, help="Not to be watched yet.")
@talking
def add(
    output: Output,
    api: Api,
    *,
    addresses: tuple[str, ...],
    labels: tuple[str, ...],
    quality: str | None,
    mode: str | None,
    others: tuple[str, ...],
    settings: tuple[str, ...],
    unwatched: bool,
    **own: str,
) -> int:
    """Add channels, each address one of its own.

    \b
    Exit codes: 0 all were added, 3 some were not, 2 bad arguments.
    """
    if (others or any(own.values())) and len(addresses) > 1:
        raise BadOption("--name, --folder and --other-url are for one address")
    chosen = {"quality": _list(quality) if quality else None, "mode": mode}
    layer = {name: value for name, value in chosen.items() if value} | _settings(settings)
    shared = {"labels": [*labels], "settings": layer, "watch": not unwatched, **own}
    if len(addresses) == 1:
        made = api.post("channels", {"addresses": [*addresses, *others], **shared})
        done(output, made, "channels.added", name=made["name"], id=made["id"])
        return EXIT_OK
    items = api.add_channels([{"addresses": [each], **shared} for each in addresses])
    for address, item in zip(map(redact, addresses), items, strict=True):
        output.json({"address": address, **item})
        if item["id"]:
            output.say(tr("channels.added", name=item["name"], id=item["id"]))
        else:
            output.complain(item["code"], f"{address}: {item['detail']}")
    return EXIT_OK if all(item["id"] for item in items) else EXIT_GAPS


@channels.command("show")
@click.argument("channel", metavar="CHANNEL")
@talking
def show_(output: Output, api: Api, *, channel: str) -> int:
    """Show what is set and known of a channel, and where each value comes from; -v: all of it, with the evidence."""
    doc = api.show("channels", channel, "name", "addresses")
    names = ("id", "name", "aliases", "folder", "platform", "identity", "addresses", "labels")
    fields(
        output,
        doc,
        *names,
        "state",
        "why",
        "title",
        "not_recorded",
        "due_at",
        **_said(doc),
        not_recorded=_unwanted(doc),
    )
    for name, each in doc["effective"].items():
        level = VERBOSE if each["source"] == "default" else NORMAL
        output.say(f"{name} = {json.dumps(each['value'], ensure_ascii=False)}  # {each['source']}", level=level)
    for asked in doc["standing"]["evidence"]:
        output.say(json.dumps(asked, ensure_ascii=False), level=VERBOSE)
    return EXIT_OK


@channels.command()
@click.argument("channel", metavar="CHANNEL")
@talking
def history(output: Output, api: Api, *, channel: str) -> int:
    """List the states that a channel was in, the latest first."""
    show(output, api.all(f"channels/{_id(api, channel)}/history"), "channels.history", _past_cells)
    return EXIT_OK


def _past_cells(row: Row) -> list[object]:
    said = _said(row)
    return [local_time(row["at"]), said["state"], row["code"], said["why"]]


def _unwanted(doc: Row) -> str:
    """Why what is on air is not recorded."""
    broadcast: Row = doc["broadcast"] or {}
    return tr(f"unwanted.{broadcast['why_not']}") if doc["state"] == "live" and broadcast.get("why_not") else ""


def _said(row: Row) -> Row:
    """The state, and why it is so, in the reader's language."""
    why = reason(row["code"], row["why"] or "") if row["code"] else row["why"]
    return {"state": tr(f"state.{row['state']}"), "why": why}


@channels.command()
@click.argument("channel", metavar="CHANNEL")
@click.option("--name", help="Called so; empty: as the platform calls it.")
@click.option("--url", "addresses", multiple=True, metavar="URL", help="Its addresses, in place of those it has.")
@click.option("--label", "labels", multiple=True, metavar="WORD", help="Its labels, in place of those it has.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting; VALUE is JSON, or a text.")
@click.option("--unset", multiple=True, metavar="NAME", help="A setting that comes from the layers above again.")
@talking
def edit(
    output: Output, api: Api, *, channel: str, settings: tuple[str, ...], unset: tuple[str, ...], **given: Any
) -> int:
    """Change a channel."""
    patch = given_of(given)
    if changed := {**_settings(settings), **dict.fromkeys(unset)}:
        patch["settings"] = changed
    if not patch:
        raise BadOption("nothing is to be changed: see `ouzel channels edit --help`")
    doc = api.patch(f"channels/{_id(api, channel)}", patch)
    done(output, doc, "channels.changed", name=doc["name"])
    return EXIT_OK


@channels.command()
@click.argument("scope", metavar="global|PLATFORM", default="global")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting; VALUE is JSON, or a text.")
@click.option("--unset", multiple=True, metavar="NAME", help="A setting that comes from the layers above again.")
@talking
def settings(output: Output, api: Api, *, scope: str, settings: tuple[str, ...], unset: tuple[str, ...]) -> int:
    """Show or change the settings for all channels, or for those of a platform."""
    path = f"settings/channels/{scope if scope == 'global' else f'platform:{scope}'}"
    changed = {**_settings(settings), **dict.fromkeys(unset)}
    doc = api.patch(path, changed) if changed else api.get(path)
    output.json(doc)
    for name, value in doc["settings"].items():
        output.say(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    if not doc["settings"]:
        output.say(tr("clients.none"))
    return EXIT_OK


def _action(name: str, method: str, path: str, text: str, body: object, what: str) -> None:
    """A command that does one thing to one channel."""

    @talking
    def act(output: Output, api: Api, *, channel: str) -> int:
        found = _found(api, channel, trash=name == "restore")
        answer = api.ask(method, f"channels/{found['id']}{path}", body=body)
        done(output, answer, text, name=found["name"])
        return EXIT_OK

    act.__doc__ = what
    command = channels.command(name)(act)
    command.params.insert(0, click.Argument(["channel"], metavar="CHANNEL"))


_action("remove", "DELETE", "", "channels.removed", None, "Take a channel away; `restore` brings it back.")
_action("restore", "POST", "/restore", "channels.restored", None, "Bring a removed channel back.")
_action("watch", "PATCH", "", "channels.watched", {"watch": True}, "Watch a channel.")
_action("unwatch", "PATCH", "", "channels.not_watched", {"watch": False}, "Watch a channel no more; what runs goes on.")
_action("check", "POST", "/check", "channels.checked", None, "Ask about a channel now, before its turn.")
_action("record", "POST", "/record", "channels.recorded", None, "Record what is on air now, whatever is set.")
_action("stop", "POST", "/stop", "channels.stopped", None, "Stop this broadcast only; the next one is recorded.")
_action("split", "POST", "/split", "channels.split", None, "Go on in a new file.")


@channels.command()
@click.argument("channel", metavar="[CHANNEL]", required=False)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many.")
@talking
def revisions(output: Output, api: Api, *, channel: str | None, limit: int) -> int:
    """List the edits of all channels and settings, or those of a channel, the latest first."""
    subject = _id(api, channel) if channel else None
    found = api.get("revisions", limit=limit, subject=subject)["items"]
    show(output, found, "channels.revisions", _edit_cells)
    return EXIT_OK


def _edit_cells(row: Row) -> list[object]:
    before: Row = row["before"] or {}
    after: Row = row["after"] or {}
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)] if before else []
    subject = after.get("name") or before.get("name") or row["subject"]
    return [row["number"], local_time(row["at"]), row["by"], row["action"], subject, changed]


@channels.command()
@click.argument("number", metavar="[NUMBER]", type=int, required=False)
@talking
def undo(output: Output, api: Api, *, number: int | None) -> int:
    """Undo the last edit, or that of a revision: `revisions` has their numbers."""
    if number is None:
        latest = api.get("revisions", limit=1)["items"]
        if not latest:
            raise BadOption("nothing was edited yet")
        number = int(latest[0]["number"])
    doc = api.post(f"revisions/{number}/undo")
    done(output, doc, "channels.undone", subjects=", ".join(doc["subjects"]))
    return EXIT_OK


def _found(api: Api, word: str, *, trash: bool = False) -> Row:
    return api.find("channels/trash" if trash else "channels", word, "name", "addresses")


def _id(api: Api, word: str) -> str:
    return _found(api, word)["id"]


def _settings(words: tuple[str, ...]) -> dict[str, Any]:
    """Raises: BadOption."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise BadOption(f"--set {word[:40]}: it is written NAME=VALUE")
        try:
            found[name.strip()] = json.loads(text)
        except ValueError:
            found[name.strip()] = text
    return found


def _list(words: str) -> list[str]:
    return [word for each in words.split(",") if (word := each.strip())]
