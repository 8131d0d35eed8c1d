"""`ouzel repair`."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import click

from ouzel.base.errors import BadOption, OuzelError
from ouzel.cli.access_options import AccessWords, with_access
from ouzel.cli.download_bars import Bars
from ouzel.cli.download_defaults import read_usual
from ouzel.cli.downloading import Words, read_tasks
from ouzel.cli.main import EXIT_GAPS, EXIT_OK, Command, exit_code
from ouzel.cli.options import speaking, without_ledgers
from ouzel.cli.output import Output
from ouzel.cli.texts import reason, told, tr
from ouzel.engine.download.repair import Repaired, Repairer, address_of, find_holes
from ouzel.engine.tasks import beside
from ouzel.model.downloads import ProfileName
from ouzel.model.report import gap_fields
from ouzel.system.clock import SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client


@click.command(cls=Command)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--url", metavar="URL", help="Where it comes from, when the ledger has not kept the secrets of that.")
@click.option(
    "--profile",
    type=click.Choice(["fast", "stable", "low_bandwidth"]),
    help="fast: 16 connections, 1 retry; stable: 8 and 5; low_bandwidth: 2 and 3.",
)
@click.option("--limit-rate", metavar="SIZE", help="So many bytes a second at most: 5M.")
@click.option("--key", metavar="HEX|FILE", help="AES-128 key in place of what the playlist names.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="Send this header; may be repeated.")
@with_access
@speaking
def repair(files: tuple[Path, ...], output: Output, url: str | None, **options: Any) -> int:
    """Fetch what is missing in downloads that were closed with gaps, and put it where it belongs.

    \b
    What a recording has missed was on air once, and cannot be had again.

    \b
    Exit codes: 0 nothing is missing any more, 3 something still is, 4 it could not be asked for,
    2 bad arguments, 5 disk; with several files the highest.
    """
    named = without_ledgers(files)
    if url and len(named) > 1:
        raise BadOption("--url is of one file, and several are named")
    from ouzel.system.loop import backend_options

    work = partial(_repair_all, named, partial(_words, **options), url, output)
    return anyio.run(work, backend_options=backend_options())


def _words(
    url: str,
    *,
    profile: ProfileName | None,
    limit_rate: str | None,
    key: str | None,
    headers: tuple[str, ...],
    access: AccessWords,
) -> Words:
    return Words(
        (url,), output=None, name=None, quality="best", audio=(), subs=(), profile=profile, threads=None,
        limit_rate=limit_rate, from_=None, to=None, format_=None, key=key, headers=headers, streaming=False,
        allow_gaps=False, keep_tracks=False, min_free="0", access=access,
    )  # fmt: skip


async def _repair_all(files: list[Path], words_of: partial[Words], url: str | None, output: Output) -> int:
    return max([await _repair_one(path.absolute(), words_of, url, output) for path in files])


async def _repair_one(path: Path, words_of: partial[Words], url: str | None, output: Output) -> int:
    bars = Bars(output, [path.name])
    try:
        done = await _repair(path, words_of, url, output, bars)
    except OuzelError as exc:
        bars.close()
        output.error(exc.code, reason(exc.code, str(exc)), path=str(path))
        return exit_code(exc)
    bars.close()
    output.json({"event": "repaired", **_fields(done)})
    for line in _lines(done):
        output.say(line)
    return EXIT_GAPS if done.left else EXIT_OK


async def _repair(path: Path, words_of: partial[Words], url: str | None, output: Output, bars: Bars) -> Repaired:
    case = await find_holes(path)
    if not case.holes:
        return Repaired(case.named, 0, ())
    words = words_of(address_of(case, url))
    [task], _ = read_tasks(words, await anyio.to_thread.run_sync(read_usual, words.access.config), output)
    clock = SystemClock()
    async with Http1Client() as http, AsyncExitStack() as stack:
        repairer = Repairer(http, clock, FfmpegFinder(), await words.finder([task], clock, stack))
        bars.begin(0)
        async with beside(bars.run):
            return await repairer.run(case, task.wish, on_progress=partial(bars.tell, 0))


def _lines(done: Repaired) -> list[str]:
    if not done.filled and not done.left:
        return [tr("repair.whole", path=done.path)]
    lines = [tr("repair.left" if done.left else "repair.done", path=done.path, filled=done.filled, left=len(done.left))]
    lines += [tr("download.gap", number=gap.first_sequence, why=reason(gap.code.value, gap.why)) for gap in done.left]
    return [*lines, *map(told, done.warnings)]


def _fields(done: Repaired) -> dict[str, Any]:
    return {
        "path": str(done.path),
        "filled": done.filled,
        "left": [gap_fields(gap) for gap in done.left],
        "fetched_bytes": done.fetched_bytes,
        "warnings": list(done.warnings),
    }
