"""`ouzel record`."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import anyio
import click

from ouzel.cli.access_options import with_access
from ouzel.cli.job import Job, Options, read_job
from ouzel.cli.main import EXIT_INTERRUPTED, Command
from ouzel.cli.options import level_of
from ouzel.cli.output import Output
from ouzel.cli.progress import Progress
from ouzel.cli.reports import end_code, joined_report, print_reports
from ouzel.cli.target import FORMATS
from ouzel.cli.texts import tr
from ouzel.engine.disk import DiskGate
from ouzel.engine.finish import why_not_made
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape
from ouzel.engine.workshop import Page, Workshop, build_recorder
from ouzel.model.ledger import stamp
from ouzel.model.naming import DEFAULT_TEMPLATE, FIELDS
from ouzel.model.report import Report
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client


@click.command(cls=Command, context_settings={"max_content_width": 100})
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="FILE|FOLDER",
    help="Where to write. A name ending in .ts, .mp4, .mkv, .flv, .mp3 or .m4a is a file; anything else a folder.",
)
@click.option(
    "--name",
    "template",
    default=DEFAULT_TEMPLATE,
    show_default=True,
    metavar="TEMPLATE",
    help=f"File name in the folder; fields: {', '.join(FIELDS)}.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS, case_sensitive=False),
    help="Container of the finished file. Default: as the stream comes.",
)
@click.option("--keep-original", is_flag=True, help="Keep the file as it came when another format was made of it.")
@click.option(
    "--quality",
    default="best",
    show_default=True,
    help="best, worst, audio, original, bluray, uhd, hd, sd, ld (or 原画 … 流畅), 1080p, 720p60, 4k, 2500kbps, 8M, "
    "or a name of the stream's own. Where there is none such: the next lower.",
)
@click.option(
    "--codec", "codecs", metavar="NAMES", help="Of a page's streams prefer these codecs, in order: hevc,h264."
)
@click.option("--refuse-codec", "refused_codecs", metavar="NAMES", help="Of a page's streams take none of these: av1.")
@click.option(
    "--cdn", metavar="NAME", help="Of a page's streams prefer those of this CDN, as `ouzel resolve` shows them."
)
@click.option("--duration", metavar="TIME", help="Stop after this much media: 90s, 2h, 01:30:00.")
@click.option("--split-after", metavar="TIME", help="Go on in a new file after this much media.")
@click.option("--split-size", metavar="SIZE", help="Go on in a new file before this size: 2GB, 700MiB.")
@click.option("--from-start", is_flag=True, help="Begin with the oldest segment that the server still has.")
@click.option("--keep-ads", is_flag=True, help="HLS: record also what the platform marks as advertisements.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="Send this header; may be repeated.")
@with_access
@click.option("--wait", is_flag=True, help="Wait until the stream is on air.")
@click.option(
    "--min-free", default="256MiB", show_default=True, metavar="SIZE", help="Pause while the disk has less free space."
)
@click.option(
    "--park", default="80s", show_default=True, metavar="TIME", help="How long a dropped stream may take to come back."
)
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines; the last one is the report.")
@click.option("-v", "--verbose", is_flag=True, help="Tell more.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only errors.")
def record(as_json: bool, verbose: bool, quiet: bool, **options: Any) -> int:
    """Record live streams until they end, each into a file of its own, and report what was kept.

    \b
    Ctrl+C or SIGTERM closes the files and ends; a second one ends at once.

    \b
    Exit codes: 0 complete, 3 complete with gaps, 4 nothing recorded, 2 bad arguments,
    5 disk, 130 ended by a second signal.
    """
    output = Output(as_json, level_of(verbose=verbose, quiet=quiet))
    job = read_job(Options(**options))
    if job.access is not None:
        job.access.tell_warnings(output)
    from ouzel.system.loop import backend_options, calm_collector, raise_descriptor_limit

    calm_collector()
    raise_descriptor_limit()
    with output.without_waiting():
        return anyio.run(run_job, job, output, backend_options=backend_options())


async def run_job(job: Job, output: Output) -> int:
    """Record all streams at once; returns the exit code."""
    gate = DiskGate(job.target.folder, min_free_bytes=job.policy.min_free_bytes, probe_s=job.policy.disk_probe_s)
    gate.check_writable()
    gate.check()
    clock = SystemClock()
    progress = Progress(output, several=len(job.streams) > 1)
    ffmpeg = FfmpegFinder()
    not_made = await why_not_made(job.wish, ffmpeg)
    if not_made is not None:  # told while there is time to mend it; what is on air is not given up for it
        why = tr("not_made", format=job.wish.format, why=str(not_made))
        output.json({"event": "warning", "at": stamp(clock.now()), "code": not_made.code, "why": why})
        output.complain(not_made.code, why)
    async with Http1Client() as http, AsyncExitStack() as stack:
        shop = Workshop(http, clock, job.policy, gate, ffmpeg)
        known = await _pages(job, clock, stack) if job.pages else dict[str, Page]()
        built = [
            build_recorder(
                shop,
                stream,
                cookies=cookies,
                target=job.target,
                wish=job.wish,
                limits=job.limits,
                listener=progress.listen,
                wait=job.wait,
                from_start=job.from_start,
                keep_ads=job.keep_ads,
                page=known.get(stream.url),
            )
            for stream, cookies in zip(job.streams, job.cookies, strict=True)
        ]
        reports = await _run_all(built, progress)
    progress.close()
    output.json({"event": "report", "at": stamp(clock.now()), **joined_report(reports)})
    print_reports(reports, output)
    return end_code(reports)


async def _pages(job: Job, clock: Clock, stack: AsyncExitStack) -> Mapping[str, Page]:
    """What asks for the streams of those addresses that are pages."""
    from ouzel.cli.pages import open_pages  # and with it all platforms

    pages = await stack.enter_async_context(open_pages(clock, wait=job.wait))
    asked = [stream for stream in job.streams if stream.url in job.pages]
    return {
        stream.url: pages.page(stream.url, job.pages[stream.url].options, job.tastes[stream.url], stream.headers)
        for stream in asked
    }


async def _run_all(built: list[tuple[Recorder, Tape]], progress: Progress) -> list[Report]:
    reports: dict[int, Report] = {}

    async def run_one(index: int, recorder: Recorder) -> None:
        reports[index] = await recorder.run()
        progress.ended(recorder, reports[index])

    async with anyio.create_task_group() as outer:
        outer.start_soon(_obey_signals, [recorder for recorder, _ in built], progress)
        outer.start_soon(progress.run, built)
        async with anyio.create_task_group() as recordings:
            for index, (recorder, _) in enumerate(built):
                recordings.start_soon(run_one, index, recorder, name=f"rec:{recorder.spec.source}")
        outer.cancel_scope.cancel()
    return [reports[index] for index in range(len(built))]


async def _obey_signals(recorders: list[Recorder], progress: Progress) -> None:
    """The first signal ends the recordings cleanly; the second ends the process as it stands."""
    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # the terminal was closed, and nobody said `nohup`
        wanted.append(signal.SIGHUP)
    with anyio.open_signal_receiver(*wanted) as signals:
        stopping = False
        async for _ in signals:
            if stopping:
                progress.close()
                os._exit(EXIT_INTERRUPTED)
            stopping = True
            progress.tell(tr("stopping"))
            for recorder in recorders:
                recorder.stop()
