"""The API over real HTTP, as the daemon runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx
import pytest
from tests.served import PASSWORD, listening_server, open_served

from ouzel.api.page import setup_link
from ouzel.model.happening import Happening

pytestmark = pytest.mark.anyio


async def test_from_the_first_start_to_the_last_event(tmp_path: Path) -> None:
    async with (
        open_served(tmp_path, empty=True) as served,
        listening_server(served.app) as address,
        httpx.AsyncClient(base_url=address, headers={"sec-fetch-site": "same-origin"}) as browser,
    ):
        link = setup_link(address, await served.services.auth.setup_token() or "")
        page = await browser.get(link, headers={"accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")

        body = {"token": link.partition("#")[2], "name": "root", "password": PASSWORD}
        assert (await browser.post("/api/auth/setup", json=body)).status_code == 201
        assert (await browser.get("/api/users")).json()["items"][0]["name"] == "root"
        async with browser.stream("GET", "/api/events?after=0") as answer:
            lines = answer.aiter_lines()
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert [line async for line in _first(lines, 3)] == ["retry: 3000", "event: ready", "id: 0"]
            async with served.services.db.transaction() as tx:
                tx.emit(Happening("layer.changed", "global"))
            events = [line async for line in _first(lines, 10) if line.startswith("event:")]
            assert events == ["event: user.changed", "event: layer.changed"]
            served.services.events.close()
            assert [line async for line in lines if line] == []


async def test_head_of_an_event_stream_listens_to_nothing(tmp_path: Path) -> None:
    async with (
        open_served(tmp_path) as served,
        listening_server(served.app) as address,
        httpx.AsyncClient(base_url=address, headers=served.local()) as client,
    ):
        assert (await client.head("/api/events")).status_code == 200
        with anyio.fail_after(10):
            while served.services.events.listeners:
                await anyio.lowlevel.checkpoint()


async def test_long_lists_are_compressed_and_event_streams_are_not(tmp_path: Path) -> None:
    async with (
        open_served(tmp_path) as served,
        listening_server(served.app) as address,
        httpx.AsyncClient(base_url=address, headers=served.local()) as client,
    ):
        listed = await client.get("/api/openapi.json")
        assert listed.headers["content-encoding"] == "gzip"
        known = await client.get("/api/openapi.json", headers={"if-none-match": listed.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")
        served.services.events.close()
        assert "content-encoding" not in (await client.get("/api/events")).headers


async def test_who_goes_away_leaves_nothing_running(tmp_path: Path) -> None:
    async with (
        open_served(tmp_path) as served,
        listening_server(served.app) as address,
        httpx.AsyncClient(base_url=address, headers=served.local()) as client,
    ):
        async with client.stream("GET", "/api/events") as answer:
            await anext(answer.aiter_raw())
            assert served.services.events.listeners == 1
        with anyio.fail_after(10):
            while served.services.events.listeners:
                await anyio.lowlevel.checkpoint()


async def _first(lines: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    for _ in range(count):
        yield await anext(lines)
