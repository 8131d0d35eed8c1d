"""`ouzel resolve`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import anyio
import click

from ouzel.base.errors import BadOption, BadUrl, DiskFull, InputError, OuzelError
from ouzel.base.units import parse_duration
from ouzel.base.urls import redact
from ouzel.cli import main
from ouzel.cli.access import Access
from ouzel.cli.access_options import AccessWords, with_access
from ouzel.cli.answers import evidence_lines, lines, table
from ouzel.cli.main import Command
from ouzel.cli.options import Bar, speaking
from ouzel.cli.output import VERBOSE, Output
from ouzel.cli.quick import quick_look, read_list
from ouzel.cli.texts import language, reason, tr
from ouzel.engine.look import PLATFORM as DIRECT
from ouzel.model.live import State, state_of
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import AdapterName, Options
from ouzel.platforms.host import HostLimits, ResolverHost, open_host
from ouzel.platforms.registry import registry, tidy
from ouzel.platforms.wire import render_told
from ouzel.services.direct import check_written, try_as_stream
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client, HttpClient

EXIT_CODES: Mapping[State, int] = MappingProxyType(
    {
        State.LIVE: main.EXIT_OK,
        State.VOD: main.EXIT_OK,
        State.OFFLINE: main.EXIT_OFFLINE,
        State.BLOCKED: main.EXIT_BLOCKED,
        State.NEEDS_LOGIN: main.EXIT_NEEDS_LOGIN,
        State.REGION_LOCKED: main.EXIT_REGION_LOCKED,
        State.BROKEN: main.EXIT_BROKEN,
        State.GONE: main.EXIT_GONE,
    }
)
_MOST_SHOWN = 200


@click.command(cls=Command)
@click.argument("urls", metavar="URL...", nargs=-1)
@click.option("--quick", is_flag=True, help="Only who is on air, a line for each; many are asked about at once.")
@click.option(
    "--list", "list_", type=click.Path(path_type=Path), metavar="FILE", help="The addresses in this file too."
)
@click.option("--all-adapters", is_flag=True, help="Ask every adapter of the platform, and show what each says.")
@with_access
@click.option("--timeout", default="60s", show_default=True, metavar="TIME", help="How long one answer may take.")
@speaking
def resolve(
    urls: tuple[str, ...],
    output: Output,
    *,
    quick: bool,
    list_: Path | None,
    all_adapters: bool,
    access: AccessWords,
    timeout: str,
) -> int:
    """Tell what is on air at the page of a platform: who, what, since when, which streams; or why that cannot be known.

    \b
    Exit codes: 0 live, or a video; 20 offline, 21 blocked, 22 login needed, 23 not from here,
    24 not understood, 25 no such channel, 2 bad arguments; with several addresses the highest.
    """
    limits = HostLimits(timeout_s=_seconds(timeout))
    if list_ is not None:
        urls += read_list(list_)
    if not urls:
        raise BadOption("no address is given")
    if quick and all_adapters:
        raise BadOption("--quick and --all-adapters contradict each other")
    given = Access(access)
    asked: list[tuple[str, Options | OuzelError]] = []
    for url in urls:
        try:
            check_written(url)
            asked.append((url, given.of(url).options))
        except BadUrl as exc:  # the others can be asked all the same
            asked.append((url, exc))
    given.tell_warnings(output)
    if quick:
        return anyio.run(quick_look, asked, limits, EXIT_CODES, output)
    return anyio.run(_resolve_all, asked, limits, all_adapters, output)


async def _resolve_all(
    asked: Sequence[tuple[str, Options | OuzelError]], limits: HostLimits, all_adapters: bool, output: Output
) -> int:
    """All at once; told in their order, as long as somebody reads. Raises: DiskFull."""
    answers = [_Answer() for _ in asked]
    places = anyio.CapacityLimiter(limits.threads)
    code, full = main.EXIT_OK, None

    async def one(url: str, options: Options | OuzelError, answer: _Answer) -> None:
        async with places:
            answer.show = await _resolve_one(desk, url, options, all_adapters=all_adapters)
        answer.there.set()

    async with open_host(limits) as host, Http1Client() as http, anyio.create_task_group() as tasks:
        desk = _Desk(host, http, FfmpegFinder(), limits.timeout_s, is_for_many=len(asked) > 1)
        for (url, options), answer in zip(asked, answers, strict=True):
            tasks.start_soon(one, url, options, answer)
        try:
            with Bar(output, tr("resolve.working", count=len(asked))) as bar:
                for number, answer in enumerate(answers, 1):
                    await answer.there.wait()
                    bar.clear()
                    code = max(code, answer.show(output))
                    if output.unread:
                        break
                    if len(answers) > 1:
                        bar.tell(number / len(answers))
        except DiskFull as exc:  # raised here it would come out inside a group
            full = exc
        tasks.cancel_scope.cancel()
    if full is not None:
        raise full
    return code


@dataclass(slots=True)
class _Answer:
    """What tells an answer, and gives its exit code, once it is there."""

    show: Callable[[Output], int] = lambda _output: main.EXIT_OK
    there: anyio.Event = field(default_factory=anyio.Event)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who can be asked."""

    host: ResolverHost
    http: HttpClient
    ffmpeg: FfmpegFinder
    timeout_s: float
    is_for_many: bool
    """So that each answer has to say of which address it is."""


