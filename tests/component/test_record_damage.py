"""What comes damaged is kept, counted, and told: in the report, by the exit code, of the file and of what is made of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from ouzel.cli.reports import end_code
from ouzel.engine.finish import FormatWish
from ouzel.engine.verify import verify
from ouzel.model.verdict import FindingCode
from ouzel.testing.clips import Clip
from ouzel.testing.clock import SystemClock
from ouzel.testing.origin.server import HttpServer, Request, Response

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(data: bytes) -> AsyncGenerator[str]:
    async def answer(_request: Request) -> Response:
        return Response(200, {"Content-Type": "video/mp2t"}, data)

    server = HttpServer(answer, clock=SystemClock())
    async with anyio.create_task_group() as tasks:
        await server.start(tasks)
        try:
            yield f"http://127.0.0.1:{server.port}/show.ts"
        finally:
            tasks.cancel_scope.cancel()
            await server.stop()


@pytest.mark.parametrize("container", ["ts", "mp4"])
async def test_packets_that_the_server_lost(record: Studio, clip: Clip, container: str) -> None:
    whole = clip.file(".ts").read_bytes()
    middle = len(whole) // 2 // 188 * 188
    async with serving(whole[:middle] + whole[middle + 60 * 188 :]) as url:
        kept = await record(url, wish=FormatWish(container))
    (file,) = kept.report.files
    told = [chunk.damage for chunk in kept.book.chunks if chunk.damage]
    assert "continuity" in told
    assert (file.format, file.damaged_chunks, kept.report.damaged_chunks) == (container, len(told), len(told))
    assert end_code([kept.report]) == 3
    verdict = await verify(kept.path)
    assert (verdict.status, [f.code for f in verdict.findings]) == ("gaps", [FindingCode.NOTED_DAMAGE] * len(told))
