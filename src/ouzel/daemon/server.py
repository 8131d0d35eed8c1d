"""The web server, as a task among others: signals are not its business, and neither are sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from socket import socket

import anyio
import uvicorn
from fastapi import FastAPI

_CLOSING_S = 3
_TICK_S = 1.0
"""The `Date` of answers is to the second."""


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
            timeout_graceful_shutdown=_CLOSING_S, ws="none", http="httptools",
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
