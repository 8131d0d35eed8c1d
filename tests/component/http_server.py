"""Small servers on loopback for the tests of the HTTP client: scripted answers, an HTTP proxy, a SOCKS proxy."""

from __future__ import annotations

import base64
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.abc
from anyio.streams.tls import TLSStream

Stream = anyio.abc.ByteStream


class Hangup(Exception):
    """The script is over, and so is the connection."""


@dataclass
class Asked:
    """A request as the server saw it; names of headers in lower case."""

    target: str
    headers: dict[str, str]
    connection: int


class Peer:
    """The server's end of one connection."""

    def __init__(self, stream: Stream, number: int) -> None:
        self._stream = stream
        self._data = bytearray()
        self.number = number

    async def send(self, data: bytes) -> None:
        await self._stream.send(data)

    async def exactly(self, count: int) -> bytes:
        while len(self._data) < count:
            self._data += await self._stream.receive()
        part = bytes(self._data[:count])
        del self._data[:count]
        return part

    async def through(self, mark: bytes) -> bytes:
        while (found := self._data.find(mark)) < 0:
            self._data += await self._stream.receive()
        return await self.exactly(found + len(mark))

    async def asked(self) -> Asked:
        lines = (await self.through(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.partition(": ") for line in lines[1:] if line)
        return Asked(lines[0].split(" ")[1], {name.lower(): value for name, _, value in pairs}, self.number)

    async def until_gone(self) -> None:
        """Wait until the client has closed the connection."""
        try:
            while True:
                await self._stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            pass

    async def hang_up(self) -> None:
        raise Hangup

    async def reset(self) -> None:
        """Close so that the other side sees a reset."""
        sock = self._stream.extra(anyio.abc.SocketAttribute.raw_socket)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Hangup


Script = Callable[[Peer, Asked], Awaitable[None]]


def answer(body: bytes = b"", *, status: str = "200 OK", length: int | None = -1, **headers: str) -> bytes:
    """An answer as bytes. `length`: -1 as the body is, None to leave it out. Header names with `_` for `-`."""
    lines = [f"HTTP/1.1 {status}"]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length < 0 else length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*chunks: bytes, extension: str = "", trailer: str = "", **headers: str) -> bytes:
    head = answer(length=None, Transfer_Encoding="chunked", **headers)
    framed = b"".join(f"{len(chunk):x}{extension}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return head + framed + f"0{extension}\r\n{trailer}\r\n".encode()


@dataclass
class Server:
    """A server on 127.0.0.1 with a script, or a ready answer, for each path; a path it does not know is 404."""

    routes: dict[str, Script | bytes]
    scheme: str = "http"
    host: str = "127.0.0.1"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    closed: int = 0

    def url(self, path: str = "/", *, user: str = "") -> str:
        return f"{self.scheme}://{user}{self.host}:{self.port}{path}"

    async def serve(self, stream: Stream) -> None:
        self.connections += 1
        peer = Peer(stream, self.connections)
        try:
            while True:
                asked = await peer.asked()
                self.asked.append(asked)
                route = self.routes.get(asked.target.partition("?")[0], answer(b"no such page", status="404 Not Found"))
                if isinstance(route, bytes):
                    await peer.send(route)
                else:
                    await route(peer, asked)
        except (Hangup, anyio.EndOfStream, anyio.BrokenResourceError):
            pass
        finally:
            self.closed += 1


@asynccontextmanager
async def listening(
    serve: Callable[[Stream], Awaitable[None]], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve connections to a free port of 127.0.0.1, which is given; all are cut off at the end."""

    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            if tls is None:
                await serve(stream)
                return
            try:
                wrapped = await TLSStream.wrap(stream, server_side=True, ssl_context=tls, standard_compatible=False)
            except (ssl.SSLError, anyio.EndOfStream, anyio.BrokenResourceError):
                return
            await serve(wrapped)

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, handle)
        yield listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def serving(
    routes: Mapping[str, Script | bytes], *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    server = Server(dict(routes), scheme="https" if tls else "http", host=host)
    async with listening(server.serve, tls=tls) as port:
        server.port = port
        yield server


@dataclass
class Proxy:
    """What a proxy was asked for: `CONNECT` and SOCKS targets as host and port, and its own requests' headers."""

    port: int = 0
    targets: list[tuple[str, int]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    forwarded: list[str] = field(default_factory=list)


async def _join(one: Stream, other: Stream) -> None:
    async def copy(source: Stream, sink: Stream) -> None:
        try:
            async for data in source:
                await sink.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(copy, one, other)
        tasks.start_soon(copy, other, one)


@asynccontextmanager
async def http_proxy(*, user: str | None = None, refuse: str | None = None) -> AsyncIterator[Proxy]:
    """CONNECT and absolute-form requests; `user` as `name:password`; `refuse`: the status for every CONNECT."""
    proxy = Proxy()

    async def serve(stream: Stream) -> None:
        peer = Peer(stream, 0)
        try:
            head = (await peer.through(b"\r\n\r\n")).decode()
        except anyio.EndOfStream:
            return
        method, target, _ = head.split("\r\n")[0].split(" ")
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        given = fields.get("Proxy-Authorization", "Basic ").removeprefix("Basic ")
        proxy.logins.append(base64.b64decode(given).decode())
        if user is not None and proxy.logins[-1] != user:
            await peer.send(answer(status="407 Proxy Authentication Required"))
            return
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            proxy.targets.append((host, int(port)))
            if refuse is not None:
                await peer.send(answer(status=refuse))
                return
            async with await anyio.connect_tcp("127.0.0.1", int(port)) as server:
                await peer.send(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
                await _join(stream, server)
            return
        proxy.forwarded.append(target)
        host, _, path = target.removeprefix("http://").partition("/")
        proxy.targets.append((host.partition(":")[0], int(host.partition(":")[2] or 80)))
        async with await anyio.connect_tcp("127.0.0.1", proxy.targets[-1][1]) as server:
            await server.send(f"GET /{path} HTTP/1.1\r\n{head.partition(chr(10))[2]}".encode())
            await _join(stream, server)

    async with listening(serve) as port:
        proxy.port = port
        yield proxy


@asynccontextmanager
async def socks_proxy(*, user: str | None = None, reply: int = 0, version: int = 5) -> AsyncIterator[Proxy]:
    """SOCKS 5; every target is looked for on 127.0.0.1. `reply`: the code for every request."""
    proxy = Proxy()

    async def serve(stream: Stream) -> None:
        peer = Peer(stream, 0)
        _, count = await peer.exactly(2)
        methods = await peer.exactly(count)
        method = 2 if user is not None else 0
        await peer.send(bytes([version, method if method in methods else 0xFF]))
        if method not in methods or version != 5:
            return
        if user is not None:
            name = await peer.exactly((await peer.exactly(2))[1])
            secret = await peer.exactly((await peer.exactly(1))[0])
            proxy.logins.append(f"{name.decode()}:{secret.decode()}")
            good = proxy.logins[-1] == user
            await peer.send(bytes([1, 0 if good else 1]))
            if not good:
                return
        kind = (await peer.exactly(4))[3]
        if kind == 3:
            host = (await peer.exactly((await peer.exactly(1))[0])).decode()
        else:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            host = socket.inet_ntop(family, await peer.exactly(4 if kind == 1 else 16))
        (port,) = struct.unpack(">H", await peer.exactly(2))
        proxy.targets.append((host, port))
        if reply:
            await peer.send(bytes([5, reply, 0, 1]) + bytes(6))
            return
        async with await anyio.connect_tcp("127.0.0.1", port) as server:
            await peer.send(bytes([5, 0, 0, 3, 4]) + b"host" + bytes(2))
            await _join(stream, server)

    async with listening(serve) as port:
        proxy.port = port
        yield proxy
