"""The client: connections kept, redirects followed, answers judged."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ouzel.base.errors import (
    ConnectFailed,
    ConnectionLost,
    MediaError,
    NetworkError,
    ProxyFailed,
    Stalled,
    TooLarge,
    TooManyRedirects,
)
from ouzel.base.headers import Fields, away_from_home
from ouzel.base.urls import Url, parse_url, redact
from ouzel.system.guard import Lookup
from ouzel.system.http.bodies import Collector
from ouzel.system.http.dial import Dialler, parse_proxy
from ouzel.system.http.exchange import Exchange
from ouzel.system.http.links import Buffers, Conduit, OpenLinks
from ouzel.system.http.messages import Answer, Page, Request, Take
from ouzel.system.http.pool import LinkKey, Pool
from ouzel.system.http.requests import checked_fields, render_request
from ouzel.system.http.tls import Trust
from ouzel.system.http.verdicts import REDIRECTS, redirect_target, refusal
from ouzel.system.http.visit import Visit
from ouzel.system.http.watch import Sweeper

MAX_REDIRECTS = 8
_NO_BODY_S = 2.0
"""Time for the rest of an answer that says no, or elsewhere; after that its connection is given up."""


@dataclass(slots=True)
class _Call:
    """One call of the client, over all its hops."""

    request: Request
    on_answer: Callable[[Answer], Take]
    max_bytes: int | None
    """None: a stream."""
    proxy: Url | None
    deadline: float
    url: Url
    fields: Fields
    redirects: int = 0

    @property
    def key(self) -> LinkKey:
        request = self.request
        return LinkKey(*self.url.origin, request.proxy, request.verify_tls, request.scope)

    def render(self) -> bytes:
        spoken_to = (
            self.proxy if self.proxy is not None and self.proxy.scheme == "http" and self.url.scheme == "http" else None
        )
        compressed = self.max_bytes is not None and self.request.byte_range is None
        return render_request(self.request, self.url, self.fields, compressed=compressed, proxy=spoken_to)

    def follow(self, target: Url) -> None:
        if target.origin != self.url.origin:
            self.fields = away_from_home(self.fields)
        elif target.user is None:
            target = target._replace(user=self.url.user, password=self.url.password)
        self.url = target
        self.redirects += 1


class Http1Client:
    """HTTP/1.1 over our own reader; an `HttpClient`. Belongs to the event loop on which it is first used.

    Args:
        ca_file: certificates (PEM) of authorities to trust beside the system's.
        lookup: finds the addresses of names; None: the system's resolver.
        wall: the time of day, for dates in answers.
        idle_s: how long a connection is kept without use.
        max_idle: how many are kept so.
    """

    def __init__(
        self,
        *,
        ca_file: Path | None = None,
        lookup: Lookup | None = None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        idle_s: float = 30.0,
        max_idle: int = 256,
    ) -> None:
        self._links = OpenLinks()
        self._dialler = Dialler(Trust(ca_file), lookup, self._links, Buffers())
        self._pool = Pool(idle_s=idle_s, max_idle=max_idle)
        self._sweeper = Sweeper()
        self._running: set[Exchange] = set()
        self._wall = wall
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def connections(self) -> int:
        """How many are open, at work or at rest."""
        return self._links.count

    async def aclose(self) -> None:
        self._closed = True
        for exchange in tuple(self._running):
            exchange.fail(ConnectionLost("the client was closed"))
        self._pool.close()
        self._sweeper.close()
        await self._links.close()

    async def fetch(self, request: Request, *, max_bytes: int) -> Page:
        collector = Collector(max_bytes)

        def on_answer(answer: Answer) -> Take:
            if answer.length is not None and answer.length > max_bytes:
                raise TooLarge(f"the answer has {answer.length} bytes; the limit is {max_bytes}", limit=max_bytes)
            return collector.take

        answer = await self._run(request, on_answer, max_bytes)
        return Page(answer, bytes(collector.data))

    async def stream(self, request: Request, on_answer: Callable[[Answer], Take]) -> Answer:
        return await self._run(request, on_answer, None)

    async def _run(self, request: Request, on_answer: Callable[[Answer], Take], max_bytes: int | None) -> Answer:
        total_s = request.limits.total_s
        call = _Call(
            request,
            on_answer,
            max_bytes,
            proxy=None if request.proxy is None else parse_proxy(request.proxy),
            deadline=math.inf if total_s is None else asyncio.get_running_loop().time() + total_s,
            url=parse_url(request.url),
            fields=checked_fields(request),
        )
        seen: set[Url] = set()
        while True:
            visit = await self._visit(call)
            if visit.answer is not None:
                return visit.answer
            head = visit.head
            assert head is not None
            if head.status not in REDIRECTS or request.body is not None:
                raise refusal(head, call.url, visit.excerpt, self._wall(), proxied=call.proxy is not None)
            seen.add(call.url)
            call.follow(parse_url(redirect_target(head, call.url)))
            if call.url in seen or call.redirects > MAX_REDIRECTS:
                why = "in a circle" if call.url in seen else f"more than {MAX_REDIRECTS} times"
                raise TooManyRedirects(f"{parse_url(request.url).host} redirects {why}", url=redact(request.url))

    async def _visit(self, call: _Call) -> Visit:
        key = call.key
        link = self._pool.take(key) if call.request.body is None else None  # one that died would have it sent twice
        if link is not None:
            visit = await self._converse(call, key, link, reused=True)
            if visit is not None:
                return visit
        visit = await self._converse(call, key, await self._dial(call), reused=False)
        assert visit is not None
        return visit

    async def _dial(self, call: _Call) -> Conduit:
        if self._closed:
            raise ConnectionLost("the client is closed")
        loop, limits = asyncio.get_running_loop(), call.request.limits
        try:
            link = await self._dialler.dial(
                call.url,
                proxy=call.proxy,
                scope=call.request.scope,
                verify_tls=call.request.verify_tls,
                limit_s=min(limits.connect_s, call.deadline - loop.time()),
            )
        except (ConnectFailed, ProxyFailed) as exc:
            if loop.time() < call.deadline:
                raise
            raise Stalled(f"not complete within {limits.total_s:g} s: {exc.message}", total_s=limits.total_s) from None
        if self._closed:
            link.abort()
            raise ConnectionLost("the client is closed")
        return link

    async def _converse(self, call: _Call, key: LinkKey, link: Conduit, *, reused: bool) -> Visit | None:
        """Send the request on this link and wait for its answer.

        Returns: None when a reused link died before it gave so much as a byte: the server had closed it while the request was on
            its way, and has not seen it.
        """
        loop = asyncio.get_running_loop()
        visit = Visit(
            call.request,
            call.url,
            redirects=call.redirects,
            reused=reused,
            max_bytes=call.max_bytes,
            on_answer=call.on_answer,
        )
        exchange = Exchange(
            link,
            visit.on_head,
            call.request.limits,
            loop.time(),
            call.deadline,
            gather_s=call.request.gather_s if call.max_bytes is None else 0.0,
            brake=call.request.brake if call.max_bytes is None else None,
        )
        visit.on_no = lambda: self._hurry(exchange)
        self._running.add(exchange)
        self._sweeper.hold(exchange)
        try:
            link.send(call.render())
            await exchange.over
        except BaseException:
            exchange.abandon()
            raise
        finally:
            self._running.discard(exchange)
            self._sweeper.release(exchange)
        error = exchange.error
        if reused and isinstance(error, ConnectionLost) and not exchange.answered and not self._closed:
            return None
        if error is not None and not (visit.settled and isinstance(error, NetworkError | MediaError)):
            raise error
        self._put_back(key, link, exchange)
        visit.close()
        return visit

    def _put_back(self, key: LinkKey, link: Conduit, exchange: Exchange) -> None:
        if exchange.reusable:
            self._pool.put(key, link, asyncio.get_running_loop().time())
            self._sweeper.hold(self._pool)
        else:
            exchange.abandon()

    def _hurry(self, exchange: Exchange) -> None:
        exchange.hurry(asyncio.get_running_loop().time() + _NO_BODY_S)
        self._sweeper.hold(exchange)
