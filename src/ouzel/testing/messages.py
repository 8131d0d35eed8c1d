"""Who takes messages: a sender without a network, and services on loopback that answer as the real ones do."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio
import anyio.abc

from ouzel.base.errors import OuzelError


@dataclass
class FakeSending:
    """Keeps what it is given. By kind: `errors` are raised, one after the other; a `hanging` one never comes back."""

    sent: list[tuple[str, Mapping[str, Any], Any]] = field(default_factory=list[tuple[str, Mapping[str, Any], Any]])
    errors: dict[str, list[OuzelError]] = field(default_factory=dict[str, list[OuzelError]])
    hanging: set[str] = field(default_factory=set[str])
    bad: OuzelError | None = None
    """What `check` raises."""
    tried: int = 0

    async def send(self, kind: str, settings: Mapping[str, Any], message: Any) -> None:
        self.tried += 1
        if kind in self.hanging:
            await anyio.sleep_forever()
        if errors := self.errors.get(kind):
            raise errors.pop(0)
        self.sent.append((kind, settings, message))

    async def check(self, kind: str, settings: Mapping[str, Any]) -> None:  # noqa: ARG002
        if self.bad is not None:
            raise self.bad


@dataclass(frozen=True, slots=True)
class Got:
    """A request as the service saw it; names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply: TypeAlias = tuple[int, Mapping[str, str], Any]
"""Status, headers, and what becomes JSON."""


@dataclass
class FakeService:
    """Answers what it is told to: `replies`, one after the other, and then the last again; None: never."""

    url: str
    replies: list[Reply | None] = field(default_factory=list[Reply | None])
    got: list[Got] = field(default_factory=list[Got])
    news: anyio.Event = field(default_factory=anyio.Event)

    def says(self, doc: Any, status: int = 200, **headers: str) -> None:
        """From now on."""
        self.replies = [(status, headers, doc)]

    def next(self) -> Reply | None:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def wait(self, count: int) -> None:
        """Until it was asked so often."""
        while len(self.got) < count:
            await self.news.wait()


@asynccontextmanager
async def fake_service(doc: Any, status: int = 200) -> AsyncGenerator[FakeService]:
    """Args: doc, status: what it answers."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610
    service = FakeService(f"http://127.0.0.1:{port}", [(status, {}, doc)])
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, _handler(service))
        yield service
        tasks.cancel_scope.cancel()


def _handler(service: FakeService) -> Callable[[anyio.abc.SocketStream], Any]:
    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            try:
                service.got.append(await _request(stream))
            except anyio.EndOfStream:
                return
            news, service.news = service.news, anyio.Event()
            news.set()
            reply = service.next()
            if reply is None:
                await anyio.sleep_forever()
                return
            status, headers, doc = reply
            body = json.dumps(doc, ensure_ascii=False).encode()
            shown = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
            lines = [f"HTTP/1.1 {status} Said", *(f"{k}: {v}" for k, v in (shown | dict(headers)).items()), "", ""]
            await stream.send("\r\n".join(lines).encode() + body)

    return handle


async def _request(stream: anyio.abc.SocketStream) -> Got:
    held = b""
    while b"\r\n\r\n" not in held:
        held += await stream.receive()
    head, _, body = held.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += await stream.receive()
    method, path, _ = first.split(" ", 2)
    return Got(method, path, headers, body)
