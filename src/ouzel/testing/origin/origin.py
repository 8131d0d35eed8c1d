"""The live origin: one server, many channels, a log of every request."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio

from ouzel.testing.clips import Clip
from ouzel.testing.clock import Clock, SystemClock
from ouzel.testing.origin.channel import Channel
from ouzel.testing.origin.faults import Rule, matches
from ouzel.testing.origin.options import Hls
from ouzel.testing.origin.server import HttpServer, Request, Response, apply_range
from ouzel.testing.origin.show import Show

_LIVE = re.compile(r"/live/([A-Za-z0-9_-]+)(\.flv|\.ts|/.+)")
_TYPES = {".ts": "video/mp2t", ".mp4": "video/mp4", ".flv": "video/x-flv", ".m3u8": "application/vnd.apple.mpegurl"}


class LiveOrigin:
    """Serves live channels on a free port of 127.0.0.1 while it is entered.

        async with LiveOrigin() as origin:
            show = origin.channel("show", clip).push(5)
            origin.on("seg3.ts").status(404)
            ...
            assert origin.hits("seg3.ts") == 1

    Args:
        clock: paces shows, expires tokens and slows answers.
        tls: serve HTTPS with this context.
        host: the name in addresses that are handed out; resolves to 127.0.0.1.
    """

    def __init__(
        self, *, clock: Clock | None = None, tls: ssl.SSLContext | None = None, port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self.clock = clock or SystemClock()
        self.requests: list[Request] = []
        self.channels: dict[str, Channel] = {}
        self._server = HttpServer(self._answer, clock=self.clock, port=port, tls=tls)
        self._scheme = "https" if tls else "http"
        self._host = host
        self._files: dict[str, Callable[[], tuple[bytes, str]]] = {}
        self._rules: list[Rule] = []
        self._asked = anyio.Event()
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(tasks.cancel_scope.cancel)
            stack.push_async_callback(self._server.stop)
            await self._server.start(tasks)
            self._exit = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._exit.__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash."""
        return f"{self._scheme}://{self._host}:{self._server.port}"

    @property
    def connections(self) -> int:
        """Connections that were accepted so far."""
        return self._server.connections

    def channel(
        self,
        name: str,
        clip: Clip,
        *,
        hls: Hls | None = None,
        speed: float | None = None,
        begin: datetime | None = None,
        lead_s: float = 6,
        length_s: float | None = None,
        zero_s: float = 10,
    ) -> Channel:
        """Add a channel.

        Args:
            clip: shown in a loop, with time stamps that go on.
            speed: show seconds per second of the clock; everything that is told on the wire stays as at speed 1. None: the
                show is stepped by `Channel.push`.
            begin: wall time at which the show began (see `Clip.start`); None: `lead_s` ago, where it is paced.
            length_s: after so much of it a paced show ends by itself.
            zero_s: time stamp of the first picture, at least 1; 95,440 wraps the 33 bits of MPEG-TS after 3.7 s.
        """
        show = Show(clip, self.clock, speed=speed, begin=begin, lead_s=lead_s, length_s=length_s, zero_s=zero_s)
        self.channels[name] = channel = Channel(name, self.url, self.clock, show, hls or Hls())
        return channel

    def fresh_url(self, channel: str) -> str:
        """What a resolver would answer now: the channel's address, with a new token where addresses are signed."""
        return self.channels[channel].fresh_url()

    def file(self, name: str, content: bytes | Path, *, content_type: str | None = None) -> str:
        """Serve bytes, or a file as it is when it is asked for (404 while it does not exist), at `/files/NAME`, with byte ranges.
        Returns its address."""
        kind = content_type or _TYPES.get(Path(name).suffix, "application/octet-stream")

        def read() -> tuple[bytes, str]:
            return content if isinstance(content, bytes) else content.read_bytes(), kind

        self._files[f"/files/{name}"] = read
        return f"{self.url}/files/{name}"

    def on(self, pattern: str) -> Rule:
        """Script what goes wrong with the answers for a path: the last parts of it, with `*` and `?` as in a shell."""
        rule = Rule(pattern, self.clock)
        self._rules.append(rule)
        return rule

    def hits(self, pattern: str) -> int:
        """How many requests for such a path have arrived."""
        return sum(matches(pattern, request.path) for request in self.requests)

    async def wait_hits(self, pattern: str, number: int = 1) -> None:
        """Return once so many requests for such a path have arrived."""
        while self.hits(pattern) < number:
            await self._asked.wait()

    async def _answer(self, request: Request) -> Response:
        self.requests.append(request)
        self._asked.set()
        self._asked = anyio.Event()
        response = await self._right_answer(request)
        for rule in self._rules:
            rule.apply(request, response)
        return response

    async def _right_answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(405)
        if request.path in self._files:
            try:
                body, kind = self._files[request.path]()
            except FileNotFoundError:
                return Response(404)
            response = Response(200, {"Content-Type": kind, "Accept-Ranges": "bytes"}, body)
        elif (live := _LIVE.fullmatch(request.path)) and live[1] in self.channels:
            response = await self.channels[live[1]].answer(request, live[2])
        else:
            return Response(404)
        if "Accept-Ranges" in response.headers:
            apply_range(request, response)
        return response
