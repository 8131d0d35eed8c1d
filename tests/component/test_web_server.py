"""The web server of the daemon: it rests while nobody asks, and ends at once when told."""

from __future__ import annotations

import json
import socket
from contextlib import suppress

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


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (b"what is this?\r\n\r\n", "Invalid HTTP"),
        (b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n", "Invalid HTTP"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: foo\r\n\r\n", "Invalid HTTP"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: ".ljust(65_537, b"a"), "longer than 65536 bytes"),
    ],
)
async def test_what_is_no_request_is_refused_as_all_else_is(asked: bytes, told: str) -> None:
    answer = b""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        web = WebServer(FastAPI(), [listener])
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(web.run)
                async with await anyio.connect_tcp("127.0.0.1", listener.getsockname()[1]) as stream:
                    await stream.send(asked)
                    with suppress(anyio.EndOfStream):
                        while True:
                            answer += await stream.receive()
                web.stop()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    doc = json.loads(body)
    assert (doc["status"], doc["code"]) == (400, "malformed")
    assert told in doc["detail"]
    assert f"x-request-id: {doc['request_id']}".encode() in head
