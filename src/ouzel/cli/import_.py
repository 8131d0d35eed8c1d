"""`ouzel import`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from ouzel.base.errors import BadOption, InputError
from ouzel.base.units import format_size
from ouzel.base.urls import redact
from ouzel.cli.client import reaching
from ouzel.cli.main import EXIT_GAPS, EXIT_NOTHING, EXIT_OK, Command
from ouzel.cli.options import speaking
from ouzel.cli.output import NORMAL, VERBOSE, Output
from ouzel.cli.texts import reason, tr
from ouzel.platforms.registry import registry
from ouzel.services.adoption import AdoptionPlan, plan_adoption
from ouzel.services.import_files import gather
from ouzel.services.import_plan import ImportPlan, PlannedChannel, PlannedSetting
from ouzel.services.import_settings import scope_of
from ouzel.services.imports import plan_import

_CHANGES = frozenset({
    "names_several", "name_cut_address", "words_around_address", "comma_missing", "fields_many", "channels_joined",
    "quality_unknown", "address_changed", "channel_repeated", "value_changed",
})  # fmt: skip
"""Notices of what was taken otherwise than it stands there; the others tell of what was left."""
_WORDS = dict.fromkeys(_CHANGES, "changed") | {"into_pipeline": "taken"}


@click.command("import", cls=Command)
@click.argument("paths", metavar="FILE|FOLDER...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only show what would be taken.")
@click.option(
    "--adopt",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    metavar="FOLDER",
    help="Recordings that another recorder left in this folder; may be repeated.",
)
@reaching
@speaking
def import_(
    paths: tuple[Path, ...],
    output: Output,
    *,
    dry_run: bool,
    adopt: tuple[Path, ...],
    server: str | None,
    key: str | None,
    data: Path | None,
) -> int:
    """Read what other recorders, downloaders and relays are configured with, and tell line by line what is taken, changed, and
    refused. Their files are never written to.

    The format is found by the content: config.json of the Twitch recorder, config.ini and URL_config.ini of the live recorder,
    config.yaml of the camera recorder, downloader.yaml and tasks of the downloader, variables and channels.json of the relay,
    recordings.json of StreamCap.

    A daemon that runs takes it over at once; else it stands in the database when one starts.

    \b
    Exit codes: 0 all was taken, 3 something was not, 4 nothing was, 2 bad arguments.
    """
    if not paths and not adopt:
        raise BadOption("no file or folder is given")
    plan = plan_import(gather(paths), registry())
    if paths and not plan.files:
        raise InputError(f"nothing in {', '.join(map(str, paths))} can be imported")
    names = [channel.name for channel in plan.channels if channel.name]
    adoptions = [plan_adoption(folder, names=names) for folder in adopt]
    show(plan, adoptions, output, dry=dry_run)
    code = exit_code(plan, adoptions)
    if dry_run or code == EXIT_NOTHING:
        return code
    return carry_out(plan, adoptions, output, server=server, key=key, data=data)


def carry_out(
    plan: ImportPlan,
    adoptions: Sequence[AdoptionPlan],
    output: Output,
    *,
    server: str | None,
    key: str | None,
    data: Path | None,
) -> int:
    """Give it to the daemon that runs; else write it into the database. Raises: OuzelError."""
    from ouzel.cli.taking_over import take_over

    taken = take_over(plan, adoptions, server=server, key=key, data=data)
    output.json({"event": "imported", **taken})
    output.say(
        tr(
            "import.done",
            added=len(taken["added"]),
            already=taken["already"],
            refused=len(taken["refused"]),
            layers=len(taken["layers"]),
        )
    )
    if taken["downloads"]:
        output.say(tr("import.done_downloads", count=taken["downloads"]))
    for each in taken["refused"]:
        output.say(tr("import.not_added", url=each["url"], why=reason(each["code"], each["message"])))
    if taken["locked"]:
        output.say(tr("import.locked", names=", ".join(taken["locked"])))
    if adoptions:
        output.say(tr("import.done_adopted", count=taken["recordings"], known=taken["known"]))
    return exit_code(plan, adoptions) or (EXIT_GAPS if taken["refused"] else EXIT_OK)


def exit_code(plan: ImportPlan, adoptions: Sequence[AdoptionPlan]) -> int:
    taken = bool(plan.channels or plan.downloads or any(each.recordings for each in adoptions))
    if not taken and not any(each.of.target and each.of.value is not None for each in plan.settings):
        return EXIT_NOTHING
    return EXIT_GAPS if plan.problems else EXIT_OK


def is_taken(setting: PlannedSetting) -> bool:
    """Whether it becomes a setting of channels; the others have a notice, or no value."""
    return setting.of.value is not None and scope_of(setting.of) is not None


def show(plan: ImportPlan, adoptions: Sequence[AdoptionPlan], output: Output, *, dry: bool = True) -> None:
    """The plan, for people or for programs. Secrets are in neither."""
    found = {
        "recordings": [recording.fields() for each in adoptions for recording in each.recordings],
        "left": [left for each in adoptions for left in each.fields()["left"]],
    }
    output.json({"event": "import", **plan.fields(sentence), **(found if adoptions else {})})
    for file, format_ in plan.files:
        output.say(tr("import.file", file=file, format=tr(f"format.{format_ or 'unknown'}")))
        for level, line in _lines(plan, file):
            output.say(line, level=level)
    for each in adoptions:
        for line in _adopted(each):
            output.say(line)
        for path, why in each.left:
            output.say(tr("import.left_file", path=path, why=tr(f"left.{why}")), level=VERBOSE)
    taken = [each for each in plan.settings if is_taken(each)]
    output.say(
        tr(
            "import.sum",
            channels=len(plan.channels),
            settings=len(taken),
            downloads=len(plan.downloads),
            notices=len(plan.notices),
            problems=len(plan.problems),
        )
    )
    if dry:
        output.say(tr("import.dry"))


def sentence(code: str, fields: Mapping[str, str]) -> str:
    """What a notice or a problem says."""
    return tr(f"import.{code}", **fields)


def _lines(plan: ImportPlan, file: str) -> Iterator[tuple[int, str]]:
    """What became of each line, in their order, with the level on which it is told."""
    rows: list[tuple[int, int, str]] = []
    changed = {each.of.line for each in plan.notices if each.file == file and each.of.code in _CHANGES}
    for channel in (each for each in plan.channels if each.file == file):
        word = "import.changed" if channel.line in changed else "import.taken"
        rows.append((channel.line, NORMAL, tr("import.line", line=channel.line, what=tr(word), text=_channel(channel))))
    for each in (each for each in plan.downloads if each.file == file):
        text = tr("import.download", url=redact(each.of.url), name=_named(each.of.name))
        rows.append((each.of.line, NORMAL, tr("import.line", line=each.of.line, what=tr("import.taken"), text=text)))
    for setting in (each for each in plan.settings if each.file == file):
        if setting.of.target is not None:
            level = NORMAL if is_taken(setting) else VERBOSE
            word = "import.changed" if setting.of.line in changed else "import.taken"
            text = tr("import.line", line=setting.of.line, what=tr(word), text=_setting(setting))
            rows.append((setting.of.line, level, text))
    for remark in (each for each in (*plan.notices, *plan.problems) if each.file == file):
        refused = remark in plan.problems
        word = "refused" if refused else _WORDS.get(remark.of.code, "left")
        text = sentence(remark.of.code, remark.of.fields)
        line = remark.of.line or ""
        rows.append((remark.of.line, NORMAL, tr("import.line", line=line, what=tr(f"import.{word}"), text=text)))
    return ((level, text) for _, level, text in sorted(rows, key=lambda row: row[0]))


def _channel(channel: PlannedChannel) -> str:
    return tr(
        "import.channel",
        url=redact(channel.url),
        name=_named(channel.name),
        quality=channel.quality,
        paused=(tr("import.paused") if channel.paused else "")
        + ("" if channel.mode == "record" else tr(f"import.mode.{channel.mode}")),
    )


def _named(name: str) -> str:
    return tr("import.named", name=name) if name else ""


def _setting(setting: PlannedSetting) -> str:
    of = setting.of
    if of.value is None:
        return tr("import.unset", key=of.key)
    value = ", ".join(of.value) if isinstance(of.value, tuple) else str(of.value)
    return tr("import.setting", key=of.key, target=of.target, value=tr("import.secret") if of.is_secret else value)


def _adopted(plan: AdoptionPlan) -> Iterator[str]:
    for each in plan.recordings:
        yield tr(
            "import.recording",
            started=f"{each.started:%Y-%m-%d %H:%M:%S}",
            platform=each.platform or "?",
            channel=each.channel,
            title=tr("import.titled", title=each.title) if each.title else "",
            count=len(each.files),
            size=format_size(each.bytes),
        )
    size = sum(each.bytes for each in plan.recordings)
    yield tr("import.sum_adopted", count=len(plan.recordings), size=format_size(size), left=len(plan.left))
