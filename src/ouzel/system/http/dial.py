"""From an address to an open link: look up, check, connect, tunnel, TLS; all within one time limit."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass

import anyio

from ouzel.base.errors import (
    AddressRefused,
    BadOption,
    ConnectFailed,
    ConnectionLost,
    NetworkError,
    ProxyFailed,
    SchemeRefused,
)
from ouzel.base.urls import Url, literal_address, parse_url
from ouzel.system.guard import Address, Endpoint, Lookup, Scope, check_literal, resolve
from ouzel.system.http.links import Buffers, Conduit, Link, OpenLinks, TlsLink
from ouzel.system.http.tls import Trust, explain
from ouzel.system.http.tunnels import connect_through_http, connect_through_socks

PROXY_SCHEMES = frozenset({"http", "socks5", "socks5h"})
_STAGGER_S = 0.25
"""Head start of one address before the next is tried beside it (RFC 8305 section 8)."""


def parse_proxy(text: str) -> Url:
    """Raises: BadOption, BadUrl."""
    try:
        return parse_url(text, schemes=PROXY_SCHEMES)
    except SchemeRefused:
        raise BadOption("a proxy is given as http://, socks5:// or socks5h://") from None


@dataclass(frozen=True, slots=True)
class Dialler:
    """Opens the links of one client."""

    trust: Trust
    lookup: Lookup | None
    links: OpenLinks
    buffers: Buffers

    async def dial(self, url: Url, *, proxy: Url | None, scope: Scope, verify_tls: bool, limit_s: float) -> Conduit:
        """A link on which a request for `url` can be sent.

        Raises: HostNotFound, AddressRefused, ConnectFailed, ProxyFailed, TlsFailed, BadOption.
        """
        attempt = _Attempt(self, url, proxy, scope)
        link: Conduit | None = None
        try:
            with anyio.move_on_after(limit_s):
                link = await attempt.run(verify_tls=verify_tls)
        finally:
            if link is None:
                attempt.abandon()
        if link is None:
            raise attempt.too_late(limit_s)
        return link


class _Attempt:
    """One way from nothing to a link; `_step` says how far it came."""

    def __init__(self, dialler: Dialler, url: Url, proxy: Url | None, scope: Scope) -> None:
        self._dialler = dialler
        self._url = url
        self._proxy = proxy
        self._scope = scope
        self._link: Link | None = None
        self._step = "it was not begun"

    async def run(self, *, verify_tls: bool) -> Conduit:
        if self._proxy is None:
            await self._to_server()
        else:
            await self._to_proxy(self._proxy)
        assert self._link is not None
        return await self._secure(self._link, verify=verify_tls) if self._url.scheme == "https" else self._link

    def abandon(self) -> None:
        if self._link is not None:
            self._link.abort()

    def too_late(self, limit_s: float) -> NetworkError:
        kind = ProxyFailed if self._step.startswith("the proxy") else ConnectFailed
        return kind(f"no connection to {self._url.host} within {limit_s:g} s: {self._step}", host=self._url.host)

    async def _to_server(self) -> None:
        host, port = self._url.host, self._url.port
        self._step = "its name was not found yet"
        endpoints = await resolve(host, port, self._scope, lookup=self._dialler.lookup)
        self._step = f"port {port} does not answer"
        try:
            await self._open(endpoints)
        except OSError as exc:
            raise ConnectFailed(f"cannot connect to {self._url.authority}: {exc}", host=host, port=port) from None

    async def _to_proxy(self, proxy: Url) -> None:
        target = await self._target(proxy)
        name = proxy.authority
        self._step = f"the proxy {name} does not answer"
        try:
            await self._open(await resolve(proxy.host, proxy.port, Scope.anywhere(), lookup=self._dialler.lookup))
        except (OSError, NetworkError) as exc:
            raise ProxyFailed(f"cannot connect to the proxy {name}: {exc}", proxy=name) from None
        self._step = f"the proxy {name} does not connect to it"
        assert self._link is not None
        if proxy.scheme != "http":
            await connect_through_socks(self._link, proxy, target, self._url.port)
        elif self._url.scheme == "https":
            await connect_through_http(self._link, proxy, self._url)

    async def _target(self, proxy: Url) -> str | Address:
        """What the proxy is asked for: a checked address, or the name where it looks names up itself."""
        host, port = self._url.host, self._url.port
        if proxy.scheme != "socks5":
            try:
                check_literal(host, self._scope)
            except AddressRefused as exc:
                kind = exc.context.get("address_class")
                raise AddressRefused(
                    f"{host} is a {kind} address, and the proxy {proxy.authority} is asked for public ones only",
                    **exc.context,
                ) from None
            return literal_address(host) or host
        self._step = "its name was not found yet"
        endpoints = await resolve(host, port, self._scope, lookup=self._dialler.lookup)
        # whether the proxy has IPv6 is not known; that it has IPv4 is a safe guess
        return min((endpoint.address for endpoint in endpoints), key=lambda address: address.version)

    async def _open(self, endpoints: list[Endpoint]) -> None:
        """Raises: OSError with a text for people."""
        sock = await _connect_first(endpoints)
        dialler = self._dialler
        link = self._link = Link(dialler.buffers.wire, dialler.links)
        try:
            await asyncio.get_running_loop().create_connection(lambda: link, sock=sock)
        except BaseException:  # uvloop gives up a transport without a word to its protocol, even if that was told of it
            dialler.links.drop(link)
            sock.close()
            raise

    async def _secure(self, link: Link, *, verify: bool) -> Conduit:
        host, port = self._url.host, self._url.port
        self._step = "the TLS handshake does not come to an end"
        context = self._dialler.trust.context(verify=verify)
        tls = TlsLink(link, context, host.rstrip("."), self._dialler.buffers.plain)
        try:
            await tls.handshake()
        except ssl.SSLError as exc:
            raise explain(exc, host, port) from None
        except ConnectionLost as exc:
            raise ConnectFailed(
                f"cannot connect to {self._url.authority}: {exc.message}", host=host, port=port
            ) from None
        return tls


async def _connect_first(endpoints: list[Endpoint]) -> socket.socket:
    """Connect to whichever answers first; each has a head start of `_STAGGER_S`, or until it fails, before the next.

    Raises: OSError that names what went wrong, when none answers.
    Source: RFC 8305 section 5, without its sorting (the resolver has sorted: RFC 6724).
    """
    winners: list[socket.socket] = []
    faults: list[str] = []

    async def attempt(endpoint: Endpoint, over: anyio.Event) -> None:
        sock: socket.socket | None = None
        try:
            sock = socket.socket(endpoint.family, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, endpoint.sockaddr)
            winners.append(sock)
            sock = None
            attempts.cancel_scope.cancel()
        except OSError as exc:
            faults.append(os.strerror(exc.errno).lower() if exc.errno else str(exc))
        finally:
            if sock is not None:
                sock.close()
            over.set()

    try:
        async with anyio.create_task_group() as attempts:
            for endpoint in endpoints:
                over = anyio.Event()
                attempts.start_soon(attempt, endpoint, over, name=f"connect to {endpoint.address}")
                with anyio.move_on_after(_STAGGER_S):
                    await over.wait()
    except BaseException:
        for sock in winners:
            sock.close()
        raise
    for sock in winners[1:]:
        sock.close()
    if not winners:
        raise OSError(" and ".join(dict.fromkeys(faults)))
    return winners[0]
