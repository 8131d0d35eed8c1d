"""The real daemon and pages of a platform: watched through the child that resolves, recorded while on air, told honestly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.e2e.test_record_page import DATA, PLAY, ROOM, with_media
from tests.e2e.test_serve import Served, serving

from ouzel.testing.clips import Clip
from ouzel.testing.origin import LiveOrigin
from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server, read_case

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PlatformServer]:
    async with platform_server(tmp_path) as server:
        server.passed_on.add("127.0.0.1")
        yield server


async def _shown(served: Served, name: str) -> dict[str, Any]:
    return (await served.ouzel("channels", "show", name))[-1]


async def _until(served: Served, name: str, state: str) -> dict[str, Any]:
    """Asked again until the channel is in that state."""
    with anyio.fail_after(60):
        while True:
            doc = await _shown(served, name)
            if doc["standing"]["state"] == state:
                return doc
            await served.ouzel("channels", "check", name)
            await anyio.sleep(0.5)


async def test_a_page_is_watched_recorded_and_told_off_air(server: PlatformServer, clip: Clip, tmp_path: Path) -> None:
    on_air = with_media("bilibili", "PlayInfo", PlannedAnswer("GET api.live.bilibili.com/*/getRoomPlayInfo", PLAY))
    off_air = read_case(DATA / "bilibili" / "own" / "offline.toml").answers
    variables = {"SSL_CERT_FILE": str(server.ca_file)}
    async with LiveOrigin() as origin, serving(tmp_path / "data", **variables) as served:
        show = origin.channel("show", clip, speed=1)
        server.names["MEDIA"] = show.url
        server.play(off_air)
        await served.ouzel("channels", "settings", "global", "--set", f"proxy={server.proxy}", "--set", "park_s=2")
        await served.ouzel("channels", "add", ROOM, "--name", "room")
        doc = await _until(served, "room", "offline")
        assert doc["standing"]["evidence"]

        server.play(on_air)
        doc = await _until(served, "room", "live")
        assert doc["identity"].startswith("bilibili:")
        with anyio.fail_after(60):
            while not any(each["bytes"] for each in await _recordings(served)):  # noqa: ASYNC110 - another process
                await anyio.sleep(0.5)

        server.play([PlannedAnswer("GET api.live.bilibili.com/*", "slow down", status=412, type="text/html")])
        doc = await _until(served, "room", "blocked")
        assert doc["standing"]["evidence"][0]["status"] == 412
        assert [each["state"] for each in await _recordings(served)] == ["recording"]  # an error ends nothing

        server.play(off_air)
        show.end()
        with anyio.fail_after(90):
            while [each["state"] for each in await _recordings(served)] != ["done"]:  # noqa: ASYNC110 - another process
                await anyio.sleep(0.5)
        assert await served.end() == 0
    (media,) = (tmp_path / "data" / "recordings").rglob("*.ts")
    assert media.parent.name == "room"


async def _recordings(served: Served) -> list[dict[str, Any]]:
    docs = await served.ouzel("recordings", "list")
    return [each for doc in docs for each in (doc.get("items") or [doc]) if "bytes" in each]
