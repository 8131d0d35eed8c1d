"""A server of files that lie still: playlists that are over, segments, keys, plain files. Each can go wrong.

    async with VodServer({"/a.m3u8": playlist, "/0.ts": segment}) as vod:
        vod.faults["/0.ts"] = Faults(answers=[404, 404], reset_at=1000)
        ... vod.url("/a.m3u8") ...
        assert vod.asked["/0.ts"] == 4

What is counted is counted by path, without the query.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import anyio

from ouzel.testing.clock import SystemClock
from ouzel.testing.origin.server import (
    Buffer,
    Delivery,
    Hold,
    HttpServer,
    Request,
    Response,
    Stream,
    apply_range,
)

_TYPES = {"m3u8": "application/vnd.apple.mpegurl", "html": "text/html"}
_CHUNK = 64 * 1024


@dataclass(slots=True)
class Faults:
    """What goes wrong with one path. Whatever is not set is as it should be."""

    answers: list[int] = field(default_factory=list[int])
    """Statuses of the next answers, one each, before the file is served."""
    retry_after_s: int | None = None
    """With 429 and 503 among `answers`."""
    token: str | None = None
    """403 to whoever does not bring it as `?token=`."""
    resets: int = 0
    """So many answers break off with a reset after `reset_at` bytes of their body."""
    reset_at: int = 0
    chunked: bool = False
    """No Content-Length, and no ranges."""
    unmeasured: bool = False
    """No Content-Length of the whole; ranges are given, and tell it."""
    modified: str = ""
    """Last-Modified."""
    gzip: bool = False
    """Packed, and nobody says so."""
    front: bytes = b""
    """Stands before the file, in its body."""
    no_ranges: bool = False
    """200 with all of it, whatever was asked for."""
    page: str | None = None
    """Status 200, and this text instead of the file."""
    longer: int = 0
    """Content-Length is so much more than what comes before the connection ends."""
    slow_bps: float | None = None
    slow: int | None = None
    """So many answers are slow; None: all."""
    hold: Hold | None = None
    """Answers wait here before their first byte."""


class VodServer:
    """On a free port of 127.0.0.1 while it is entered; `port` gives one.

    Args:
        files: by path, with its slash. May be changed at any time.
        most: 429 to whoever asks while so many others are served; None: no limit.
    """

    def __init__(self, files: Mapping[str, bytes], *, most: int | None = None, port: int = 0) -> None:
        self.files = dict(files)
        self.most = most
        self.retry_after_s: int | None = None
        """Goes with the 429 of `most`."""
        self.token_uses: int | None = None
        """Each `?token=` is good for so many answers, and then for 403; None: for ever."""
        self.faults: dict[str, Faults] = {}
        self.requests: list[Request] = []
        self.asked: Counter[str] = Counter()
        self.watch: Callable[[], None] = lambda: None
        """Called before each piece of a body goes out."""
        self.total = 0
        """Bytes of all bodies."""
        self.at_once = 0
        self.most_at_once = 0
        self._tokens: Counter[str] = Counter()
        self._server = HttpServer(self._answer, clock=SystemClock(), port=port)
        self._stack = AsyncExitStack()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.port}{path}"

    def sent(self, path: str) -> int:
        """Bytes of bodies that went out."""
        return sum(each.sent for each in self.requests if each.path == path)

    def forget(self) -> None:
        """Count from here."""
        self.requests.clear()
        self.asked.clear()
        self.most_at_once = self.total = 0

    async def __aenter__(self) -> Self:
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        await self._server.start(tasks)
        self._stack.push_async_callback(self._server.stop)
        self._stack.callback(tasks.cancel_scope.cancel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def _answer(self, request: Request) -> Response:
        self.requests.append(request)
        self.asked[request.path] += 1
        if self.most is not None and self.at_once >= self.most:
            return _refusal(429, self.retry_after_s)
        body, faults = self.files.get(request.path), self.faults.get(request.path, Faults())
        if faults.answers:
            return _refusal(faults.answers.pop(0), faults.retry_after_s)
        if faults.token is not None and request.query.get("token") != faults.token:
            return _refusal(403, None)
        if self.token_uses is not None and (token := request.query.get("token")) is not None:
            self._tokens[token] += 1
            if self._tokens[token] > self.token_uses:
                return _refusal(403, None)
        if body is None:
            return _refusal(404, None)
        response = self._serve(request, body, faults)
        assert not isinstance(response.body, AsyncGenerator)
        response.delivery = _delivery(faults, len(response.body))
        response.body = self._counted(response.body)
        return response

    def _serve(self, request: Request, body: bytes, faults: Faults) -> Response:
        if faults.page is not None:
            return _with_length(faults.page.encode(), {"Content-Type": "text/html"})
        kind = _TYPES.get(request.path.rpartition(".")[2], "application/octet-stream")
        if faults.gzip:
            body = gzip.compress(body, 1, mtime=0)
        response = Response(headers={"Content-Type": kind}, body=faults.front + body)
        if faults.modified:
            response.headers["Last-Modified"] = faults.modified
        if faults.chunked or (faults.unmeasured and "range" not in request.headers):
            return response
        if not faults.no_ranges:
            apply_range(request, response)
        assert not isinstance(response.body, AsyncGenerator)
        response.headers["Content-Length"] = str(len(response.body) + faults.longer)
        return response

    async def _counted(self, body: Buffer) -> Stream:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for start in range(0, len(body), _CHUNK):
                self.watch()
                piece = memoryview(body)[start : start + _CHUNK]
                self.total += len(piece)
                yield piece
        finally:
            self.at_once -= 1


def _with_length(body: bytes, headers: dict[str, str]) -> Response:
    return Response(headers={**headers, "Content-Length": str(len(body))}, body=body)


def _refusal(status: int, retry_after_s: int | None) -> Response:
    more = {"Retry-After": str(retry_after_s)} if retry_after_s is not None and status in {429, 503} else {}
    return Response(status, more)


def _delivery(faults: Faults, size: int) -> Delivery:
    delivery = Delivery(hold_head=faults.hold, stop_at=size if faults.longer else None)
    if faults.resets:
        faults.resets -= 1
        delivery.reset_at = faults.reset_at
    if faults.slow_bps is not None and faults.slow != 0:
        faults.slow = None if faults.slow is None else faults.slow - 1
        delivery.bytes_per_s = faults.slow_bps
    return delivery
