"""Segments that come whole, and hold something else than was to be expected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.request import urlopen

import anyio.to_thread
import pytest

from ouzel.engine.verify import verify
from ouzel.formats.mpegts import scan
from ouzel.formats.mpegts.packets import SIZE, pid_of, starts_unit
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Aes, Hls, LiveOrigin

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


@pytest.mark.parametrize("hls", [Hls(), Hls(container="mp4"), Hls(aes=Aes())], ids=["ts", "mp4", "aes"])
async def test_the_segment_before_under_a_new_number_is_not_kept_twice(record: Studio, clip: Clip, hls: Hls) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=replace(hls, playlist_type="VOD", window=0)).push(SEGMENTS).end()
        suffix = "m4s" if hls.container == "mp4" else "ts"
        before = await served(show.index_url.replace("index.m3u8", f"seg3.{suffix}"))
        origin.on(f"seg4.{suffix}").body(before)
        kept = await record(show.url)
        assert origin.hits(f"seg4.{suffix}") > 1
    ((code, missing),) = kept.gaps
    assert (code, missing) == ("segment_bad", 1.0)
    assert "once more" in kept.report.gaps[0].why
    assert (kept.report.gaps[0].first_sequence, kept.report.gaps[0].at_s) == (4, pytest.approx(4.0, abs=0.01))
    assert kept.numbers == [0, 1, 2, 3, 5]
    assert kept.report.media_s == pytest.approx(SEGMENTS - 1, abs=0.05)


async def test_the_next_attempt_may_bring_the_right_segment(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(playlist_type="VOD", window=0)).push(SEGMENTS).end()
        before = await served(show.index_url.replace("index.m3u8", "seg3.ts"))
        origin.on("seg4.ts").body(before, times=1)
        kept = await record(show.url)
    assert kept.gaps == []
    assert kept.numbers == list(range(SEGMENTS))


@pytest.mark.parametrize(("container", "suffix"), [("ts", "ts"), ("mp4", "m4s")])
async def test_sound_that_comes_twice_is_not_kept_twice(
    record: Studio, clip: Clip, container: str, suffix: str
) -> None:
    hls = Hls(container, playlist_type="VOD", window=0)  # type: ignore[arg-type]
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=hls).sound("en").push(SEGMENTS).end()
        before = await served(show.index_url.replace("index.m3u8", f"en/seg3.{suffix}"))
        origin.on(f"en/seg4.{suffix}").body(before)
        kept = await record(show.url)
    (gap,) = kept.report.gaps
    assert (gap.code.value, gap.scope, gap.first_sequence) == ("segment_bad", "audio", 4)
    assert gap.at_s == pytest.approx(4.0, abs=0.1)
    assert "sequence_hole" not in {finding.code.value for finding in (await verify(kept.path)).findings}
    assert sum(c.frames for c in kept.book.chunks if c.scope == "all") == 25 * SEGMENTS
