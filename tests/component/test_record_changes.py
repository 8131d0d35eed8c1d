"""A resolver that gives a stream of another kind after a drop, as pages of platforms do: the show is recorded on from that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ouzel.model.stream import Stream
from ouzel.testing.clips import Clip
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import LiveOrigin
from ouzel.testing.resolver import FakeResolver

if TYPE_CHECKING:
    from conftest import Kept, Studio

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
