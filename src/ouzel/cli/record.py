"""`ouzel record`."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import click

from ouzel.base.errors import BadOption
from ouzel.base.units import parse_duration, parse_size
from ouzel.base.urls import parse_url
from ouzel.cli.build import FORMATS, Workshop, build_recorder, read_target
from ouzel.cli.output import NORMAL, QUIET, VERBOSE, Output
from ouzel.cli.progress import Progress
from ouzel.cli.reports import end_code, joined_report, print_report
from ouzel.cli.texts import tr
from ouzel.engine.disk import DiskGate
from ouzel.engine.finish import FormatWish
from ouzel.engine.policy import Policy
from ouzel.engine.recorder import Recorder
from ouzel.engine.sources.detect import FFMPEG_SCHEMES, HTTP_SCHEMES
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import Event
from ouzel.model.ledger import stamp
from ouzel.model.naming import DEFAULT_TEMPLATE, FIELDS
from ouzel.model.report import Report
from ouzel.model.stream import Stream
from ouzel.system.clock import SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client
from ouzel.system.http.cookies import read_cookies

_INTERRUPTED = 130
_MAX_URLS = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """What one call of `ouzel record` is to do, checked."""

    streams: tuple[Stream, ...]
    output: str | None
    template: str
    wish: FormatWish
    limits: TapeLimits
    policy: Policy
    cookies: Path | None
    wait: bool
    from_start: bool


@click.command(context_settings={"max_content_width": 100})
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
    help="best, worst, audio, 1080p, 720p60, a bandwidth like 2500k, or a variant's name.",
)
@click.option("--duration", metavar="TIME", help="Stop after this much media: 90s, 2h, 01:30:00.")
@click.option("--split-after", metavar="TIME", help="Go on in a new file after this much media.")
@click.option("--split-size", metavar="SIZE", help="Go on in a new file before this size: 2GB, 700MiB.")
@click.option("--from-start", is_flag=True, help="Begin with the oldest segment that the server still has.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="Send this header; may be repeated.")
@click.option(
    "--cookies",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Cookies: a Netscape cookies.txt, or one line 'a=b; c=d'.",
)
@click.option("--proxy", metavar="URL", help="http://, https://, socks5:// or socks5h:// proxy.")
@click.option("--user-agent", metavar="TEXT", help="Send this User-Agent.")
@click.option("--wait", is_flag=True, help="Wait until the stream is on air.")
@click.option(
    "--min-free", default="256MiB", show_default=True, metavar="SIZE", help="Pause while the disk has less free space."
)
@click.option(
    "--park", default="80s", show_default=True, metavar="TIME", help="How long a dropped stream may take to come back."
)
@click.option("--insecure", is_flag=True, help="Do not verify certificates.")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines; the last one is the report.")
@click.option("-v", "--verbose", is_flag=True, help="Tell more.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only errors.")
def record(urls: tuple[str, ...], as_json: bool, verbose: bool, quiet: bool, **options: Any) -> int:
    """Record live streams until they end, each into a file of its own, and report what was kept.

    \b
    Exit codes: 0 complete, 3 complete with gaps, 4 nothing recorded, 2 bad arguments,
    5 disk, 130 ended by a second signal.
    """
    output = Output(as_json, VERBOSE if verbose else QUIET if quiet else NORMAL)
    job = read_job(urls, **options)
    from ouzel.system.loop import backend_options, calm_collector, raise_descriptor_limit

    calm_collector()
    raise_descriptor_limit()
    return anyio.run(run_job, job, output, backend_options=backend_options())


def read_job(
    urls: tuple[str, ...],
    *,
    headers: tuple[str, ...],
    quality: str,
    proxy: str | None,
    user_agent: str | None,
    insecure: bool,
    duration: str | None,
    split_after: str | None,
    split_size: str | None,
    min_free: str,
    park: str,
    format_: str | None,
    keep_original: bool,
    **rest: Any,
) -> Job:
    """Check every option before anything is opened. Raises: InputError."""
    if len(urls) > _MAX_URLS:
        raise BadOption(f"{len(urls)} addresses are too many for one call; the most is {_MAX_URLS}")
    if len(set(urls)) != len(urls):
        raise BadOption("the same address is given twice")
    pairs = tuple(_header(h) for h in headers)
    if user_agent:
        pairs = (*pairs, ("User-Agent", user_agent))
    if proxy is not None:
        parse_url(proxy, schemes={"http", "https", "socks5", "socks5h"})
    streams = tuple(Stream(_checked(url), pairs, proxy, not insecure, quality=quality) for url in urls)
    limits = TapeLimits(
        split_after_s=_positive(split_after, parse_duration, "--split-after"),
        split_bytes=_positive(split_size, parse_size, "--split-size"),
        duration_s=_positive(duration, parse_duration, "--duration"),
    )
    return Job(
        streams=streams,
        output=rest["output"],
        template=rest["template"],
        wish=FormatWish(format_.lower() if format_ else None, keep_original),
        limits=limits,
        policy=Policy(park_s=parse_duration(park), min_free_bytes=parse_size(min_free)),
        cookies=rest["cookies"],
        wait=rest["wait"],
        from_start=rest["from_start"],
    )


async def run_job(job: Job, output: Output) -> int:
    """Record all streams at once; returns the exit code."""
    several = len(job.streams) > 1
    numbered = job.limits.split_after_s is not None or job.limits.split_bytes is not None
    target, ending = read_target(job.output, template=job.template, several=several, numbered=numbered)
    wish = job.wish
    if ending and not wish.format:
        wish = FormatWish(ending, wish.keep_original)
    gate = DiskGate(target.folder, min_free_bytes=job.policy.min_free_bytes, probe_s=job.policy.disk_probe_s)
    gate.check_writable()
    gate.check()
    clock = SystemClock()
    progress = Progress(output, several=several)
    async with Http1Client() as http:
        shop = Workshop(http, clock, job.policy, gate, FfmpegFinder())
        built = [
            build_recorder(
                shop,
                stream,
                cookies=_cookies_for(stream, job.cookies),
                target=target,
                wish=wish,
                limits=job.limits,
                listener=progress.listen,
                wait=job.wait,
                from_start=job.from_start,
            )
            for stream in job.streams
        ]
        reports = await _run_all(built, progress, output)
    progress.close()
    _finish(reports, clock, output)
    return end_code(reports)


async def _run_all(built: list[tuple[Recorder, Tape]], progress: Progress, output: Output) -> list[Report]:
    reports: dict[int, Report] = {}

    async def run_one(index: int, recorder: Recorder) -> None:
        reports[index] = await recorder.run()
        progress.ended(recorder, reports[index])

    async with anyio.create_task_group() as outer:
        outer.start_soon(_obey_signals, [recorder for recorder, _ in built], output)
        outer.start_soon(progress.run, built)
        async with anyio.create_task_group() as recordings:
            for index, (recorder, _) in enumerate(built):
                recordings.start_soon(run_one, index, recorder, name=f"rec:{recorder.spec.source}")
        outer.cancel_scope.cancel()
    return [reports[index] for index in range(len(built))]


async def _obey_signals(recorders: list[Recorder], output: Output) -> None:
    """The first signal ends the recordings cleanly; the second ends the process as it stands."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        stopping = False
        async for _ in signals:
            if stopping:
                os._exit(_INTERRUPTED)
            stopping = True
            output.tell(tr("stopping"))
            for recorder in recorders:
                recorder.stop()


