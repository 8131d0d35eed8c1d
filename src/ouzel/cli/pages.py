"""Pages of platforms among the addresses to record: who is on air there is asked before anything is named."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio

from ouzel.base.errors import BadUrl, OuzelError
from ouzel.cli.access import PageAccess
from ouzel.cli.build import Page
from ouzel.model.choice import Taste
from ouzel.model.live import Answer
from ouzel.model.stream import Stream
from ouzel.platforms.contract import Match, Options
from ouzel.platforms.host import ResolverHost, open_host
from ouzel.platforms.registry import registry, tidy
from ouzel.platforms.resolver import PageResolver
from ouzel.system.clock import Clock

_FIRST_S = 8.0
"""How long recording waits for what platforms say; their recorders ask on."""


def page_address(text: str) -> str | None:
    """The address of a platform's page, tidied up; None for what is to be recorded as it is."""
    try:
        url = tidy(text)
    except BadUrl:
        return None
    if not url.startswith(("http://", "https://")):
        return None
    known = registry()
    return url if known.find(url) is not None or known.find_short(url) is not None else None


class Pages:
    """Asks about those addresses that are pages."""

    def __init__(self, host: ResolverHost, clock: Clock) -> None:
        self._host = host
        self._clock = clock

    async def ask(self, pages: Sequence[tuple[Stream, PageAccess]]) -> Mapping[str, Page]:
        """What is known of each page, by its address. One that cannot be resolved now is there too: its recorder will say why."""
        found: dict[str, Page] = {}
        async with anyio.create_task_group() as tasks:
            for stream, access in pages:
                tasks.start_soon(partial(self._ask_one, stream, access.options, found))
        return found

    async def _ask_one(self, stream: Stream, options: Options, found: dict[str, Page]) -> None:
        match = registry().find(stream.url) or registry().find_short(stream.url)
        assert match is not None
        first: Answer | OuzelError | None = None
        with anyio.move_on_after(_FIRST_S):  # streams beside it are on air now
            first = (await self._host.resolve(stream.url, options)).outcome
        resolver = PageResolver(
            self._host,
            stream.url,
            options,
            Taste(stream.quality),
            self._clock,
            first=first,
        )
        found[stream.url] = Page(resolver, _fields(match, first))


def _fields(match: Match, answer: Answer | OuzelError | None) -> Mapping[str, str]:
    """What names of files are made of. Where nothing is known yet, what the address calls the channel."""
    name = next(iter(match.named.values()), match.platform.name)
    title = ""
    if answer is not None and not isinstance(answer, OuzelError):
        name, title = answer.anchor or answer.identity.id, answer.title
    return {"platform": match.platform.name, "name": name, "title": title or name}


@asynccontextmanager
async def open_pages(clock: Clock) -> AsyncGenerator[Pages]:
    async with open_host() as host:
        yield Pages(host, clock)
