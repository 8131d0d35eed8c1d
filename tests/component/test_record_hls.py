"""HLS with everything that a playlist may say, and everything that may go wrong with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.model.stream import Stream
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Aes, Hls, LiveOrigin
from ouzel.testing.origin.channel import Channel
from ouzel.testing.resolver import FakeResolver

if TYPE_CHECKING:
    from conftest import Kept, Studio

pytestmark = pytest.mark.anyio
SPEED = 8.0
WINDOW = 16
"""Segments of one second; the playlist is read once a second of ours, which is eight of the show's."""


def whole(kept: Kept, *, without: tuple[int, ...] = ()) -> bool:
    """Every group from the first to the last exactly once, but for those that had to be lost."""
    numbers = kept.numbers
    return numbers == [n for n in range(numbers[0], numbers[-1] + 1) if n not in without]


FLAVOURS = {
    "ts": Hls(),
    "mp4": Hls(container="mp4"),
    "ts-two-groups": Hls(gops_per_segment=2),
    "ts-aes": Hls(aes=Aes(explicit_iv=False)),
    "ts-aes-rotating": Hls(aes=Aes(rotate_every=2)),
    "ts-aes-data-key": Hls(aes=Aes(data_uri=True)),
    "ts-aes-some-clear": Hls(aes=Aes(clear=frozenset({7, 8}))),
    "mp4-aes": Hls(container="mp4", aes=Aes()),
    "mp4-aes-map": Hls(container="mp4", aes=Aes(encrypted_map=True)),
    "ts-byte-ranges": Hls(byte_ranges=True),
    "mp4-byte-ranges": Hls(container="mp4", byte_ranges=True),
    "define-value": Hls(define="value"),
    "define-import": Hls(define="import"),
    "define-query": Hls(define="query"),
    "low-latency": Hls(container="mp4", part_s=0.2),
    "no-date": Hls(program_date_time=False),
    "event": Hls(playlist_type="EVENT"),
    "absolute": Hls(uris="absolute", first_sequence=70_000),
}


@pytest.mark.parametrize("hls", FLAVOURS.values(), ids=FLAVOURS)
async def test_every_flavour_is_kept_whole(record: Studio, clip: Clip, hls: Hls) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=replace(hls, window=WINDOW), speed=SPEED, length_s=14)
        kept = await record(channel.url)
    assert kept.report.end_reason is EndReason.ENDED
    assert whole(kept)
    assert kept.gaps == []
    assert kept.numbers[-1] == 13
    assert kept.report.media_s == pytest.approx(len(kept.numbers), abs=0.05)
    assert kept.report.runs == 1


async def test_a_vod_is_a_stream_that_ends(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(playlist_type="VOD")).push(20).end()
        kept = await record(channel.url)
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.numbers == list(range(20))


async def test_from_start_takes_all_that_the_server_still_has(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=20), speed=SPEED, lead_s=15, length_s=22)
        kept = await record(channel.url, from_start=True)
        late = await record(channel.url, name="late")
    assert kept.numbers == list(range(22))
    assert late.numbers[-1] == 21


# ---- what goes wrong with segments

SEGMENT_FAULTS: dict[str, Callable[[LiveOrigin], object]] = {
    "reset": lambda o: o.on("seg8.ts").reset(after=3000, times=2),
    "status-500": lambda o: o.on("seg8.ts").status(500, times=2),
    "status-503": lambda o: o.on("seg*.ts").status(503, for_s=0.8),
    "status-404-once": lambda o: o.on("seg8.ts").status(404, times=1),
    "status-403-once": lambda o: o.on("seg8.ts").status(403, times=1),
    "status-429": lambda o: o.on("seg8.ts").status(429, retry_after=1, times=1),
    "stall": lambda o: o.on("seg8.ts").stall(after=2000, times=1),
    "shorter-than-announced": lambda o: o.on("seg8.ts").short(by=500, times=2),
    "cut-but-well-formed": lambda o: o.on("seg8.ts").cut(5640, times=1),
    "html": lambda o: o.on("seg8.ts").html(times=1),
    "redirect": lambda o: o.on("seg8.ts").redirect(f"{o.url}/live/show/seg8.ts?again", times=1),
    "empty": lambda o: o.on("seg8.ts").body(b"", times=1),
}


