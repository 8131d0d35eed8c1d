"""Sound from a playlist of its own: all of it is in the files, where its pictures are."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from ouzel.base.errors import DiskFull
from ouzel.engine.recorder import Recorder
from ouzel.engine.sources.hls.lane import Lane
from ouzel.engine.sources.hls.shapers import LaneShapers
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin
from ouzel.testing.origin.channel import Channel

if TYPE_CHECKING:
    from conftest import Kept, Studio

pytestmark = pytest.mark.anyio
SECONDS = 12
KINDS = [("ts", "ts"), ("ts", "aac"), ("mp4", "mp4")]


def finished(origin: LiveOrigin, clip: Clip, container: str, sound: str) -> Channel:
    """A show that is over: the whole clip, in segments of one second."""
    hls = Hls(container, playlist_type="VOD", window=0)  # type: ignore[arg-type]
    return origin.channel("show", clip, hls=hls).sound("en", sound)  # type: ignore[arg-type]


def times(path: str | Path, kind: str) -> list[float]:
    """When the packets of a track are presented, in order, by ffprobe."""
    command = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        kind,
        "-show_entries",
        "packet=pts_time",
        "-of",
        "csv=p=0",
        path,
    ]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sorted(float(line.strip(",")) for line in answer.split())


def sound_of(kept: Kept) -> Sequence[list[float]]:
    return [times(file.path, "a") for file in kept.report.files]


@pytest.mark.parametrize("split_s", [None, 4.0])
@pytest.mark.parametrize(("container", "sound"), KINDS)
async def test_every_frame_of_sound_is_in_the_file_of_its_pictures(
    record: Studio, clip: Clip, container: str, sound: str, split_s: float | None
) -> None:
    async with LiveOrigin() as origin:
        show = finished(origin, clip, container, sound).push(SECONDS).end()
        kept = await record(show.url, limits=TapeLimits(split_after_s=split_s))
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.gaps == []
    assert kept.report.media_s == pytest.approx(SECONDS, abs=0.15)
    assert len(kept.report.files) == (1 if split_s is None else 3)
    heard = sound_of(kept)
    assert sum(map(len, heard)) == len(clip.audio())
    for file, sounds in zip(kept.report.files, heard, strict=True):
        pictures = times(file.path, "v")
        assert sounds[0] == pytest.approx(pictures[0], abs=0.15)
        assert sounds[-1] == pytest.approx(pictures[-1], abs=0.15)
        assert file.media_s == pytest.approx(len(pictures) / clip.rate, abs=0.15)


@pytest.mark.parametrize(("container", "sound"), KINDS)
async def test_the_length_that_was_asked_for_has_its_sound(
    record: Studio, clip: Clip, container: str, sound: str
) -> None:
    async with LiveOrigin() as origin:
        show = finished(origin, clip, container, sound).push(SECONDS).end()
        kept = await record(show.url, limits=TapeLimits(duration_s=5))
    assert kept.report.end_reason is EndReason.DURATION
    assert kept.report.media_s == pytest.approx(5, abs=0.01)
    (sounds,) = sound_of(kept)
    assert sounds[-1] == pytest.approx(times(kept.path, "v")[-1], abs=0.15)
    assert len(sounds) == pytest.approx(len(clip.audio()) * 5 / SECONDS, abs=3)


@pytest.mark.parametrize(("container", "sound"), KINDS)
async def test_what_was_kept_when_it_is_stopped_has_its_sound(
    record: Studio, clip: Clip, container: str, sound: str
) -> None:
    async def stop(recorder: Recorder, tape: Tape) -> None:
        while tape.file_s < 4:  # noqa: ASYNC110 - nothing announces a chunk
            await anyio.sleep(0.01)
        recorder.stop()

    async with LiveOrigin() as origin:
        hls = Hls(container, window=16)  # type: ignore[arg-type]
        show = origin.channel("show", clip, hls=hls, speed=8).sound("en", sound)  # type: ignore[arg-type]
        kept = await record(show.url, while_running=stop)
    assert kept.report.end_reason is EndReason.STOPPED
    assert kept.gaps == []
    (sounds,) = sound_of(kept)
    pictures = times(kept.path, "v")
    assert sounds[0] == pytest.approx(pictures[0], abs=0.15)
    assert sounds[-1] > pictures[-1] - 0.15
    assert kept.report.media_s == pytest.approx(len(pictures) / clip.rate, abs=0.15)


@pytest.mark.parametrize("split_s", [None, 4.0])
@pytest.mark.parametrize(("container", "sound"), KINDS)
async def test_a_hole_in_the_sound_is_told_where_it_is(
    record: Studio, clip: Clip, container: str, sound: str, split_s: float | None
) -> None:
    async with LiveOrigin() as origin:
        show = finished(origin, clip, container, sound).push(SECONDS).end()
        origin.on("en/seg6.*").status(404)
        kept = await record(show.url, limits=TapeLimits(split_after_s=split_s))
    (gap,) = kept.report.gaps
    assert (gap.scope, round(gap.missing_s, 1)) == ("audio", 1.0)
    assert gap.at_s == pytest.approx(6, abs=0.1)
    assert kept.report.media_s == pytest.approx(SECONDS, abs=0.15)
    heard = sound_of(kept)
    assert sum(map(len, heard)) == pytest.approx(len(clip.audio()) * (SECONDS - 1) / SECONDS, abs=1)
    holed = heard[0] if split_s is None else heard[1]
    wide = [(a, b - a) for a, b in pairwise(holed) if b - a > 0.2]
    assert len(wide) == 1
    assert wide[0][1] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("container", "sound"), KINDS)
async def test_where_time_begins_anew_the_sound_stays(record: Studio, clip: Clip, container: str, sound: str) -> None:
    async with LiveOrigin() as origin:
        show = finished(origin, clip, container, sound).restart_stamps(at=6).push(SECONDS).end()
        kept = await record(show.url)
    assert kept.report.media_s == pytest.approx(SECONDS, abs=0.15)
    (sounds,) = sound_of(kept)
    assert len(sounds) == pytest.approx(len(clip.audio()), abs=2)


async def test_sound_for_which_there_is_no_room_at_the_end_is_told(
    record: Studio, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = LaneShapers.flush

    def flush(shapers: LaneShapers, lanes: Sequence[Lane], *, over: bool = False) -> None:
        written(shapers, lanes, over=over)
        raise DiskFull("no space left")

    monkeypatch.setattr(LaneShapers, "flush", flush)
    async with LiveOrigin() as origin:
        show = finished(origin, clip, "ts", "ts").push(SECONDS)

        async def stop(recorder: Recorder, tape: Tape) -> None:
            while tape.counters.chunks < 3:  # noqa: ASYNC110 - nothing else tells of it
                await anyio.sleep(0.02)
            recorder.stop()

        kept = await record(show.url, while_running=stop)
    assert [(told["code"], "alternate sound" in told["why"]) for told in kept.told(EventCode.WARNING)] == [
        ("disk_full", True)
    ]
    assert kept.report.end_reason is EndReason.STOPPED
    assert kept.report.media_s >= 3
