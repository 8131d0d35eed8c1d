"""Segments that come whole, and hold something else than was to be expected."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.request import urlopen

import anyio.to_thread
import pytest

from ouzel.formats.mpegts import scan
from ouzel.formats.mpegts.packets import SIZE, pid_of, starts_unit
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio
SEGMENTS = 6


async def served(url: str) -> bytes:
    return await anyio.to_thread.run_sync(lambda: urlopen(url).read())


def standing_still(segment: bytes, pictures: int) -> bytes:
    """A transport stream in which the picture does not change any more after so many, while its sound goes on."""
    (video,) = (report.pid for report in scan([segment]).media if report.kind == "video")
    out, seen = bytearray(), 0
    for at in range(0, len(segment), SIZE):
        if pid_of(segment, at) == video:
            seen += starts_unit(segment, at)
            if seen > pictures:
                continue
        out += segment[at : at + SIZE]
    return bytes(out)


async def test_a_picture_that_stands_still_is_not_missing(record: Studio, clip: Clip) -> None:
    hls = Hls(playlist_type="VOD", window=0, gops_per_segment=2)
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=hls).push(SEGMENTS).end()
        origin.on("seg3.ts").body(standing_still(await served(show.index_url.replace("index.m3u8", "seg3.ts")), 3))
        kept = await record(show.url)
        assert origin.hits("seg3.ts") == 2  # one is ours
    assert kept.gaps == []
    assert sum(c.frames for c in kept.book.chunks) == 25 * 2 * (SEGMENTS - 1) + 3
    assert kept.report.media_s == pytest.approx(2 * SEGMENTS, abs=0.05)
    assert kept.book.chunks[-1].end_s == pytest.approx(2 * SEGMENTS, abs=0.05)


async def test_a_segment_that_is_short_of_both_is_still_short(record: Studio, clip: Clip) -> None:
    hls = Hls(playlist_type="VOD", window=0, gops_per_segment=2)
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=hls).push(SEGMENTS).end()
        origin.on("seg3.ts").cut(188 * 120)
        kept = await record(show.url)
    assert [code for code, _ in kept.gaps] == ["segment_short"]