async def _resolve_one(
    desk: _Desk, url: str, options: Options | OuzelError, *, all_adapters: bool
) -> Callable[[Output], int]:
    """Returns: what tells the answer, and gives its exit code."""
    if isinstance(options, OuzelError):
        return partial(_refuse, url, options, named=desk.is_for_many)
    match = registry().known(url)
    if match is None:
        try:
            told = await try_as_stream(desk.http, desk.ffmpeg, url, options, timeout_s=desk.timeout_s)
        except InputError as exc:
            return partial(_refuse, url, exc, named=desk.is_for_many)
        return partial(_tell, url, DIRECT, tr("resolve.direct"), told, named=desk.is_for_many)
    platform = match.platform
    title = platform.title_zh if language() == "zh" else platform.title
    if all_adapters:
        return partial(_tell_all, url, platform.name, title, await _ask_all(desk.host, url, options, platform.chain))
    told = await desk.host.resolve(url, options)
    return partial(_tell, url, platform.name, title, told, named=desk.is_for_many)


async def _ask_all(
    host: ResolverHost, url: str, options: Options, chain: Sequence[AdapterName]
) -> Sequence[tuple[Told, float]]:
    """What each adapter says, in the platform's order, and how many seconds it took."""
    found: dict[AdapterName, tuple[Told, float]] = {}

    async def ask(name: AdapterName) -> None:
        began = anyio.current_time()
        told = await host.resolve(url, options, only=name)
        found[name] = (replace(told, adapter=name), anyio.current_time() - began)

    async with anyio.create_task_group() as tasks:
        for name in chain:
            tasks.start_soon(ask, name)
    return [found[name] for name in chain]


def _tell(url: str, platform: str, title: str, told: Told, output: Output, *, named: bool) -> int:
    output.json({"event": "resolved", "url": url, "platform": platform, **render_told(told)})
    if named:
        output.say(_shown(url))
    for line in lines(told, title):
        output.say(line)
    for line in evidence_lines(told):
        output.say(line, level=VERBOSE)
    if isinstance(told.outcome, InputError):
        return main.EXIT_BAD_ARGUMENTS
    return EXIT_CODES[state_of(told.outcome)]


def _tell_all(url: str, platform: str, title: str, asked: Sequence[tuple[Told, float]], output: Output) -> int:
    for told, took_s in asked:
        doc = {"event": "resolved", "url": url, "platform": platform, **render_told(told)}
        output.json(doc | {"took_s": round(took_s, 3)})
    output.say(tr("resolve.compared", title=title, url=redact(tidy(url))))
    for line in table(asked):
        output.say(line)
    for told, _ in asked:
        if isinstance(told.outcome, OuzelError):
            why = reason(told.outcome.code, str(told.outcome))
            output.say(tr("resolve.tried", adapter=told.adapter, why=why, code=told.outcome.code))
        for line in evidence_lines(told):
            output.say(line, level=VERBOSE)
    return min(EXIT_CODES[state_of(told.outcome)] for told, _ in asked)


def _refuse(url: str, error: OuzelError, output: Output, *, named: bool) -> int:
    if named:
        output.say(_shown(url))
    output.error(error.code, str(error), url=url)
    return main.EXIT_BAD_ARGUMENTS


def _shown(url: str) -> str:
    return " ".join(redact(url).split())[:_MOST_SHOWN]


def _seconds(text: str) -> float:
    value = parse_duration(text)
    if value <= 0:
        raise BadOption(f"--timeout must be more than nothing, not {text!r}")
    return value
