"""`ouzel download`."""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack
from typing import Any

import anyio
import click

from ouzel.base.errors import DiskFull, Incomplete, InputError, OuzelError, StorageError
from ouzel.cli.access_options import with_access
from ouzel.cli.download_bars import Bars
from ouzel.cli.download_defaults import read_usual
from ouzel.cli.downloading import Task, Words, read_tasks
from ouzel.cli.main import EXIT_BAD_ARGUMENTS, EXIT_DISK, EXIT_GAPS, EXIT_INTERRUPTED, EXIT_NOTHING, EXIT_OK, Command
from ouzel.cli.options import level_of
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.engine.disk import DiskGate
from ouzel.engine.policy import Policy
from ouzel.engine.workshop import Workshop
from ouzel.model.downloads import DownloadOutcome
from ouzel.model.ledger import stamp
from ouzel.system.clock import SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client

_FROM_GOOD_TO_BAD = (EXIT_OK, EXIT_GAPS, EXIT_NOTHING, EXIT_BAD_ARGUMENTS, EXIT_DISK)
FORMATS = ("mp4", "mkv", "ts", "m4a", "mp3", "flv")


@click.command(cls=Command, context_settings={"max_content_width": 100})
@click.argument("urls", metavar="URL...|TASKS.json", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE|FOLDER", help="Where to write. Default: [download] folder, else here.")
@click.option(
    "--name", metavar="NAME", help="Name of the file, without its ending. Default: the title, or the address."
)
@click.option("--quality", default="best", show_default=True, help="As for `ouzel record`.")
@click.option("--audio", multiple=True, metavar="LANG", help="Alternate sound: a language, or all; may be repeated.")
@click.option("--subs", multiple=True, metavar="LANG", help="Subtitles: a language, or all; may be repeated.")
@click.option(
    "--profile",
    type=click.Choice(["fast", "stable", "low_bandwidth"]),
    help="fast: 16 connections, 1 retry; stable: 8 and 5; low_bandwidth: 2 and 3. Default: [download] profile.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 16),
    metavar="N",
    help="Connections at most, 1 to 16. Default: [download] connections, else 8.",
)
@click.option("--limit-rate", metavar="SIZE", help="So many bytes a second at most, for each download: 5M.")
@click.option("--from", "from_", metavar="TIME", help="Leave out what lies before.")
@click.option("--to", metavar="TIME", help="Leave out what lies behind.")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS, case_sensitive=False), help="Default: as it comes, or mp4."
)
@click.option("--key", metavar="HEX|FILE", help="AES-128 key in place of what the playlist names.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="Send this header; may be repeated.")
@with_access
@click.option("--streaming", is_flag=True, help="One segment after the other: the file can be played while it grows.")
@click.option("--allow-gaps", is_flag=True, help="Missing segments are no failure.")
@click.option("--keep-tracks", is_flag=True, help="Keep the tracks of which a file was joined.")
@click.option(
    "--min-free", default="256MiB", show_default=True, metavar="SIZE", help="Do not begin with less free space."
)
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines; the last one is the report.")
@click.option("-v", "--verbose", is_flag=True, help="Tell more.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only errors.")
def download(as_json: bool, verbose: bool, quiet: bool, **options: Any) -> int:
    """Download playlists, files and pages of platforms: whole, or with every hole named.

    \b
    The same command again goes on where it was left; Ctrl+C leaves what is there.
    What turns out to be on air is recorded, from the oldest segment that is listed.

    \b
    What is not said here is taken from [download] of ouzel.toml, or OUZEL_... in the environment.

    \b
    Exit codes: 0 complete, 3 segments are missing, 4 nothing came of one of them, 2 bad arguments,
    5 disk, 130 interrupted.
    """
    output = Output(as_json, level_of(verbose=verbose, quiet=quiet))
    words = Words(**options)
    usual = read_usual(words.access.config)
    tasks, broken = read_tasks(words, usual, output)
    from ouzel.system.loop import backend_options, calm_collector, raise_descriptor_limit

    calm_collector()
    raise_descriptor_limit()
    with output.without_waiting():
        code = anyio.run(_run, tasks, words, usual.at_once, output, backend_options=backend_options())
    return EXIT_BAD_ARGUMENTS if broken and code in {EXIT_OK, EXIT_GAPS} else code


async def _run(tasks: list[Task], words: Words, at_once: int, output: Output) -> int:
    clock, ffmpeg = SystemClock(), FfmpegFinder()
    bars = Bars(output, [task.label for task in tasks], [task.shown_url for task in tasks])
    codes: dict[int, int] = {}
    docs: dict[int, dict[str, Any]] = {}
    stopped = False
    async with Http1Client() as http, AsyncExitStack() as stack:
        from ouzel.engine.download.downloader import Downloader
        from ouzel.engine.download.live import recording_with

        policy = Policy(min_free_bytes=words.min_free_bytes)
        gate = DiskGate(tasks[0].wish.folder, min_free_bytes=policy.min_free_bytes, probe_s=policy.disk_probe_s)
        shop = Workshop(http, clock, policy, gate, ffmpeg)
        finder = await words.finder(tasks, clock, stack)
        downloader = Downloader(http, clock, ffmpeg, finder, recording_with(shop), min_free_bytes=policy.min_free_bytes)
        turns = anyio.CapacityLimiter(at_once)

        async def run_one(number: int, task: Task) -> None:
            async with turns:
                bars.begin(number)
                try:
                    outcome = await downloader.run(task.wish, on_progress=lambda progress: bars.tell(number, progress))
                except OuzelError as exc:
                    codes[number] = _code(exc)
                    docs[number] = _failed(task, exc)
                    bars.failed(number, exc)
                else:
                    codes[number] = code_of(outcome, allow_gaps=task.wish.allow_gaps)
                    docs[number] = _done(task, outcome)
                    bars.done(number, outcome)

        async def obey(scope: anyio.CancelScope) -> None:
            nonlocal stopped
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async for _ in signals:
                    if stopped:
                        os._exit(EXIT_INTERRUPTED)
                    stopped = True
                    bars.say(tr("download.stopping"))
                    scope.cancel()

        async with anyio.create_task_group() as outer:
            outer.start_soon(bars.run)
            async with anyio.create_task_group() as downloads:
                outer.start_soon(obey, downloads.cancel_scope)
                for number, task in enumerate(tasks):
                    downloads.start_soon(run_one, number, task)
            outer.cancel_scope.cancel()
    bars.close()
    ended = [docs[number] for number in sorted(docs)]
    output.json({"event": "report", "at": stamp(clock.now()), "downloads": ended, "interrupted": stopped})
    if stopped:
        return EXIT_INTERRUPTED
    return max(codes.values(), key=_FROM_GOOD_TO_BAD.index, default=EXIT_OK)


def code_of(outcome: DownloadOutcome, *, allow_gaps: bool) -> int:
    """Of a download that came to its end: what was on air may have gaps then."""
    return EXIT_GAPS if outcome.gaps and not allow_gaps else EXIT_OK


def _code(exc: OuzelError) -> int:
    match exc:
        case Incomplete():
            return EXIT_GAPS
        case DiskFull() | StorageError():
            return EXIT_DISK
        case InputError():
            return EXIT_BAD_ARGUMENTS
        case _:
            return EXIT_NOTHING


def _done(task: Task, outcome: DownloadOutcome) -> dict[str, Any]:
    return {
        "url": task.shown_url,
        "state": "completed",
        "path": str(outcome.path),
        "ledger": str(outcome.ledger) if outcome.ledger else None,
        "format": outcome.format,
        "bytes": outcome.size,
        "fetched_bytes": outcome.fetched_bytes,
        "media_s": round(outcome.media_s, 3),
        "segments": outcome.pieces,
        "gaps": [
            {
                "code": gap.code.value,
                "why": gap.why,
                "missing_s": round(gap.missing_s, 3),
                "sequence": gap.first_sequence,
            }
            for gap in outcome.gaps
        ],
        "tracks": [str(each) for each in outcome.tracks],
        "warnings": list(outcome.warnings),
        "title": outcome.title,
    }


def _failed(task: Task, exc: OuzelError) -> dict[str, Any]:
    doc = {"url": task.shown_url, "state": "failed", "code": exc.code, "why": exc.message}
    outcome = exc.context.get("outcome")
    return {**_done(task, outcome), **doc} if isinstance(outcome, DownloadOutcome) else doc
