"""HTTP-FLV and other streams that are one long answer, with what goes wrong on them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.system.clock import SystemClock
from ouzel.testing.clips import Clip
from ouzel.testing.origin import LiveOrigin

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio
SPEED = 8.0


def rising(numbers: list[int]) -> bool:
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_reset_inside_a_tag_loses_nothing_when_the_server_still_has_the_group(
    record: Studio, clip: Clip
) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=2.0)
        channel.flv.gop_cache = 2  # a second: time to come back on a busy machine
        origin.on("show.flv").reset(after=150_000, times=2)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=14))
    assert kept.report.end_reason is EndReason.DURATION
    assert rising(kept.numbers)
    assert kept.gaps == []
    assert kept.report.runs == 3
    assert kept.report.media_s == pytest.approx(14, abs=0.2)


async def test_a_break_that_lasts_is_a_gap_of_the_right_length(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        origin.on("show.flv").reset(after=120_000, times=1).status(503, for_s=1.0)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=14))
    ((code, missing),) = kept.gaps
    assert code == "connection_lost"
    lost = [n for n in range(kept.numbers[0], kept.numbers[-1]) if n not in kept.numbers]
    assert lost, "the break was long enough to lose whole groups"
    assert missing == pytest.approx(len(lost), abs=1.1)  # besides, the group that was cut
    assert len(set(kept.numbers)) == len(kept.numbers)


async def test_a_server_that_closes_cleanly_and_comes_back_is_one_recording(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        channel.flv.gop_cache = 1
        channel.flv.chunked = True
        origin.on("show.flv").cut(150_000, times=1)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=10))
    assert rising(kept.numbers)
    assert len(kept.report.files) == 1


async def test_a_stream_that_ends_is_parked_and_then_over(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED, length_s=8)
        kept = await record(channel.flv_url)
    assert kept.report.end_reason is EndReason.GONE
    assert kept.gaps == []
    assert kept.report.files[0].media_s == kept.report.media_s
    assert kept.numbers[-1] == 7


async def test_a_clock_that_jumps_either_way_is_mended_and_told(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        channel.jump_stamps(40.0, at=9).jump_stamps(-30.0, at=12)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=10))
    assert rising(kept.numbers)
    assert kept.report.media_s == pytest.approx(10, abs=0.3)
    assert [r["what"] for r in kept.told(EventCode.REPAIR)].count("jump") == 2
    assert len(kept.report.files) == 1


async def test_a_stuck_server_is_left_and_its_repeats_are_not_written(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        channel.flv_faults.repeat(3, at=9)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=10))
    assert rising(kept.numbers)
    assert kept.report.replays_dropped == 3


async def test_a_source_that_was_away_while_the_connection_stood_leaves_a_gap(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=1)
        away = range(channel.show.groups + 2, channel.show.groups + 5)
        channel.flv_faults.away(len(away), at=away[0])
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=4), stall_s=20.0)
    ((code, missing),) = kept.gaps
    assert code == "upstream_jump"
    assert missing == pytest.approx(len(away), abs=0.6)
    assert kept.numbers == [n for n in range(kept.numbers[0], kept.numbers[-1] + 1) if n not in away]
    assert kept.report.runs == 1


async def test_garbage_between_tags_costs_only_itself(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        channel.flv_faults.garbage(at=9)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=8))
    assert rising(kept.numbers)
    assert sum(c.frames for c in kept.book.chunks) == pytest.approx(25 * len(kept.numbers), abs=2)


async def test_a_tag_of_absurd_size_is_survived(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        channel.flv_faults.oversized_tag(at=9)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=8))
    assert kept.report.media_s == pytest.approx(8, abs=1.1)
    assert kept.numbers == sorted(set(kept.numbers))
    missed = [n for n in range(kept.numbers[0], kept.numbers[-1]) if n not in kept.numbers]
    assert missed == [*range(9, 9 + len(missed))], "the group that it is in, and what was on air until we were back"
    assert sum(missing for _, missing in kept.gaps) == pytest.approx(len(missed), abs=1.1)


async def test_another_codec_opens_another_file(record: Studio, clip: Clip, small_clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        channel.change_clip(small_clip, at=9)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=10))
    assert [Path(f.path).name for f in kept.report.files] == ["show.flv", "show-002.flv"]
    assert rising(kept.numbers)
    widths = [t["width"] for e in kept.told(EventCode.FILE_OPENED) for t in e["tracks"] if t["kind"] == "video"]
    assert widths == [320, 160]


async def test_a_stream_without_key_frames_is_kept_and_cut(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        channel.flv_faults.hide_keys(30, at=8)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=18))
    assert kept.report.media_s >= 18
    assert max(c.duration_s for c in kept.book.chunks) <= 10.2
    assert rising(kept.numbers)


async def test_an_answer_that_stalls_is_left_and_taken_up_again(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        channel.flv.gop_cache = 12
        origin.on("show.flv").stall(after=100_000, times=1)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=16), stall_s=0.4)
    assert "stalled" in [e["code"] for e in kept.told(EventCode.RECONNECTING)]
    assert rising(kept.numbers)
    assert kept.gaps == []


async def test_files_are_split_at_key_frames_and_nothing_is_lost_between_them(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=12, split_after_s=4))
    assert [f.media_s for f in kept.report.files] == pytest.approx([4, 4, 4], abs=0.1)
    assert rising(kept.numbers)


async def test_a_continuous_ts_is_cut_at_key_frames_and_goes_on_after_a_break(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        channel.flv.gop_cache = 2
        origin.on("show.ts").reset(after=150_000, times=2)
        kept = await record(channel.ts_url, limits=TapeLimits(duration_s=14))
    assert kept.report.runs == 3
    assert kept.report.media_s == pytest.approx(14, abs=0.2)
    assert rising(kept.numbers)
    assert kept.gaps == []
    assert kept.report.replays_dropped > 0
    assert all(c.independent and not c.damage for c in kept.book.chunks)


async def test_a_continuous_ts_that_does_not_come_again_keeps_what_it_has(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        origin.on("show.ts").reset(after=150_000, times=1).status(503, for_s=1.0)
        kept = await record(channel.ts_url, limits=TapeLimits(duration_s=12))
    assert [code for code, _ in kept.gaps] == ["connection_lost"]
    assert kept.numbers == sorted(set(kept.numbers))
    assert kept.report.media_s == pytest.approx(12, abs=2)


async def test_a_clock_that_is_set_by_an_hour_changes_nothing_but_is_noted(record: Studio, clip: Clip) -> None:
    class JumpingClock(SystemClock):
        ahead = timedelta(0)

        def now(self):
            return super().now() + self.ahead

    clock = JumpingClock()

    async def set_it(_recorder: Recorder, tape: Tape) -> None:
        with anyio.fail_after(20):
            while tape.counters.chunks < 3:  # noqa: ASYNC110 - nothing announces a chunk
                await anyio.sleep(0.01)
        clock.ahead = timedelta(hours=1)

    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        kept = await record(channel.flv_url, limits=TapeLimits(duration_s=10), clock=clock, while_running=set_it)
    assert rising(kept.numbers)
    assert kept.gaps == []
    assert [round(e["by_s"]) for e in kept.told(EventCode.CLOCK_SET)] == [3600]


async def test_a_file_that_is_served_whole_is_a_stream_that_ends(record: Studio, clip: Clip, tmp_path: Path) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=SPEED)
        first = await record(channel.flv_url, limits=TapeLimits(duration_s=6), name="first")
        url = origin.file("copy.flv", first.path)
        kept = await record(url, name="second")
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.numbers == first.numbers
    assert kept.report.media_s == pytest.approx(first.report.media_s, abs=0.05)
