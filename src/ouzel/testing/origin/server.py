"""A small HTTP/1.1 server that can also break the protocol on demand.

It knows GET and HEAD, keep-alive, single byte ranges, bodies of known length and endless ones. How a body goes out (slowly,
not whole, with a reset in the middle) is part of the response: a `Delivery`.
"""

from __future__ import annotations

import asyncio
import fcntl
import gzip
import re
import socket
import ssl
import struct
import termios
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import anyio
from anyio.abc import TaskGroup

from ouzel.testing.clock import Clock

Buffer: TypeAlias = bytes | bytearray | memoryview
Stream: TypeAlias = AsyncGenerator[Buffer, None]
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_MAX_HEAD = 64 * 1024
_SLICE = 256 * 1024
_CRAWL_TICK_S = 0.1
_IDLE_S = 120.0
_DRAIN_S = 2.0


@dataclass(slots=True)
class Request:
    """A request as it arrived; `status` and `sent` are filled in as it is answered."""

    method: str
    path: str
    """Decoded, without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    at: float
    """Monotonic time of its arrival."""
    status: int = 0
    sent: int = 0
    """Bytes of the body that were handed to the socket."""


class Hold:
    """A place where answers wait until the test lets them go on, or for some seconds."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._opened = anyio.Event()
        self._arrived = anyio.Event()
        self.waiting = 0

    def release(self) -> None:
        """Let those go on that wait now."""
        self._opened.set()
        self._opened = anyio.Event()

    async def wait_reached(self) -> None:
        """Return once an answer waits here."""
        while self.waiting == 0:
            await self._arrived.wait()

    async def wait(self, clock: Clock) -> None:
        self.waiting += 1
        self._arrived.set()
        self._arrived = anyio.Event()
        try:
            if self._seconds is None:
                await self._opened.wait()
            else:
                await clock.sleep(self._seconds)
        finally:
            self.waiting -= 1


@dataclass(slots=True)
class Delivery:
    """How an answer goes out. Positions count bytes of the body; None: it does not happen."""

    hold_head: Hold | None = None
    """Waits before the first byte of the answer."""
    hold: Hold | None = None
    hold_at: int = 0
    reset_at: int | None = None
    """The connection is reset (RST) once so many bytes are out."""
    stop_at: int | None = None
    """The connection is closed once so many bytes are out, whatever was announced."""
    bytes_per_s: float | None = None


@dataclass(slots=True)
class Response:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: Buffer | Stream = b""
    chunked: bool = True
    """A body without `Content-Length` among the headers is framed in chunks; otherwise it ends with the connection."""
    delivery: Delivery = field(default_factory=Delivery)


Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class HttpServer:
    """Listens on a free port of 127.0.0.1 for as long as it is entered.

    Args:
        handler: makes the response to a request.
        clock: for the times of requests and for slow answers.
        tls: serve HTTPS with this context.
    """

    def __init__(self, handler: Handler, *, clock: Clock, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._clock = clock
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = port
        self.connections = 0
        """Accepted since the start."""

    async def start(self, tasks: TaskGroup) -> None:
        """Begin to listen; every connection is a task of `tasks`, which the caller cancels before `stop`."""

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            self._writers.add(writer)
            tasks.start_soon(self._serve, reader, writer, name="origin connection")

        self._server = await asyncio.start_server(
            accept, "127.0.0.1", self.port, ssl=self._tls, limit=_MAX_HEAD, backlog=1024
        )
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in [*self._writers]:
                writer.transport.abort()
            await self._server.wait_closed()
            await asyncio.sleep(0)  # aborted transports close their sockets in the next turn of the loop

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=4 * _SLICE)
        try:
            while await self._serve_one(reader, writer):
                pass
            writer.close()
            with anyio.move_on_after(5):
                await writer.wait_closed()
        except (ConnectionError, ssl.SSLError, TimeoutError):
            pass  # the other side has gone, or was sent away
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection may be used again."""
        try:
            with anyio.fail_after(_IDLE_S):
                head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return False
        request = parse_request(head, at=self._clock.monotonic())
        response = await self._handler(request)
        request.status = response.status
        keep = request.headers.get("connection", "").lower() != "close"
        return await _Answer(self._clock, writer, request, response, keep=keep).send()


def parse_request(head: bytes, *, at: float) -> Request:
    """The request in a head that ends with an empty line. Raises: ConnectionError when it is none."""
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, _ = first.split(" ")
    except ValueError:
        raise ConnectionError(f"not a request: {first[:80]}") from None
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    url = urlsplit(target)
    return Request(
        method, unquote(url.path), dict(parse_qsl(url.query)), {k.strip().lower(): v.strip() for k, v in pairs}, at
    )


def requested_range(request: Request) -> tuple[int, int | None] | None:
    """Start and exclusive stop (None: to the end) of the single range that was asked for, if it counts from the start."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    return (int(found[1]), int(found[2]) + 1 if found[2] else None) if found else None


