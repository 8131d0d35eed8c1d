"""`ouzel resolve`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import anyio
import click

from ouzel.base.errors import BadOption, BadUrl, OuzelError, UnknownSite
from ouzel.base.units import format_duration, parse_duration
from ouzel.base.urls import redact
from ouzel.cli import main
from ouzel.cli.access import Access
from ouzel.cli.access_options import AccessWords, with_access
from ouzel.cli.main import Command
from ouzel.cli.options import speaking
from ouzel.cli.output import VERBOSE, Output
from ouzel.cli.quick import quick_look, read_list
from ouzel.cli.texts import language, tr
from ouzel.engine.look import PLATFORM as DIRECT
from ouzel.engine.look import look
from ouzel.engine.sources.detect import HTTP_SCHEMES
from ouzel.model.live import Answer, Live, Offline, State, state_of
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import AdapterName, Options, Platform
from ouzel.platforms.host import HostLimits, ResolverHost, open_host
from ouzel.platforms.registry import registry, tidy
from ouzel.platforms.wire import render_told
from ouzel.system.http import Http1Client

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
            asked.append((url, read_options(url, given)))
        except BadUrl as exc:  # the others can be asked all the same
            asked.append((url, exc))
    given.tell_warnings(output)
    if quick:
        return anyio.run(quick_look, asked, limits, EXIT_CODES, output)
    return anyio.run(_resolve_all, asked, limits, all_adapters, output)


def read_options(url: str, access: Access) -> Options:
    """The user's words for one page. Raises: BadUrl, BadOption, BadConfig."""
    return access.of(url).options


async def _resolve_all(
    asked: Sequence[tuple[str, Options | OuzelError]], limits: HostLimits, all_adapters: bool, output: Output
) -> int:
    """All at once; told in their order."""
    codes: dict[int, int] = {}
    told = [anyio.Event() for _ in asked]

    async def one(number: int, url: str, options: Options | OuzelError) -> None:
        show = await _resolve_one(host, url, options, all_adapters=all_adapters)
        if number:
            await told[number - 1].wait()
        codes[number] = show(output)
        told[number].set()

    async with open_host(limits) as host, anyio.create_task_group() as tasks:
        for number, (url, options) in enumerate(asked):
            tasks.start_soon(one, number, url, options)
    return max(codes.values())


async def _resolve_one(
    host: ResolverHost, url: str, options: Options | OuzelError, *, all_adapters: bool
) -> Callable[[Output], int]:
    """Returns: what tells the answer, and gives its exit code."""
    if isinstance(options, OuzelError):
        return partial(_refuse, options)
    match = registry().find(url) or registry().find_short(url)
    if match is None:
        return await _look_at(url, options)
    ways: Sequence[AdapterName | None] = match.platform.chain if all_adapters else (None,)
    told = [await host.resolve(url, options, only=way) for way in ways]
    return partial(_tell, url, match.platform, told, several=all_adapters)


def _tell(url: str, platform: Platform, told: Sequence[Told], output: Output, *, several: bool) -> int:
    title = platform.title_zh if language() == "zh" else platform.title
    for each in told:
        output.json({"event": "resolved", "url": url, "platform": platform.name, **render_told(each)})
        if several:
            output.say(tr("resolve.adapter", adapter=each.adapter))
        for line in _lines(each, title):
            output.say(line)
        for line in _asked(each):
            output.say(line, level=VERBOSE)
    return min(EXIT_CODES[state_of(each.outcome)] for each in told)


def _refuse(error: OuzelError, output: Output) -> int:
    output.error(error.code, str(error))
    return main.EXIT_BAD_ARGUMENTS


async def _look_at(url: str, options: Options) -> Callable[[Output], int]:
    """What is no page of a platform may be media."""
    page = tidy(url)
    if urlsplit(page).scheme not in HTTP_SCHEMES:
        return partial(_refuse, BadOption(f"what is at {redact(page)} is only known by recording it: ouzel record"))
    headers = (("User-Agent", options.user_agent), ("Cookie", options.cookies))
    stream = Stream(page, tuple(h for h in headers if h[1]), options.proxy or None, options.verify_tls)
    try:
        async with Http1Client() as http:
            outcome = await look(http, stream)
    except OuzelError as exc:
        return partial(_refuse, UnknownSite(f"{registry().unknown(url)}; and as the address of a stream: {exc}"))
    told = Told("own", outcome, ())

    def tell(output: Output) -> int:
        output.json({"event": "resolved", "url": url, "platform": DIRECT, **render_told(told)})
        for line in _lines(told, tr("resolve.direct")):
            output.say(line)
        return EXIT_CODES[state_of(outcome)]

    return tell


def _lines(told: Told, platform: str) -> Iterator[str]:
    outcome = told.outcome
    state = state_of(outcome).value
    if isinstance(outcome, OuzelError):
        yield tr(f"resolve.{state}", why=str(outcome), code=outcome.code)
        return
    yield tr(f"resolve.{state}", who=outcome.anchor or outcome.identity.id, platform=platform)
    if outcome.title:
        yield tr("resolve.title", title=outcome.title)
    yield from _details(outcome)
    if not isinstance(outcome, Offline):
        for stream in outcome.streams:
            yield _stream_line(stream)
    yield tr("resolve.by", adapter=told.adapter)


def _details(outcome: Answer) -> Iterator[str]:
    match outcome:
        case Live(category=category, started_at=began):
            if category:
                yield tr("resolve.category", category=category)
            if began is not None:
                age_s = (datetime.now(UTC) - began).total_seconds()
                yield tr("resolve.since", time=_local(began), age=format_duration(max(0.0, age_s)))
        case Offline(available_at=begins) if begins is not None:
            yield tr("resolve.begins", time=_local(begins))
        case _:
            pass


def _stream_line(stream: Stream) -> str:
    until = tr("resolve.until", time=_local(stream.expires_at)) if stream.expires_at else ""
    quality = stream.label or (f"{stream.height}p" if stream.height else stream.level or "")
    place = stream.cdn or urlsplit(stream.url).hostname or ""
    return tr(
        "resolve.stream", quality=quality, protocol=stream.protocol or "", codec=stream.codec, place=place, until=until
    ).rstrip()


def _asked(told: Told) -> Iterator[str]:
    for evidence in told.evidence:
        outcome: Any = evidence.status if evidence.status is not None else f"{evidence.why} ({evidence.error})"
        yield tr("resolve.asked", method=evidence.method, url=evidence.url, outcome=outcome)


def _local(when: datetime) -> str:
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _seconds(text: str) -> float:
    value = parse_duration(text)
    if value <= 0:
        raise BadOption(f"--timeout must be more than nothing, not {text!r}")
    return value
