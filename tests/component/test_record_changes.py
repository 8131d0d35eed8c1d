"""A resolver that gives a stream of another kind after a drop, as pages of platforms do: the show is recorded on from that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from ouzel.base.errors import Blocked
from ouzel.model.events import EventCode
from ouzel.model.stream import Stream
from ouzel.testing.clips import Clip
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import LiveOrigin
from ouzel.testing.resolver import FakeResolver

if TYPE_CHECKING:
    from conftest import Kept, Studio
    from ouzel.engine.recorder import Recorder
    from ouzel.engine.tape import Tape

pytestmark = pytest.mark.anyio


def numbers(kept: Kept) -> list[list[int]]:
    """Of the groups of pictures, file by file."""
    paths = [Path(file.path) for file in kept.report.files]
    return [[n for _, n in read_markers(path.read_bytes(), path.suffix.lstrip("."))] for path in paths]  # type: ignore[arg-type]


async def test_http_flv_where_hls_is_not_there(record: Studio, clip: Clip) -> None:
    """It is not read as the playlist that it is not, which would go on for as long as the show does."""
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=4, length_s=16)
        origin.on("index.m3u8").status(503)
        resolver = FakeResolver(lambda: Stream(show.flv_url, protocol="flv"))
        resolver.then(Stream(show.url, protocol="hls"))
        kept = await record(show.flv_url, resolver=resolver)
    assert [Path(file.path).suffix for file in kept.report.files] == [".flv"]
    assert numbers(kept)[0][-1] == 15


async def test_what_is_called_hls_and_is_a_stream_without_end(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=4, length_s=40)
        resolver = FakeResolver(lambda: Stream(show.flv_url, protocol="flv"))
        resolver.then(Stream(show.flv_url, protocol="hls"))
        kept = await record(show.flv_url, resolver=resolver, playlist_s=1.0)
    assert kept.told(EventCode.RECONNECTING)[0]["code"] == "stalled"
    assert numbers(kept)[0][-1] == 39


async def test_from_one_to_the_other_and_back(record: Studio, clip: Clip) -> None:
    """Each has files of its own; what was on air between HLS, which is behind, and HTTP-FLV is a gap."""
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=2, length_s=24)
        origin.on("show.flv").reset(after=120_000, times=1)
        origin.on("index.m3u8").allow(times=4).status(410)
        flv = Stream(show.flv_url, protocol="flv")
        kept = await record(
            show.flv_url, resolver=FakeResolver(lambda: flv).then(flv, Stream(show.url, protocol="hls"))
        )
    assert [Path(file.path).suffix for file in kept.report.files] == [".flv", ".ts", ".flv"]
    first, second, third = numbers(kept)
    for each in (first, second, third):
        assert each == list(range(each[0], each[0] + len(each)))
    assert second[0] <= first[-1] + 1
    assert kept.gaps[-1] == ("connection_lost", third[0] - second[-1] - 1)
    assert third[-1] == 23


async def test_stopped_while_a_fresh_address_is_asked_for(record: Studio, clip: Clip) -> None:
    """What went by meanwhile is missing, and told."""
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=1)
        first, asked = Stream(show.url, protocol="hls"), anyio.Event()

        class Silent:
            async def resolve(self, *, failed: bool = False) -> Stream | None:
                if origin.hits("index.m3u8"):
                    asked.set()
                    await anyio.sleep_forever()
                return first

        async def stop(recorder: Recorder, _tape: Tape) -> None:
            await origin.wait_hits("seg8.ts")
            origin.on("index.m3u8").status(404)
            await asked.wait()
            await anyio.sleep(2)
            recorder.stop()

        kept = await record(show.url, resolver=Silent(), while_running=stop)
    ((code, missing_s),) = kept.gaps
    assert code == "connection_lost"
    assert missing_s >= 2


async def test_a_platform_that_blocks_is_not_asked_at_once_again(record: Studio, clip: Clip) -> None:
    resolver = FakeResolver(lambda: Stream("http://127.0.0.1:9/")).then(Blocked("a captcha"))
    kept = await record("http://127.0.0.1:9/", resolver=resolver)
    assert (resolver.calls, kept.report.error) == (1, ("blocked", "a captcha"))
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=4, length_s=16)
        origin.on("show.flv").reset(after=100_000, times=1)
        resolver = FakeResolver(lambda: Stream(show.flv_url)).then(Stream(show.flv_url), Blocked("a captcha"))
        kept = await record(show.flv_url, resolver=resolver, blocked_s=0.7)
    waits = {told["code"]: told["delay_s"] for told in kept.told(EventCode.RECONNECTING)}
    assert waits["blocked"] == 0.7
