"""A disk that fills up: recording pauses with one notice, goes on when there is room again, and says what it missed."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.command import is_run, left_in, numbers, ouzel, proven

from ouzel.cli.job import Options, read_job
from ouzel.cli.output import Output
from ouzel.cli.record import run_job
from ouzel.engine import watchdog
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.model.states import RecordingState
from ouzel.testing.clips import Clip
from ouzel.testing.disk import tiny_disk
from ouzel.testing.origin import Hls, LiveOrigin, OriginProcess
from ouzel.testing.origin.channel import Channel

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio
SPEED = 8.0
MISSED = 6
"""Groups of pictures that go by while the disk is full."""


def fill(disk: Path, *, leave: int) -> Path:
    """Another program's file: so many bytes of the disk are free beside it."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(3_000_000 - leave))
    return ballast


def full_for_a_while(disk: Path, channel: Channel) -> Callable[[Recorder, Tape], Awaitable[None]]:
    """Make room on the disk once the recording has paused and so much of the show went by."""

    async def watch(recorder: Recorder, _tape: Tape) -> None:
        await reached(lambda: recorder.state is RecordingState.PAUSED)
        now = channel.segments
        await reached(lambda: channel.segments >= now + MISSED)
        (disk / "ballast").unlink()

    return watch


async def reached(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110 - a state of ours that no event announces
            await anyio.sleep(0.01)


def lost(found: list[int]) -> int:
    return found[-1] - found[0] + 1 - len(found)


async def test_a_continuous_stream_pauses_and_goes_on_with_one_gap(record: Studio, clip: Clip) -> None:
    with tiny_disk(record.folder, megabytes=3) as disk:
        fill(disk, leave=700_000)
        async with LiveOrigin() as origin:
            show = origin.channel("show", clip, speed=SPEED)
            while_running = full_for_a_while(disk, show)
            kept = await record(show.flv_url, limits=TapeLimits(duration_s=26), while_running=while_running)
        proven(kept.path)
        found = numbers(kept.path)
    assert kept.report.end_reason is EndReason.DURATION
    assert [event["code"] for event in kept.told(EventCode.PAUSED)] == ["disk_full"]
    assert len(kept.told(EventCode.RESUMED)) == 1
    ((code, missing),) = kept.gaps
    assert code == "disk_full"
    assert lost(found) >= MISSED
    assert missing == pytest.approx(lost(found), abs=1.1)  # besides, the group that was cut
    assert found == sorted(set(found))


async def test_a_playlist_that_still_lists_everything_loses_nothing(record: Studio, clip: Clip) -> None:
    with tiny_disk(record.folder, megabytes=3) as disk:
        fill(disk, leave=700_000)
        async with LiveOrigin() as origin:
            show = origin.channel("show", clip, hls=Hls(window=60), speed=SPEED)
            while_running = full_for_a_while(disk, show)
            kept = await record(show.url, limits=TapeLimits(duration_s=22), while_running=while_running)
        proven(kept.path)
        found = numbers(kept.path)
    assert len(kept.told(EventCode.PAUSED)) == 1
    assert kept.gaps == []
    assert is_run(found)


async def test_of_a_playlist_only_what_slid_away_is_missing(record: Studio, clip: Clip) -> None:
    with tiny_disk(record.folder, megabytes=3) as disk:
        fill(disk, leave=700_000)
        async with LiveOrigin() as origin:
            show = origin.channel("show", clip, hls=Hls(window=20)).push(20)

            async def while_running(recorder: Recorder, tape: Tape) -> None:
                await reached(lambda: recorder.state is RecordingState.PAUSED)
                show.push(22)
                (disk / "ballast").unlink()
                await reached(lambda: tape.counters.gaps > 0)
                show.end()

            kept = await record(show.url, from_start=True, while_running=while_running)
        proven(kept.path)
        found = numbers(kept.path)
    (gap,) = kept.report.gaps
    before = next(number for number in range(20) if number not in found)
    assert gap.code.value == "disk_full"
    assert found == [*range(before), *range(22, 42)]
    assert (gap.first_sequence, gap.last_sequence, gap.missing_s) == (before, 21, 22 - before)


async def test_two_channels_on_one_disk_pause_with_one_notice_and_both_go_on(
    clip: Clip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []

    def told() -> str:
        said.append(capsys.readouterr().err)
        return "".join(said)

    with tiny_disk(tmp_path / "disk", megabytes=3) as disk:
        fill(disk, leave=900_000)
        async with LiveOrigin() as origin:
            shows = [origin.channel(name, clip, speed=SPEED) for name in ("one", "two")]
            job = read_job(words([show.flv_url for show in shows], output=f"{disk}/", duration="24s"))
            job = replace(job, policy=replace(job.policy, disk_probe_s=0.05))
            async with anyio.create_task_group() as tg:
                codes: list[int] = []

                async def run() -> None:
                    codes.append(await run_job(job, Output()))

                tg.start_soon(run)
                await reached(lambda: "paused" in told())
                now = shows[0].segments
                await reached(lambda: shows[0].segments >= now + MISSED)
                (disk / "ballast").unlink()
        for path in sorted(disk.glob("*.flv")):
            book = proven(path)
            assert book.media_s >= 24
            assert [gap.code.value for gap in book.gaps] == ["disk_full"]
            assert 0 < lost(numbers(path)) <= book.gaps[0].missing_s + 1.1
    assert codes == [3]
    assert told().count("paused: no space left") == 1
    assert told().count("going on") == 1


def words(urls: list[str], **more: str) -> Options:
    """What the command line says, most of it left out."""
    given = {
        "output": None, "template": "{name}", "format_": None, "keep_original": False, "quality": "best", "duration": None,
        "split_after": None, "split_size": None, "from_start": False, "headers": (),
        "wait": False, "min_free": "0", "park": "80s",
    }  # fmt: skip
    return Options(tuple(urls), **{**given, **more})  # type: ignore[arg-type]


async def test_a_floor_of_free_space_pauses_before_the_disk_is_full(
    record: Studio, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "_EVERY_S", 0.05)
    floor = 1_000_000
    with tiny_disk(record.folder, megabytes=3) as disk:
        fill(disk, leave=1_500_000)
        free: list[int] = []
        async with LiveOrigin() as origin:
            show = origin.channel("show", clip, speed=SPEED)

            async def while_running(recorder: Recorder, tape: Tape) -> None:
                await reached(lambda: recorder.state is RecordingState.PAUSED)
                free.append(free_bytes(disk))
                await full_for_a_while(disk, show)(recorder, tape)

            kept = await record(
                show.flv_url, limits=TapeLimits(duration_s=24), while_running=while_running, min_free_bytes=floor
            )
        proven(kept.path)
        assert numbers(kept.path) == sorted(set(numbers(kept.path)))
    assert floor / 2 < free[0] < floor
    assert [code for code, _ in kept.gaps] == ["disk_full"]


def free_bytes(folder: Path) -> int:
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


@pytest.mark.parametrize("kind", ["url", "flv_url"])
async def test_stopped_while_it_is_paused_the_file_is_closed_and_the_gap_told(
    kind: str, record: Studio, clip: Clip
) -> None:
    with tiny_disk(record.folder, megabytes=3) as disk:
        fill(disk, leave=700_000)
        async with LiveOrigin() as origin:
            show = origin.channel("show", clip, hls=Hls(window=30), speed=SPEED)

            async def while_running(recorder: Recorder, _tape: Tape) -> None:
                await reached(lambda: recorder.state is RecordingState.PAUSED)
                now = show.segments
                await reached(lambda: show.segments >= now + MISSED)
                recorder.stop()

            kept = await record(getattr(show, kind), while_running=while_running)
        proven(kept.path)
        assert is_run(numbers(kept.path))
    assert kept.report.end_reason is EndReason.STOPPED
    assert [code for code, _ in kept.gaps] == ["disk_full"]


async def test_a_disk_that_is_full_from_the_start(origin_url: str, tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", megabytes=1):
        below = ouzel(origin_url, "-o", "disk/", cwd=tmp_path)
        (line,) = below.err.splitlines()
        assert line.endswith("the floor is 268 MB (disk_full)")
        assert below.code == 5
        (tmp_path / "disk/ballast").write_bytes(bytes(850_000))
        full = ouzel(origin_url, "-o", "disk/", "--min-free", "0", cwd=tmp_path)
        assert left_in(tmp_path / "disk") == ["ballast"]
    assert full.err.startswith("ouzel: error: no space left for ")
    assert full.code == 5


@pytest.fixture(scope="module")
def origin_url(clip: Clip) -> Iterator[str]:
    with OriginProcess() as process:
        yield process.origin.channel("full", clip, hls=Hls(window=0, gops_per_segment=6)).push(2).url