def apply_range(request: Request, response: Response) -> None:
    """Cut a whole body of known length to the range that was asked for (RFC 9110 section 14.2)."""
    asked = requested_range(request)
    if response.status != 200 or asked is None or isinstance(response.body, AsyncGenerator):
        return
    size = len(response.body)
    start, stop = asked[0], size if asked[1] is None else min(asked[1], size)
    if start >= stop:
        response.status, response.body = 416, b""
        response.headers["Content-Range"] = f"bytes */{size}"
        return
    response.status, response.body = 206, memoryview(response.body)[start:stop]
    response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"


def compress(request: Request, response: Response) -> None:
    """Send a body of known length in gzip if the client takes it."""
    if "gzip" in request.headers.get("accept-encoding", "") and not isinstance(response.body, AsyncGenerator):
        response.body = gzip.compress(bytes(response.body), 6)
        response.headers["Content-Encoding"] = "gzip"


def reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection so that the other side sees a reset, not an end."""
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _unsent(sock: socket.socket) -> int:
    """Bytes that the other side has not acknowledged."""
    if sock.fileno() < 0:
        return 0
    return int(struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))[0])


class _Answer:
    """Sends one response."""

    def __init__(
        self, clock: Clock, writer: asyncio.StreamWriter, request: Request, response: Response, *, keep: bool
    ) -> None:
        self._clock = clock
        self._writer = writer
        self._request = request
        self._response = response
        self._delivery = response.delivery
        self._keep = keep
        self._chunks = False

    async def send(self) -> bool:
        """Send it; whether the connection may be used again."""
        if self._delivery.hold_head is not None:
            await self._delivery.hold_head.wait(self._clock)
        body = self._response.body
        known = not isinstance(body, AsyncGenerator)
        framed = known or "Content-Length" in self._response.headers
        self._chunks = not framed and self._response.chunked
        if not framed and not self._chunks:
            self._keep = False
        self._writer.write(self._head(len(body) if known else None))
        if self._request.method != "HEAD":
            if known:
                whole = await self._send(body)
            else:
                whole = await self._send_all(body)
            if not whole:
                return False
        if self._chunks:
            self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
        return self._keep

    def _head(self, length: int | None) -> bytes:
        response = self._response
        headers = dict(response.headers)
        if length is not None:
            headers.setdefault("Content-Length", str(length))
        elif self._chunks:
            headers["Transfer-Encoding"] = "chunked"
        headers["Connection"] = "keep-alive" if self._keep else "close"
        phrase = HTTPStatus(response.status).phrase
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {response.status} {phrase}\r\n{lines}\r\n".encode("latin-1")

    async def _send_all(self, body: Stream) -> bool:
        async with aclosing(body):
            async for piece in body:
                if not await self._send(piece):
                    return False
        return True

    async def _send(self, piece: Buffer) -> bool:
        """Send a piece of the body; False when the answer ends here before its time."""
        view = memoryview(piece)
        plan = self._delivery
        while True:
            if plan.hold is not None and self._request.sent >= plan.hold_at:
                hold, plan.hold = plan.hold, None
                await self._writer.drain()
                await hold.wait(self._clock)
            if plan.reset_at is not None and self._request.sent >= plan.reset_at:
                await self._drain_fully()
                reset(self._writer)
                return False
            if plan.stop_at is not None and self._request.sent >= plan.stop_at:
                await self._writer.drain()
                return False
            if not view:
                return True
            sent = view[: self._room()]
            view = view[len(sent) :]
            self._writer.write(b"%x\r\n%b\r\n" % (len(sent), sent) if self._chunks else sent)
            self._request.sent += len(sent)
            if plan.bytes_per_s is not None:
                await self._clock.sleep(len(sent) / plan.bytes_per_s)
            await self._writer.drain()

    async def _drain_fully(self) -> None:
        """Wait until the other side's system has all that was sent: a reset throws away what is still on its way."""
        transport = self._writer.transport
        sock: socket.socket | None = transport.get_extra_info("socket")
        with anyio.move_on_after(_DRAIN_S):
            while transport.get_write_buffer_size() or (sock and _unsent(sock)):  # noqa: ASYNC110 - nothing else tells of it
                await anyio.sleep(0.002)

    def _room(self) -> int:
        """How much may go out before something happens."""
        plan, sent = self._delivery, self._request.sent
        room = _SLICE
        if plan.bytes_per_s is not None:
            room = max(int(plan.bytes_per_s * _CRAWL_TICK_S), 1)
        for at in (plan.hold_at if plan.hold is not None else None, plan.reset_at, plan.stop_at):
            if at is not None and at > sent:
                room = min(room, at - sent)
        return room