@pytest.mark.parametrize("fault", SEGMENT_FAULTS.values(), ids=SEGMENT_FAULTS)
async def test_a_segment_that_can_still_be_had_is_had(
    record: Studio, clip: Clip, fault: Callable[[LiveOrigin], object]
) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=WINDOW), speed=SPEED, length_s=16)
        fault(origin)
        kept = await record(channel.url, stall_s=0.4)
    assert whole(kept)
    assert kept.gaps == []
    assert kept.numbers[-1] == 15


LOST = {
    "gone": (lambda o: o.on("seg8.ts").status(404), "segment_gone"),
    "broken": (lambda o: o.on("seg8.ts").status(500), "segment_failed"),
    "a-page": (lambda o: o.on("seg8.ts").html(), "segment_bad"),
}


@pytest.mark.parametrize(("fault", "code"), LOST.values(), ids=LOST)
async def test_a_segment_that_cannot_be_had_is_a_gap_with_its_reason(
    record: Studio, clip: Clip, fault: Callable[[LiveOrigin], object], code: str
) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=12), speed=SPEED, length_s=16)
        fault(origin)
        kept = await record(channel.url)
    assert kept.gaps == [(code, 1.0)]
    (gap,) = kept.report.gaps
    assert (gap.first_sequence, gap.last_sequence) == (8, 8)
    assert whole(kept, without=(8,))
    (line,) = kept.book.gaps
    assert line.at_s == pytest.approx(kept.book.chunks[kept.numbers.index(9)].start_s)


async def test_a_segment_that_stays_short_is_kept_with_a_gap_for_the_rest(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(gops_per_segment=2, window=WINDOW), speed=SPEED, length_s=20)
        origin.on("seg5.ts").cut(188 * 120)
        kept = await record(channel.url)
    ((code, missing),) = kept.gaps
    assert code == "segment_short"
    assert 0.3 < missing < 2.0
    assert kept.report.media_s + missing == pytest.approx(20 - kept.numbers[0], abs=0.3)


async def test_a_crawling_answer_is_given_up_and_asked_again(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=30), speed=SPEED, length_s=14)
        origin.on("seg8.ts").crawl(1000, times=1)
        kept = await record(channel.url, low_speed_bps=4000, low_speed_s=0.8)
    assert whole(kept)
    assert origin.hits("seg8.ts") == 2


# ---- what goes wrong with playlists


async def play(
    record: Studio,
    clip: Clip,
    script: Callable[[LiveOrigin, Channel], Awaitable[None]],
    hls: Hls | None = None,
    **options: object,
) -> tuple[Kept, LiveOrigin]:
    """Record a show that is stepped by `script`, which ends it."""
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=hls or Hls(target_s=1)).push(5)

        async def run(_recorder: Recorder, _tape: Tape) -> None:
            await origin.wait_hits("seg4.ts")
            await script(origin, channel)

        kept = await record(channel.url, while_running=run, **options)
    return kept, origin


async def step(origin: LiveOrigin, channel: Channel, count: int = 1) -> None:
    """Publish segments one at a time, each when the one before it was asked for."""
    for _ in range(count):
        channel.push()
        await origin.wait_hits(f"seg{channel.segments - 1}.ts")


async def test_a_window_that_slid_past_is_a_gap_of_the_right_length(record: Studio, clip: Clip) -> None:
    async def script(origin: LiveOrigin, channel: Channel) -> None:
        channel.push(12)
        await step(origin, channel, 3)
        channel.end()

    kept, _ = await play(record, clip, script)
    (gap,) = kept.report.gaps
    assert gap.code == "window_slid"
    assert gap.missing_s == gap.last_sequence - gap.first_sequence + 1  # type: ignore[operator]
    lost = tuple(range(gap.first_sequence, gap.last_sequence + 1))  # type: ignore[operator,arg-type]
    assert whole(kept, without=lost)


async def test_a_playlist_that_steps_back_is_ignored(record: Studio, clip: Clip) -> None:
    async def script(origin: LiveOrigin, channel: Channel) -> None:
        await step(origin, channel, 2)
        channel.step_back(3, times=2)
        await step(origin, channel, 4)
        channel.end()

    kept, origin = await play(record, clip, script)
    assert whole(kept)
    assert kept.gaps == []
    assert all(origin.hits(f"seg{n}.ts") == 1 for n in kept.numbers)


async def test_a_sequence_that_begins_again_is_a_new_timeline_in_the_same_recording(record: Studio, clip: Clip) -> None:
    async def script(origin: LiveOrigin, channel: Channel) -> None:
        await step(origin, channel, 3)
        channel.restart_sequence(sequence=0)
        await step(origin, channel, 5)
        channel.end()

    kept, _ = await play(record, clip, script)
    assert whole(kept)
    assert kept.numbers[-1] == 12
    assert len(kept.report.files) == 1
    assert [code for code, _ in kept.gaps] in ([], ["timeline_reset"])


