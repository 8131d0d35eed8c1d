"""`ouzel platforms`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

import click

from ouzel.base.errors import BadUrl, InputError
from ouzel.cli.client import connect, reaching
from ouzel.cli.groups import Row, show
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.options import speaking
from ouzel.cli.output import VERBOSE, Output, columns, pad
from ouzel.cli.texts import language, tr
from ouzel.platforms.contract import Platform
from ouzel.platforms.registry import registry

_LINE_COLUMNS = 80
_TITLE_COLUMNS = 32
_STREAM_COLUMNS = 7


@click.command(cls=Command)
@click.argument("text", metavar="[TEXT]", required=False)
@click.option("--state", is_flag=True, help="How much a running daemon asks those of its channels, and which block it.")
@reaching
@speaking
def platforms(
    output: Output, *, text: str | None, state: bool, server: str | None, key: str | None, data: Path | None
) -> int:
    """List the platforms whose pages can be resolved and recorded: names, example, who is asked, what is needed.

    TEXT: only those with this in their names or addresses, or the one to which this page belongs; -v shows all that is known.

    \b
    Exit codes: 0, 2 there is none such, 7 --state and there is no daemon.
    """
    found = [*registry()] if not text else _matching(text)
    if state:
        with connect(server, key, data) as api:
            rows = {row["name"]: row for row in api.get("platforms")["items"]}
        known = (rows[each.name] for each in found if each.name in rows)
        show(output, (row for row in known if text or row["channels"] or row["requests"]), "platforms.state", _load)
        return EXIT_OK
    for platform in found:
        output.json({"event": "platform", **asdict(platform)})
        for line in _lines(platform):
            output.say(line)
        for line in _details(platform):
            output.say(line, level=VERBOSE)
    output.say(tr("platforms.found" if text else "platforms.count", count=len(found)))
    return EXIT_OK


def _load(row: Row) -> list[object]:
    state = "closed" if row["closed"] else "strained" if row["strained"] else "asked" if row["requests"] else "idle"
    most = row["requests_per_minute"]
    return [
        row["name"],
        row["channels"],
        row["requests"],
        None if most is None else f"{most:g}",
        tr(f"platforms.{state}"),
    ]


def _matching(text: str) -> list[Platform]:
    """Raises: InputError when there is none."""
    known, word = registry(), _word(text)
    found = [p for p in known if any(word in told.lower() for told in (p.name, p.title, p.title_zh, *p.urls, *p.short))]
    try:
        page = known.known(text)
    except BadUrl:  # not meant as an address
        page = None
    if page is not None:
        return [page.platform]
    if not found:
        near = get_close_matches(word, [p.name for p in known], 3)
        meant = f"; is it {' or '.join(near)}?" if near else ""
        raise InputError(f"no platform has {text[:80]!r} in its names or addresses{meant}")
    return found


def _word(text: str) -> str:
    """Of an address that is of no channel, its host."""
    word = text.strip().lower()
    try:
        host = urlsplit(word).hostname if "://" in word else None
    except ValueError:
        host = None
    return host.removeprefix("www.") if host else word


def _lines(platform: Platform) -> Iterator[str]:
    """Two lines of a terminal's usual width; three where the example is long."""
    titles = [platform.title, platform.title_zh]
    title = "  ".join(dict.fromkeys(reversed(titles) if language() == "zh" else titles))
    streams = pad("/".join(platform.streams), _STREAM_COLUMNS)
    yield f"{pad(title, _TITLE_COLUMNS)}  {streams}  {' > '.join(platform.chain)}"
    example, needs = f"  {platform.example}", ", ".join(_needs(platform))
    if not needs:
        yield example
    elif columns(example) + columns(needs) + 2 <= _LINE_COLUMNS:
        yield f"{example}  {needs}"
    else:
        yield from (example, f"  {needs}")


def _needs(platform: Platform) -> Iterator[str]:
    if platform.access != "open":
        yield tr(f"platforms.{platform.access}")
    if platform.login:
        yield tr("platforms.account")
    if platform.proxy_advised:
        yield tr("platforms.proxy")
    if platform.sound_only:
        yield tr("platforms.sound")
    if platform.at_once:
        yield tr("platforms.at_once")


def _details(platform: Platform) -> Iterator[str]:
    yield tr("platforms.name", name=platform.name)
    for url in (*platform.urls, *platform.short):
        yield tr("platforms.address", url=url)
    if platform.at_once:
        yield tr("platforms.many", count=platform.at_once)
    if platform.note:
        yield tr("platforms.note", note=platform.note)
