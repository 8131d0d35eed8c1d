"""Pages of platforms among the addresses to record."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from ouzel.base.errors import BadUrl
from ouzel.base.headers import Fields, away_from_home
from ouzel.engine.workshop import Page
from ouzel.model.choice import Taste
from ouzel.platforms.contract import Options
from ouzel.platforms.host import ResolverHost, open_host
from ouzel.platforms.polling import Polls
from ouzel.platforms.registry import registry, tidy
from ouzel.platforms.resolver import Channels, PageResolver
from ouzel.system.clock import Clock

_BEGINNING = 256
"""Characters of an address that is too long for a page, by which it is seen whether it is meant as one."""


def page_address(text: str) -> str | None:
    """The address of a platform's page, tidied up; None for what is to be recorded as it is.

    Raises: BadUrl for that of a page that is too long.
    """
    try:
        url = tidy(text)
    except BadUrl:
        if len(text) > _BEGINNING and page_address(text[:_BEGINNING]):
            raise
        return None
    if not url.startswith(("http://", "https://")):
        return None
    return url if registry().known(url) is not None else None


class Pages:
    """Makes what asks for the streams of pages."""

    def __init__(self, host: ResolverHost, clock: Clock, *, wait: bool) -> None:
        self._host = host
        self._clock = clock
        self._channels = Channels()
        self._polls = Polls(host, clock) if wait else None

    def page(self, url: str, options: Options, taste: Taste, headers: Fields = (), *, apart: bool = False) -> Page:
        """A page, and what the user says of it: nothing is asked yet.

        `headers`: for its media, which are elsewhere. `apart`: as of `PageResolver`.
        """
        options = replace(options, codecs=taste.codecs if taste.codecs != Taste().codecs else ())
        poll = self._polls.add(url, options) if self._polls else None
        resolver = PageResolver(
            self._host, url, options, taste, self._clock, self._channels, poll, away_from_home(headers), apart=apart
        )
        return Page(resolver, lambda: resolver.fields, resolver)


@asynccontextmanager
async def open_pages(clock: Clock, *, wait: bool) -> AsyncGenerator[Pages]:
    """`wait`: pages are waited for, those of one platform together."""
    async with open_host() as host:
        yield Pages(host, clock, wait=wait)
