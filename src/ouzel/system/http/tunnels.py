"""Through a proxy to the server: CONNECT and SOCKS 5.

Sources: RFC 9110 section 9.3.6 (CONNECT); RFC 1928 (SOCKS 5); RFC 1929 (its user and password).
"""

from __future__ import annotations

import asyncio
import base64
import struct
from ipaddress import IPv4Address

from ouzel.base.errors import BadOption, BadResponse, ProxyFailed
from ouzel.base.urls import Url
from ouzel.system.guard import Address
from ouzel.system.http.heads import MAX_HEAD, parse_head
from ouzel.system.http.links import NOBODY, Conduit

_VERSION = 5
_NO_AUTH, _PASSWORD, _NO_METHOD = 0, 2, 0xFF
_CONNECT = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_REPLIES = {
    1: "it failed",
    2: "its rules do not allow it",
    3: "the network cannot be reached",
    4: "the host cannot be reached",
    5: "the connection was refused",
    6: "it took too long",
    7: "it does not know the command",
    8: "it does not know this type of address",
}


class _Inbox:
    """Bytes of a handshake, to be awaited."""

    def __init__(self, link: Conduit, proxy: Url) -> None:
        self._data = bytearray()
        self._proxy = proxy
        self._lost = not link.open
        self._news: asyncio.Future[None] | None = None
        link.receiver = self

    def received(self, data: memoryview) -> None:
        self._data += data
        self._wake()

    def closed(self, exc: Exception | None) -> None:  # noqa: ARG002 - a receiver's signature
        self._lost = True
        self._wake()

    async def exactly(self, count: int) -> bytes:
        while len(self._data) < count:
            await self._more()
        return self._cut(count)

    async def through(self, mark: bytes, limit: int) -> bytes:
        """All up to the end of `mark`."""
        while (found := self._data.find(mark)) < 0:
            if len(self._data) > limit:
                raise self.failure("its answer is too long")
            await self._more()
        return self._cut(found + len(mark))

    def rest(self) -> bytes:
        return bytes(self._data)

    def failure(self, why: str) -> ProxyFailed:
        return ProxyFailed(f"the proxy {self._proxy.authority}: {why}", proxy=self._proxy.authority)

    async def _more(self) -> None:
        if self._lost:
            raise self.failure("it closed the connection")
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _cut(self, count: int) -> bytes:
        part = bytes(self._data[:count])
        del self._data[:count]
        return part


def proxy_authorization(proxy: Url) -> str | None:
    """The value of Proxy-Authorization; None for a proxy without a user."""
    return None if proxy.user is None else basic(proxy.user, proxy.password)


def basic(user: str, password: str | None) -> str:
    """Source: RFC 7617, in UTF-8."""
    return "Basic " + base64.b64encode(f"{user}:{password or ''}".encode()).decode()


async def connect_through_http(link: Conduit, proxy: Url, target: Url) -> None:
    """Make the proxy connect to `target`. Raises: ProxyFailed."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    lines = [f"CONNECT {host}:{target.port} HTTP/1.1", f"Host: {host}:{target.port}"]
    if (credentials := proxy_authorization(proxy)) is not None:
        lines.append(f"Proxy-Authorization: {credentials}")
    inbox = _Inbox(link, proxy)
    link.send("\r\n".join([*lines, "", ""]).encode())
    try:
        head = parse_head(await inbox.through(b"\r\n\r\n", MAX_HEAD))
    except BadResponse as exc:
        raise inbox.failure(exc.message) from None
    if head.status == 407:
        raise inbox.failure("it wants a user and password (407)")
    if not 200 <= head.status < 300:
        raise inbox.failure(f"it does not connect to {target.host}:{target.port} ({head.status} {head.reason})")
    if inbox.rest():
        raise inbox.failure("it sent bytes before the server could")
    link.receiver = NOBODY


async def connect_through_socks(link: Conduit, proxy: Url, host: str | Address, port: int) -> None:
    """Make the proxy connect to `host`, a name for it to look up or an address. Raises: ProxyFailed, BadOption."""
    inbox = _Inbox(link, proxy)
    methods = bytes([_NO_AUTH] if proxy.user is None else [_NO_AUTH, _PASSWORD])
    link.send(bytes([_VERSION, len(methods)]) + methods)
    version, method = await inbox.exactly(2)
    if version != _VERSION:
        raise inbox.failure("it does not speak SOCKS 5")
    if method == _PASSWORD and proxy.user is not None:
        link.send(_credentials(proxy.user, proxy.password or ""))
        if (await inbox.exactly(2))[1] != 0:
            raise inbox.failure("it does not accept the user and password")
    elif method != _NO_AUTH:
        raise inbox.failure(
            "it wants a user and password" if method == _NO_METHOD else "it wants another way to log in"
        )
    link.send(bytes([_VERSION, _CONNECT, 0]) + _address(host) + struct.pack(">H", port))
    version, reply, _, kind = await inbox.exactly(4)
    if version != _VERSION:
        raise inbox.failure("it does not speak SOCKS 5")
    if reply != 0:
        raise inbox.failure(f"it does not connect to {host}:{port}: {_REPLIES.get(reply, f'code {reply}')}")
    if kind not in (_IPV4, _NAME, _IPV6):
        raise inbox.failure("its answer is malformed")
    size = {_IPV4: 4, _IPV6: 16}.get(kind) or (await inbox.exactly(1))[0]
    await inbox.exactly(size + 2)  # the address that the proxy connects from: of no use here
    if inbox.rest():
        raise inbox.failure("it sent bytes before the server could")
    link.receiver = NOBODY


def _credentials(user: str, password: str) -> bytes:
    name, secret = user.encode(), password.encode()
    if not 1 <= len(name) <= 255 or not 1 <= len(secret) <= 255:
        raise BadOption("the user and the password of a SOCKS proxy have 1 to 255 bytes")
    return bytes([1, len(name)]) + name + bytes([len(secret)]) + secret


def _address(host: str | Address) -> bytes:
    if isinstance(host, str):
        name = host.encode("ascii")
        return bytes([_NAME, len(name)]) + name
    return bytes([_IPV4 if isinstance(host, IPv4Address) else _IPV6]) + host.packed