async def test_endlist_that_is_said_too_early_ends_nothing(record: Studio, clip: Clip) -> None:
    async def script(origin: LiveOrigin, channel: Channel) -> None:
        await step(origin, channel, 2)
        channel.early_endlist(times=1)
        await step(origin, channel, 6)
        channel.end()

    kept, _ = await play(record, clip, script)
    assert whole(kept)
    assert kept.numbers[-1] == 12


async def test_a_playlist_that_freezes_and_thaws_loses_what_slid_away_and_says_so(record: Studio, clip: Clip) -> None:
    async def script(origin: LiveOrigin, channel: Channel) -> None:
        await step(origin, channel, 2)
        channel.freeze()
        await anyio.sleep(2.2)
        channel.thaw()
        await step(origin, channel, 4)
        channel.end()

    kept, _ = await play(record, clip, script, park_s=8.0)
    assert whole(kept)
    assert kept.report.reconnects >= 1


async def test_a_playlist_that_is_frozen_for_good_is_parked_and_then_over(record: Studio, clip: Clip) -> None:
    async def script(origin: LiveOrigin, channel: Channel) -> None:
        await step(origin, channel, 2)
        channel.freeze()

    kept, _ = await play(record, clip, script)
    assert kept.report.end_reason is EndReason.GONE
    assert kept.gaps == []
    assert kept.numbers[-1] == 6


async def test_a_server_that_is_away_for_a_while_is_one_recording(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=10), speed=SPEED, length_s=60)
        origin.on("*").allow(times=20).status(503, for_s=2.5)
        kept = await record(channel.url, park_s=10.0)
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.gaps, "five segments fit into the window, more than that were on air"
    lost = sum(missing for _, missing in kept.gaps)
    assert len(kept.numbers) + lost == pytest.approx(kept.numbers[-1] - kept.numbers[0] + 1, abs=0.1)
    assert len(kept.report.files) == 1


async def test_a_listed_gap_is_not_asked_for(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=WINDOW), speed=SPEED, length_s=14)
        channel.gap(8, 9)
        kept = await record(channel.url)
        assert origin.hits("seg8.ts") == 0
    assert kept.gaps == [("listed_gap", 2.0)]
    assert whole(kept, without=(8, 9))


async def test_an_advertisement_is_a_gap_of_its_own(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=WINDOW), speed=SPEED, length_s=14)
        channel.advertise(7, 8, 9)
        tapes = list[Tape]()

        async def look(_recorder: Recorder, tape: Tape) -> None:
            tapes.append(tape)

        kept = await record(channel.url, while_running=look)
        assert origin.hits("seg8.ts") == 0
    assert tapes[0].counters.passed_over_s == pytest.approx(3.0)  # which is neither slow nor silent
    assert kept.gaps == [("advertisement", 3.0)]
    assert whole(kept, without=(7, 8, 9))


async def test_signed_addresses_that_run_out_are_renewed_and_nothing_is_lost(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=WINDOW), speed=SPEED, length_s=35).sign(ttl_s=1.2)

        class Page:
            asked = failures = 0

            async def resolve(self, *, failed: bool = False) -> Stream:
                self.asked += 1
                self.failures += failed
                return Stream(channel.fresh_url())

        page = Page()
        kept = await record(channel.fresh_url(), resolver=page)
    assert page.asked >= 3
    assert page.failures == 0  # each had brought media
    assert whole(kept)
    assert kept.gaps == []
    assert kept.report.end_reason is EndReason.ENDED
    assert len(kept.report.files) == 1


async def test_addresses_are_renewed_before_they_run_out_where_that_is_known(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=WINDOW), speed=SPEED, length_s=35).sign(ttl_s=2.5)

        class Page:
            async def resolve(self, *, failed: bool = False) -> Stream:
                return Stream(channel.fresh_url(), expires_at=datetime.now(UTC) + timedelta(seconds=2.5))

        kept = await record(channel.fresh_url(), resolver=Page())
    assert whole(kept)
    assert kept.report.reconnects == 0
    assert kept.report.end_reason is EndReason.ENDED