def _finish(reports: list[Report], clock: SystemClock, output: Output) -> None:
    output.json({"event": "report", "at": stamp(clock.now()), **joined_report(reports)})
    with contextlib.suppress(BrokenPipeError):
        for report in reports:
            print_report(report, output)
    for report in reports:
        if report.error and not report.files:
            output.error(
                report.error[0], f"{report.source}: {report.error[1]}" if len(reports) > 1 else report.error[1]
            )


def event_fields(event: Event) -> dict[str, Any]:
    """One event as `--json` prints it."""
    return {"event": event.code.value, "at": stamp(event.wall), "source": event.source, **event.data}


def _checked(url: str) -> str:
    """The address, if it can be recorded at all. Raises: BadUrl, SchemeRefused."""
    parse_url(url.strip(), schemes=HTTP_SCHEMES | FFMPEG_SCHEMES)
    return url.strip()


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or not name.strip().isascii() or any(c in text for c in "\r\n\0"):
        raise BadOption(f"{text!r} is not a header: write it as 'Name: value'")
    return name.strip(), value.strip()


def _positive(text: str | None, parse: Any, option: str) -> Any:
    if text is None:
        return None
    value = parse(text)
    if value <= 0:
        raise BadOption(f"{option} must be more than nothing, not {text!r}")
    return value


def _cookies_for(stream: Stream, path: Path | None) -> Callable[[str], str | None]:
    """What finds the Cookie header for an address; without a file, nothing. Raises: BadOption."""
    if path is None:
        return lambda _url: None
    jar = read_cookies(path, host=parse_url(stream.url, schemes=HTTP_SCHEMES | FFMPEG_SCHEMES).host)
    return lambda url: jar.header(url, datetime.now(UTC))
