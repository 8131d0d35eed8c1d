"""Files in MP4 over HTTP that Ouzel does not read itself: where the index stands, and what the server gives of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.testing.clips import Clip, build_once, run_ffmpeg
from ouzel.testing.clock import SystemClock
from ouzel.testing.origin.server import HttpServer, Request, Response, apply_range

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def film(clip: Clip, clip_folder: Path) -> bytes:
    """A plain MP4 as muxers leave it: the index behind the media."""

    def build(folder: Path) -> None:
        run_ffmpeg(clip.ffmpeg, ["-i", str(clip.file(".mp4")), "-c", "copy", str(folder / "film.mp4")])

    data = (build_once(clip_folder / "index-at-end", build) / "film.mp4").read_bytes()
    assert data.index(b"mdat") < data.index(b"moov")
    return data


@dataclass
class Shelf:
    """A server with one file."""

    data: bytes
    ranges: bool
    """Whether parts of it are sent to those who ask."""
    says: str | None
    """Its Accept-Ranges."""
    url: str = ""
    asked: list[str] = field(default_factory=list[str])
    """The range of each request; empty where there was none."""

    async def answer(self, request: Request) -> Response:
        self.asked.append(request.headers.get("range", ""))
        response = Response(200, {"Content-Type": "video/mp4"}, self.data)
        if self.says is not None:
            response.headers["Accept-Ranges"] = self.says
        if self.ranges:
            apply_range(request, response)
        return response


@asynccontextmanager
async def shelf(data: bytes, *, ranges: bool, says: str | None) -> AsyncGenerator[Shelf]:
    here = Shelf(data, ranges, says)
    server = HttpServer(here.answer, clock=SystemClock())
    async with anyio.create_task_group() as tasks:
        await server.start(tasks)
        here.url = f"http://127.0.0.1:{server.port}/film.mp4"
        try:
            yield here
        finally:
            tasks.cancel_scope.cancel()
            await server.stop()


@pytest.mark.parametrize("says", [None, "none"])
async def test_an_index_at_the_end_of_a_file_that_is_only_sent_whole_is_told_as_such(
    record: Studio, film: bytes, says: str | None
) -> None:
    async with shelf(film, ranges=False, says=says) as here:
        kept = await record(here.url)
        assert here.asked == (["", "bytes=0-0"] if says is None else [""]), "once for all, and not by ffmpeg"
    assert kept.report.end_reason is EndReason.NEVER_STARTED
    assert kept.told(EventCode.RECONNECTING) == []
    assert kept.report.error is not None
    code, message = kept.report.error
    assert code == "index_at_end"
    for words in ("index (moov) of this MP4 stands behind its media", "no byte ranges", "`ouzel remux`"):
        assert words in message
    assert not list(kept.folder.glob("*"))


@pytest.mark.parametrize("says", [None, "bytes"])
async def test_an_index_at_the_end_is_fetched_from_there(
    record: Studio, film: bytes, clip: Clip, says: str | None
) -> None:
    async with shelf(film, ranges=True, says=says) as here:
        kept = await record(here.url)
        assert ("bytes=0-0" in here.asked) is (says is None)
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.report.media_s == pytest.approx(clip.seconds, abs=0.05)
