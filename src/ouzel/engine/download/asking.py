"""Where a download begins, and how its requests are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import anyio

from ouzel.base.errors import HttpStatus, OuzelError, Retry
from ouzel.base.headers import Fields
from ouzel.engine.download.hosts import MOST_PATIENCE_S
from ouzel.engine.workshop import Page as SitePage
from ouzel.model.downloads import Pace
from ouzel.model.stream import Stream
from ouzel.system.guard import Scope, addresses_of
from ouzel.system.http import HttpClient, Limits, Page, Request

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a download begins: what a page was resolved to, or what the user gave."""

    stream: Stream
    cookies: Callable[[str], str | None] = field(default=lambda _url: None)
    title: str = ""
    page: SitePage | None = None
    """Asked anew by a recorder, when it turns out to be on air."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How requests of one download are made: with what its stream needs, and only where they may go."""

    http: HttpClient
    address: Address
    scope: Scope
    pace: Pace

    @classmethod
    async def of(cls, http: HttpClient, address: Address, pace: Pace) -> Asking:
        """With a proxy, it looks the name up, and what is on the way is its affair."""
        stream = address.stream
        host = urlsplit(stream.url).hostname or ""
        scope = Scope.public() if stream.proxy else Scope.of(await addresses_of(host))
        return cls(http, address, scope, pace)

    def request(
        self,
        stream: Stream,
        url: str,
        byte_range: tuple[int, int | None] | None = None,
        brake: Callable[[int], float] | None = None,
    ) -> Request:
        headers: Fields = stream.headers_for(url)
        if not any(name.lower() == "cookie" for name, _ in headers) and (cookie := self.address.cookies(url)):
            headers = (*headers, ("Cookie", cookie))
        return Request(
            url,
            headers,
            byte_range,
            stream.proxy,
            self.scope,
            Limits(connect_s=self.pace.connect_s, stall_s=self.pace.read_s),
            brake=brake,
            verify_tls=stream.verify_tls,
        )

    async def fetch(self, stream: Stream, url: str, max_bytes: int) -> bytes:
        return (await self.http.fetch(self.request(stream, url), max_bytes=max_bytes)).data

    async def patiently(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """For a small thing without which nothing goes on.

        Raises: as `attempt`, after the tries that the pace allows; at once when the server wants to be left alone for longer than
            anybody would wait at a terminal.
        """
        for tries in range(self.pace.retries):
            try:
                return await attempt()
            except OuzelError as exc:
                asked_s = (isinstance(exc, HttpStatus) and exc.retry_after_s) or 0.0
                if exc.retry is Retry.NEVER or asked_s > MOST_PATIENCE_S:
                    raise
                await anyio.sleep(max(asked_s, self.pace.delay_s(tries + 1)))
        return await attempt()

    async def fetch_patiently(self, request: Request, max_bytes: int) -> Page:
        """As `HttpClient.fetch`."""
        return await self.patiently(lambda: self.http.fetch(request, max_bytes=max_bytes))


@dataclass(slots=True)
class Way:
    """How one track is asked for: by what was told last, headers and cookies included."""

    asking: Asking
    stream: Stream

    def request(
        self,
        url: str,
        byte_range: tuple[int, int | None] | None = None,
        brake: Callable[[int], float] | None = None,
    ) -> Request:
        return self.asking.request(self.stream, url, byte_range, brake)

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        return await self.asking.fetch(self.stream, url, max_bytes)

    async def fetch_patiently(self, request: Request, max_bytes: int) -> Page:
        """As `HttpClient.fetch`."""
        return await self.asking.fetch_patiently(request, max_bytes)
