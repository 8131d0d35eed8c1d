"""A recording that was broken off, and goes on in its next file: what is missing is a gap, and what is still there is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import pytest
from tests.component.conftest import Kept, Studio

from ouzel.engine.parts import Broken
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape
from ouzel.model.flow import EndReason
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin
from ouzel.testing.origin.channel import Channel

pytestmark = pytest.mark.anyio


def _rest_of(kept: Kept) -> Broken:
    last = kept.book.chunks[-1]
    return Broken(1, last.wall + timedelta(seconds=last.duration_s), last.sequence)


async def _until(tape: Tape, chunks: int) -> None:
    while tape.counters.chunks < chunks:  # noqa: ASYNC110 - plain numbers, which tell nobody
        await anyio.sleep(0.01)


async def _break_off(record: Studio, channel: Channel, chunks: int) -> Kept:
    async def stop(recorder: Recorder, tape: Tape) -> None:
        await _until(tape, chunks)
        recorder.stop()

    return await record(channel.url, name="show-1", from_start=True, while_running=stop)


async def test_hls_goes_on_with_the_next_segment_while_that_is_listed(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=8)).push(6)
        first = await _break_off(record, channel, 6)
        channel.push(5).end()
        rest = await record(channel.url, name="show-2", broken=_rest_of(first))
    assert [first.numbers, rest.numbers] == [[*range(6)], [*range(6, 11)]]
    assert (rest.gaps, rest.report.end_reason) == ([], EndReason.ENDED)
    assert rest.book.opening.part == 2


async def test_what_slid_away_meanwhile_is_a_gap(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=6)).push(6)
        first = await _break_off(record, channel, 6)
        channel.push(10).end()
        rest = await record(channel.url, name="show-2", broken=_rest_of(first))
    assert [first.numbers, rest.numbers] == [[*range(6)], [*range(10, 16)]]
    assert rest.gaps == [("recorder_stopped", 4.0)]
    (gap,) = rest.book.gaps
    assert (gap.at_s, gap.wall_start, gap.wall_end) == (0.0, _end_of(first), rest.book.chunks[0].wall)


async def test_a_numbering_that_began_again_is_not_taken_for_the_old_one(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=6)).push(12)
        far = Broken(3, datetime.now(UTC), 70_000)
        channel.end()
        rest = await record(channel.url, name="show-4", broken=far)
    assert rest.numbers[-1] == 11
    assert rest.book.opening.part == 4


async def test_a_split_that_somebody_asks_for_comes_at_the_next_edge(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=8)).push(5)

        async def split(_recorder: Recorder, tape: Tape) -> None:
            await _until(tape, 5)
            tape.split()
            channel.push(3).end()
            await anyio.sleep_forever()

        kept = await record(channel.url, name="show", from_start=True, while_running=split)
    assert [file.media_s for file in kept.report.files] == pytest.approx([6.0, 2.0], abs=0.05)
    assert (kept.numbers, kept.gaps) == ([*range(8)], [])


def _end_of(kept: Kept) -> datetime:
    last = kept.book.chunks[-1]
    return last.wall + timedelta(seconds=last.duration_s)


async def test_what_goes_on_waits_for_its_stream_as_after_a_drop(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip).push(3)
        first = await _break_off(record, channel, 3)
        origin.on("show.flv").status(404, times=6)  # an address that never brought anything is tried four times

        async def end(_: Recorder, tape: Tape) -> None:
            await origin.wait_hits("show.flv", 7)
            channel.push(2)
            await _until(tape, 2)
            channel.end()
            await anyio.sleep_forever()

        rest = await record(channel.flv_url, name="show-2", broken=_rest_of(first), while_running=end, park_s=1.0)
    assert rest.numbers[-1] == 4
    assert [code for code, _ in rest.gaps] == ["recorder_stopped"]
    assert rest.report.reconnects >= 6


async def test_what_goes_on_and_never_comes_is_gone(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip).push(3)
        first = await _break_off(record, channel, 3)
        origin.on("show.flv").status(404)
        rest = await record(channel.flv_url, name="show-2", broken=_rest_of(first), park_s=0.5)
    assert (rest.report.end_reason, rest.report.files) == (EndReason.GONE, ())
