"""Pages of platforms among the addresses to record: who is on air there is asked before anything is named."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio

from ouzel.base.errors import BadUrl, OuzelError
from ouzel.cli.build import Page
from ouzel.model.choice import Taste
from ouzel.model.live import Answer
from ouzel.model.stream import Stream
from ouzel.platforms.contract import Options
from ouzel.platforms.host import ResolverHost, open_host
from ouzel.platforms.registry import registry, tidy
from ouzel.platforms.resolver import PageResolver
from ouzel.system.clock import Clock


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

    def __init__(self, host: ResolverHost, clock: Clock, account: tuple[str, str]) -> None:
        self._host = host
        self._account = account
        self._clock = clock

    async def ask(
        self, streams: Sequence[Stream], cookies: Sequence[Callable[[str], str | None]]
    ) -> Mapping[str, Page]:
        """What is known of each page, by its address. One that cannot be resolved now is there too: its recorder will say why."""
        found: dict[str, Page] = {}
        async with anyio.create_task_group() as tasks:
            for stream, finder in zip(streams, cookies, strict=True):
                if page_address(stream.url) is not None:
                    tasks.start_soon(partial(self._ask_one, stream, finder, found))
        return found

    async def _ask_one(self, stream: Stream, finder: Callable[[str], str | None], found: dict[str, Page]) -> None:
        agent = next((value for name, value in stream.headers if name.lower() == "user-agent"), "")
        proxy = (stream.proxy or "").replace("socks5h://", "socks5://")
        match = registry().find(stream.url) or registry().find_short(stream.url)
        assert match is not None
        cookies = finder(stream.url) or finder(match.platform.example) or ""  # a short link leads there
        options = Options(cookies, proxy, agent, *self._account, verify_tls=stream.verify_tls)
        told = await self._host.resolve(stream.url, options)
        first = told.outcome
        resolver = PageResolver(
            self._host,
            stream.url,
            options,
            Taste(stream.quality),
            self._clock,
            first=first,
        )
        found[stream.url] = Page(resolver, {"platform": match.platform.name, **_fields(first)})


def _fields(answer: Answer | OuzelError) -> Mapping[str, str]:
    if isinstance(answer, OuzelError):
        return {}
    told = {"name": answer.anchor or answer.identity.id, "title": answer.title}
    return {name: value for name, value in told.items() if value}


@asynccontextmanager
async def open_pages(clock: Clock, account: tuple[str, str]) -> AsyncGenerator[Pages]:
    """`account`: name and password on the platforms, or two empty texts."""
    async with open_host() as host:
        yield Pages(host, clock, account)