@pytest.mark.parametrize("life_s", [-60.0, 1.0])
async def test_a_platform_is_not_asked_again_and_again_for_an_address(
    record: Studio, clip: Clip, life_s: float
) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=WINDOW), speed=2.0, length_s=20)
        given = Stream(channel.url, expires_at=datetime.now(UTC) + timedelta(seconds=life_s))
        page = FakeResolver(lambda: given)
        kept = await record(channel.url, resolver=page)
    assert whole(kept)
    assert page.calls <= 2


# ---- changes of the show


@pytest.mark.parametrize("container", ["ts", "mp4"])
async def test_another_resolution_opens_another_file(
    record: Studio, clip: Clip, small_clip: Clip, container: str
) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(container=container, window=WINDOW), speed=SPEED, length_s=16)  # type: ignore[arg-type]
        channel.change_clip(small_clip, at=9)
        kept = await record(channel.url)
    assert len(kept.report.files) == 2
    assert whole(kept)
    assert kept.report.files[0].media_s + kept.report.files[1].media_s == pytest.approx(kept.report.media_s, abs=0.01)


@pytest.mark.parametrize("container", ["ts", "mp4"])
async def test_an_init_segment_that_moves_but_stays_the_same_changes_nothing(
    record: Studio, clip: Clip, container: str
) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(container=container, window=WINDOW), speed=SPEED, length_s=16)  # type: ignore[arg-type]
        channel.new_init(at=9)
        kept = await record(channel.url)
    assert len(kept.report.files) == 1
    assert whole(kept)


@pytest.mark.parametrize("container", ["ts", "mp4"])
@pytest.mark.parametrize("discontinuity", [True, False])
async def test_time_stamps_that_begin_anew_are_mended(
    record: Studio, clip: Clip, container: str, discontinuity: bool
) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(container=container, window=WINDOW), speed=SPEED, length_s=16)  # type: ignore[arg-type]
        channel.restart_stamps(at=9, discontinuity=discontinuity)
        kept = await record(channel.url)
    assert len(kept.report.files) == 1
    assert whole(kept)
    assert kept.report.media_s == pytest.approx(len(kept.numbers), abs=0.3)
    assert kept.told(EventCode.REPAIR)


async def test_files_are_split_at_segments_by_time_and_by_size(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=WINDOW), speed=SPEED, length_s=18)
        by_time = await record(channel.url, name="time", limits=TapeLimits(split_after_s=4))
        channel = origin.channel("show2", clip, hls=Hls(window=WINDOW), speed=SPEED, length_s=18)
        by_size = await record(channel.url, name="size", limits=TapeLimits(split_bytes=200_000))
    assert whole(by_time)
    assert [round(f.media_s) for f in by_time.report.files][:2] == [4, 4]
    assert whole(by_size)
    assert len(by_size.report.files) > 1
    assert all(f.bytes <= 200_000 for f in by_size.report.files)


@pytest.mark.parametrize(("container", "sound"), [("ts", "ts"), ("ts", "aac"), ("mp4", "mp4")])
async def test_alternate_sound_is_muxed_in(record: Studio, clip: Clip, container: str, sound: str) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(container=container, window=WINDOW), speed=SPEED, length_s=16)  # type: ignore[arg-type]
        channel.sound("en", sound)  # type: ignore[arg-type]
        kept = await record(channel.url)
    assert kept.report.end_reason is EndReason.ENDED
    assert len(kept.report.files) == 1
    (opened,) = kept.told(EventCode.FILE_OPENED)
    assert sorted(t["kind"] for t in opened["tracks"]) == ["audio", "video"]
    assert sum(c.frames for c in kept.book.chunks if c.scope == "all") == 25 * round(kept.report.media_s)
    assert kept.gaps == []
    from ouzel.engine.probe import probe

    found = await probe(kept.path, depth="decode")
    video, audio = sorted(found.streams, key=lambda s: s.kind, reverse=True)
    assert (video.kind, audio.kind) == ("video", "audio")
    assert found.duration_s == pytest.approx(kept.report.media_s, abs=0.2)


async def test_sound_alone_in_bare_frames_is_wrapped(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, hls=Hls(window=WINDOW), speed=SPEED, length_s=16)
        channel.sound("en", "aac")
        kept = await record(Stream(channel.url, quality="audio"))
    assert kept.path.suffix == ".ts"
    (opened,) = kept.told(EventCode.FILE_OPENED)
    assert [t["kind"] for t in opened["tracks"]] == ["audio"]
    assert kept.report.media_s == pytest.approx(len(kept.book.chunks), abs=0.1)
    assert kept.gaps == []
