"""`ouzel pipelines`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import click

from ouzel.base.errors import BadOption, NotFound
from ouzel.cli.client import Api, talking
from ouzel.cli.groups import Noun, Row, done, local_time, show
from ouzel.cli.main import EXIT_OK
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.cli.using import places, use_at
from ouzel.model.pipelines import short_step, stored_step
from ouzel.model.steps import SHAPES, Field

_SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@click.group(cls=Noun)
def pipelines() -> None:
    """What a running daemon does with recordings and downloads that are over."""


@pipelines.command("list")
@talking
def list_(output: Output, api: Api) -> int:
    """List the pipelines."""
    show(output, api.get("pipelines")["items"], "pipelines.table", lambda row: [row["name"], _told(row["steps"])])
    return EXIT_OK


@pipelines.command()
@talking
def steps(output: Output, api: Api) -> int:  # noqa: ARG001
    """List what steps there are, and the fields of each."""
    rows = [
        {"step": name, "field": key, **each.schema(), "queue": shape.queue}
        for name, shape in SHAPES.items()
        for key, each in shape.fields.items()
    ]
    show(output, rows, "pipelines.fields", _field_cells)
    return EXIT_OK


def _field_cells(row: Row) -> list[object]:
    usual = row.get("default", tr("pipelines.needed"))
    return [row["step"], row["field"], _written(usual), ", ".join(row.get("enum", ())), row["description"]]


@pipelines.command()
@click.argument("name", metavar="NAME")
@click.argument("steps", metavar="STEP...", nargs=-1, required=True)
@talking
def add(output: Output, api: Api, *, name: str, steps: tuple[str, ...]) -> int:
    """Add a pipeline. Each step is one word for the shell: "remux format=mp4 keep=yes" thumbnails "upload to=nas".

    It does nothing until a channel, a platform or all channels use it, or `run` does.
    """
    doc = api.post("pipelines", {"name": name, "steps": [_read(each) for each in steps]})
    done(output, doc, "pipelines.added", name=doc["name"])
    return EXIT_OK


@pipelines.command()
@click.argument("name", metavar="NAME")
@click.argument("steps", metavar="STEP...", nargs=-1, required=True)
@talking
def edit(output: Output, api: Api, *, name: str, steps: tuple[str, ...]) -> int:
    """Give a pipeline other steps. What has begun goes on as it was."""
    doc = api.ask("PUT", f"pipelines/{quote(name, safe='')}", body={"steps": [_read(each) for each in steps]})
    done(output, doc, "pipelines.changed", name=doc["name"])
    return EXIT_OK


@pipelines.command()
@click.argument("name", metavar="NAME")
@talking
def remove(output: Output, api: Api, *, name: str) -> int:
    """Remove a pipeline that nothing uses any more."""
    api.delete(f"pipelines/{quote(name, safe='')}")
    done(output, None, "pipelines.removed", name=name)
    return EXIT_OK


@pipelines.command()
@click.argument("name", metavar="NAME|none|inherit")
@places
@talking
def use(output: Output, api: Api, *, name: str, **where: Any) -> int:
    """Say which pipeline is run over recordings of a channel, a platform, or all; `none`, or `inherit` what holds above."""
    unknown = NotFound(f"there is no pipeline {name[:60]}; `ouzel pipelines list` has them")
    return use_at(output, api, "pipeline", name, among="pipelines", unknown=unknown, said="pipelines.used", **where)


# -- runs --------------------------------------------------------------------------------------------------------------


@pipelines.command()
@click.argument("name", metavar="NAME")
@click.option("--recording", metavar="RECORDING", help="Over this recording.")
@click.option("--download", metavar="DOWNLOAD", help="Over this download.")
@talking
def run(output: Output, api: Api, *, name: str, recording: str | None, download: str | None) -> int:
    """Run a pipeline now, over something that is over."""
    if (recording is None) == (download is None):
        raise BadOption("name what it is run over: --recording or --download")
    if recording is not None:
        place = f"recordings/{api.find('recordings', recording, 'title')['id']}"
    else:
        place = f"downloads/{api.find('downloads', download or '', 'name', 'title')['id']}"
    doc = api.post(f"{place}/runs", {"pipeline": name})
    done(output, doc, "pipelines.begun", name=doc["pipeline"], id=doc["id"])
    return EXIT_OK


@pipelines.command()
@click.option("--recording", metavar="RECORDING", help="Only those over this recording.")
@click.option("--state", metavar="STATE", help="Only those that are so: running, done, failed, cancelled.")
@talking
def runs(output: Output, api: Api, *, recording: str | None, state: str | None) -> int:
    """List what is run, and what was, the newest first."""
    if recording is not None:
        found = api.all(f"recordings/{api.find('recordings', recording, 'title')['id']}/runs")
        rows = [each for each in found if state in {None, each["state"]}]
    else:
        rows = [*api.all("runs", state=state)]
    show(output, rows, "pipelines.runs", _run_cells)
    return EXIT_OK


def _run_cells(row: Row) -> list[object]:
    at, of = row["at"], len(row["steps"])
    step = f"{at + 1}/{of} {row['steps'][at]['step']}" if at < of else f"{of}/{of}"
    item = row["recording_id"] or row["download_id"]
    return [row["id"], row["pipeline"], item, row["state"], step, local_time(row["created_at"]), row["why"]]


@pipelines.command()
@click.argument("run", metavar="RUN")
@talking
def cancel(output: Output, api: Api, *, run: str) -> int:
    """Cancel a run; what its steps have made stays."""
    doc = api.post(f"runs/{api.find('runs', run)['id']}/cancel")
    done(output, doc, "pipelines.run_changed", id=doc["id"], state=doc["state"])
    return EXIT_OK


@pipelines.command()
@click.argument("run", metavar="RUN")
@talking
def retry(output: Output, api: Api, *, run: str) -> int:
    """Take a run up again at the step at which it failed, or was cancelled."""
    doc = api.post(f"runs/{api.find('runs', run)['id']}/retry")
    done(output, doc, "pipelines.run_changed", id=doc["id"], state=doc["state"])
    return EXIT_OK


# -- steps as words ----------------------------------------------------------------------------------------------------


def _read(text: str) -> dict[str, Any]:
    """`remux format=mp4 keep=yes` as JSON. What is in no step of ours the daemon refuses. Raises: BadOption."""
    try:
        name, *pairs = shlex.split(text)
    except ValueError as exc:
        raise BadOption(f"{text[:60]!r} is no step: {str(exc).lower()}") from None
    known: Mapping[str, Field] = SHAPES[name].fields if name in SHAPES else {}
    doc: dict[str, Any] = {"step": name}
    for pair in pairs:
        key, is_pair, value = pair.partition("=")
        if not is_pair:
            raise BadOption(f"{pair[:60]!r} is no field of {name}: write NAME=VALUE")
        doc[key] = _value(name, key, value, known[key].usual if key in known else "")
    return doc


def _value(step: str, key: str, text: str, usual: object) -> object:
    try:
        match usual:
            case bool():
                return _SWITCHES[text.lower()]
            case int():
                return int(text)
            case float():
                return float(text)
            case _:
                return text
    except (ValueError, KeyError):
        kind = "yes or no" if isinstance(usual, bool) else "a number"
        raise BadOption(f"{step}: {key} is {kind}, not {text[:40]!r}") from None


def _told(docs: Sequence[Mapping[str, Any]]) -> str:
    """As `add` takes them, without what is as usual."""
    return ", ".join(" ".join(_words(short_step(stored_step(doc)))) for doc in docs)


def _words(doc: Mapping[str, Any]) -> list[str]:
    pairs = [shlex.quote(f"{key}={_written(value)}") for key, value in doc.items() if key != "step"]
    return [doc["step"], *pairs]


def _written(value: object) -> str:
    return (
        ("yes" if value else "no")
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
