"""The web server, as a task among others: signals are not its business, and neither are sockets."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from socket import socket

import anyio
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ouzel.api.problems import MEDIA_TYPE, Problem

_CLOSING_S = 3
_HEAD_BYTES = 64 * 1024
"""Of a request, at most, but for what comes with the last read. Nobody has asked yet who it is."""
_TICK_S = 1.0
"""The `Date` of answers is to the second."""


class _Protocol(HttpToolsProtocol):
    """Refuses what is no HTTP as everything else is refused, and heads that do not end."""

    _in_head = False
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if self._in_head else 0
        if self._head_bytes > _HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"the head of this request is longer than {_HEAD_BYTES} bytes")

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        request_id = secrets.token_hex(8)
        doc = Problem.of(400, "malformed", msg, request_id).model_dump_json(exclude_none=True).encode()
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(doc)}\r\n"
            f"x-request-id: {request_id}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + doc)
        self.transport.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ended = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """They are obeyed by the daemon."""
        yield

    async def main_loop(self) -> None:
        """Until `should_exit`. Its own looks ten times a second: half of what an idle daemon would cost."""
        while not await self.on_tick(0):
            with anyio.move_on_after(_TICK_S):
                await self.ended.wait()


class WebServer:
    """Serves one app on sockets that listen already."""

    def __init__(self, app: FastAPI, sockets: Sequence[socket]) -> None:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", proxy_headers=False, server_header=False,
            timeout_graceful_shutdown=_CLOSING_S, ws="none", http=_Protocol,
        )  # fmt: skip
        self._server = _Server(config)
        self._sockets = [*sockets]

    async def run(self) -> None:
        """Until `stop`."""
        try:
            await self._server.serve(self._sockets)
        except asyncio.CancelledError:
            self._server.force_exit = True
            raise

    def stop(self) -> None:
        """Finish what is being answered, for a few seconds at most."""
        self._server.should_exit = True
        self._server.ended.set()
