"""The web server of the daemon: it rests while nobody asks, and ends at once when told."""

from __future__ import annotations

import socket

import anyio
import httpx
import pytest
from fastapi import FastAPI

from ouzel.daemon.server import WebServer

pytestmark = pytest.mark.anyio


async def test_it_answers_rests_and_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    stopping = False

    async def counted(seconds: float, result: object = None) -> object:  # of uvicorn's own loop
        if not stopping:
            pauses.append(seconds)
        await anyio.lowlevel.checkpoint()
        return result

    monkeypatch.setattr("uvicorn.server.asyncio.sleep", counted)
    app = FastAPI()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        web = WebServer(app, [listener])
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(web.run)
                async with httpx.AsyncClient() as client:
                    assert "date" in (await client.get(address)).headers
                assert pauses == []
                stopping = True
                web.stop()
