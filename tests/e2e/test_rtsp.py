"""RTSP cameras: a real server, what it asks for, and what happens to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import quote

import anyio
import pytest
from tests.command import Running
from tests.component.conftest import Kept, Studio
from tests.e2e.decoded import check_ledger, check_stamps, complaints
from tests.e2e.processes import children, is_running, needs_proc
from tests.e2e.scenes import HANG_S, Scene, Takes, shoot, until

from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.model.stream import Stream
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.picture import breaks, read_frame_numbers
from ouzel.testing.rtsp import RtspServer, require_gstreamer

PASSWORD = "p@ss w/ord"
SHORT = TapeLimits(duration_s=2)
STALL_S = 3.0
"""For the cameras that stop sending: what is not noticed is waited for in vain, and what is noticed too early is a second gap."""


def make_camera_clip(folder: Path, **options: str) -> Clip:
    """Without B-frames, as cameras send."""
    return make_clip(folder, seconds=12, size="160x90", gop_s=1, bframes=0, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def camera_clip(clip_folder: Path) -> Clip:
    return make_camera_clip(clip_folder)


@pytest.fixture(scope="module")
def hevc_clip(clip_folder: Path) -> Clip:
    return make_camera_clip(clip_folder, video="hevc")


@pytest.fixture(scope="module")
def camera(camera_clip: Clip) -> Iterator[RtspServer]:
    require_gstreamer()
    with RtspServer(camera_clip) as server:
        yield server


@pytest.fixture(scope="module")
def locked(camera_clip: Clip) -> Iterator[RtspServer]:
    require_gstreamer()
    with RtspServer(camera_clip, sound="none", login=("guard", PASSWORD)) as server:
        yield server


# -- what happens --------------------------------------------------------------------------------------------------------


async def one_that(record: Studio, make: Callable[[], RtspServer]) -> Kept:
    with make() as camera:
        return await record(camera.url, limits=SHORT, limit_s=HANG_S)


async def sound_alone(record: Studio, camera: RtspServer) -> Kept:
    return await record(Stream(camera.url, quality="audio"), limits=SHORT, limit_s=HANG_S)


async def asks_who_we_are(record: Studio, camera: RtspServer) -> tuple[Kept, list[list[str]]]:
    """Also gives the command lines of the programs that read cameras meanwhile."""
    seen: list[list[str]] = []

    async def look(_recorder: Recorder, tape: Tape) -> None:
        await until(lambda: tape.counters.bytes > 0)
        seen.extend(words for words in children(os.getpid()).values() if "pipe:1" in words)

    return await record(camera.url, limits=TapeLimits(duration_s=3), while_running=look, limit_s=HANG_S), seen


async def loses_power_and_comes_back(record: Studio, clip: Clip) -> Kept:
    with ExitStack() as cameras:
        camera = cameras.enter_context(RtspServer(clip))

        async def script(_recorder: Recorder, tape: Tape) -> None:
            await until(lambda: tape.counters.chunks >= 1)
            camera.kill()
            await until(lambda: tape.counters.reconnects >= 3)
            cameras.enter_context(RtspServer(clip, port=camera.port))

        return await record(camera.url, while_running=script, limits=TapeLimits(duration_s=5), limit_s=HANG_S)


async def hangs(record: Studio, clip: Clip) -> Kept:
    with RtspServer(clip) as camera:

        async def script(_recorder: Recorder, tape: Tape) -> None:
            await until(lambda: tape.counters.chunks >= 1)
            camera.freeze()
            await until(lambda: tape.counters.reconnects >= 1)
            camera.thaw()

        limits = TapeLimits(duration_s=5)
        return await record(camera.url, while_running=script, limits=limits, limit_s=HANG_S, stall_s=STALL_S)


async def falls_silent(record: Studio, clip: Clip, how: Callable[[RtspServer], None]) -> Kept:
    with RtspServer(clip) as camera:

        async def script(recorder: Recorder, tape: Tape) -> None:
            await until(lambda: tape.counters.chunks >= 1)
            how(camera)
            await until(lambda: tape.counters.reconnects >= 1)
            recorder.stop()

        return await record(camera.url, while_running=script, limit_s=HANG_S, stall_s=STALL_S)


async def recorder_is_killed(record: Studio, clip: Clip) -> None:
    """While the camera sends nothing, but is there: neither a broken pipe nor the end of the stream ends the child."""
    record.folder.mkdir()
    with RtspServer(clip) as camera, Running(camera.url, "--json", cwd=record.folder) as running:
        await anyio.to_thread.run_sync(running.until_media, 1.0)
        (child,) = children(running.process.pid)
        camera.mute()
        for _ in range(4):  # seconds, in which the last of what it sent is written
            await anyio.to_thread.run_sync(running.until, "progress")
        running.process.kill()
        await until(lambda: not is_running(child))


@pytest.fixture(scope="module")
def takes(
    camera: RtspServer,
    locked: RtspServer,
    camera_clip: Clip,
    hevc_clip: Clip,
    tmp_path_factory: pytest.TempPathFactory,
) -> Takes:
    scenes: dict[str, Scene] = {
        "plain": partial(one_that, make=lambda: RtspServer(camera_clip)),
        "hevc": partial(one_that, make=lambda: RtspServer(hevc_clip)),
        "ulaw": partial(one_that, make=lambda: RtspServer(camera_clip, sound="ulaw")),
        "sound": partial(sound_alone, camera=camera),
        "locked": partial(asks_who_we_are, camera=locked),
        "power": partial(loses_power_and_comes_back, clip=camera_clip),
        "hangs": partial(hangs, clip=camera_clip),
        "no picture": partial(falls_silent, clip=camera_clip, how=RtspServer.mute_picture),
        "nothing": partial(falls_silent, clip=camera_clip, how=RtspServer.mute),
        "killed": partial(recorder_is_killed, clip=camera_clip),
    }
    return shoot(scenes, tmp_path_factory.mktemp("cameras"))


# -- what is kept --------------------------------------------------------------------------------------------------------


def check_file(path: Path, clip: Clip, *, cuts: int = 0) -> None:
    """It plays, its stamps rise, its ledger is right, and no frame is missing but where the connection was."""
    assert complaints(path) == ""
    check_ledger(path, check_stamps(path))
    numbers = read_frame_numbers(path)
    assert len(breaks(numbers, frames=clip.frames)) == cuts, numbers


def tracks_of(kept: Kept) -> list[tuple[str, str]]:
    (opened,) = kept.told(EventCode.FILE_OPENED)
    return [(track["kind"], track["codec"]) for track in opened["tracks"]]


def check_secret(kept: Kept) -> None:
    """The password is in nothing that is told or written."""
    told = [repr(kept.events), repr(kept.report.fields())]
    told += [Path(file.ledger).read_text() for file in kept.report.files]
    assert not any(shows_secret(text) for text in told)


def shows_secret(text: str) -> bool:
    return PASSWORD in text or quote(PASSWORD, safe="") in text


@pytest.mark.parametrize(("take", "codec"), [("plain", "h264"), ("hevc", "hevc")])
def test_a_camera_is_recorded_as_it_sends(takes: Takes, camera_clip: Clip, take: str, codec: str) -> None:
    kept: Kept = takes[take]
    assert kept.report.end_reason is EndReason.DURATION
    assert tracks_of(kept) == [("video", codec), ("audio", "aac")]
    assert kept.told(EventCode.CONNECTED)[0]["protocol"] == "rtsp"
    assert (kept.report.runs, kept.gaps) == (1, [])
    check_file(kept.path, camera_clip)


def test_sound_that_ts_cannot_carry_is_encoded(takes: Takes, camera_clip: Clip) -> None:
    kept: Kept = takes["ulaw"]
    assert tracks_of(kept) == [("video", "h264"), ("audio", "aac")]
    assert kept.report.runs == 1, "the first start, which found the G.711, gave nothing and counts for nothing"
    check_file(kept.path, camera_clip)


def test_sound_alone(takes: Takes) -> None:
    kept: Kept = takes["sound"]
    assert tracks_of(kept) == [("audio", "aac")]
    assert complaints(kept.path) == ""
    check_ledger(kept.path, check_stamps(kept.path))


@needs_proc
def test_a_camera_that_asks_who_we_are(takes: Takes, camera_clip: Clip) -> None:
    kept, seen = takes["locked"]
    assert tracks_of(kept) == [("video", "h264")]
    check_file(kept.path, camera_clip)
    check_secret(kept)
    assert seen
    assert not any(shows_secret(word) for words in seen for word in words)


def test_a_camera_that_loses_power_and_comes_back_is_one_recording(takes: Takes, camera_clip: Clip) -> None:
    kept: Kept = takes["power"]
    assert kept.report.runs == 2
    ((code, missing_s),) = kept.gaps
    assert code in {"stream_ended", "connection_lost"}
    assert missing_s > 0
    (gap,) = kept.report.gaps
    (line,) = kept.book.gaps
    assert line.at_s == pytest.approx(gap.at_s, abs=1e-5)
    assert line.why
    assert (line.wall_end - line.wall_start).total_seconds() == pytest.approx(line.missing_s, abs=0.01)
    assert [chunk.start_s for chunk in kept.book.chunks].count(line.at_s) == 1, "at the edge of a chunk"
    check_file(kept.path, camera_clip, cuts=1)


def test_a_camera_that_hangs_is_left_and_asked_again(takes: Takes, camera_clip: Clip) -> None:
    kept: Kept = takes["hangs"]
    opened = next(at for at, event in enumerate(kept.events) if event.code is EventCode.FILE_OPENED)
    verdict = next(event for event in kept.events[opened:] if event.code is EventCode.RECONNECTING)
    assert verdict.data["code"] == "stalled"
    (gap,) = kept.report.gaps
    assert gap.code.value == "connection_lost"
    waited_s = (verdict.wall - gap.wall_start).total_seconds()
    assert waited_s > STALL_S - 0.1, "it counts from the last byte, not from the verdict"
    check_file(kept.path, camera_clip, cuts=1)


def test_a_camera_whose_picture_stops_is_left(takes: Takes, camera_clip: Clip) -> None:
    kept: Kept = takes["no picture"]
    verdict = kept.told(EventCode.RECONNECTING)[-1]
    assert (verdict["code"], verdict["why"]) == ("stalled", "there is sound, but no picture any more")
    assert kept.report.end_reason is EndReason.STOPPED
    assert complaints(kept.path) == ""
    picture, sound = check_stamps(kept.path)
    assert breaks(read_frame_numbers(kept.path), frames=camera_clip.frames) == []
    assert sound.duration_s > picture.duration_s + STALL_S, "the sound is kept"
    check_ledger(kept.path, [sound])


def test_a_camera_that_sends_nothing_but_answers_is_left(takes: Takes, camera_clip: Clip) -> None:
    kept: Kept = takes["nothing"]
    verdict = kept.told(EventCode.RECONNECTING)[-1]
    assert (verdict["code"], verdict["why"]) == ("stalled", "no media for 3 s")
    assert [code for code, _ in kept.gaps] == ["connection_lost"]
    check_file(kept.path, camera_clip)


@needs_proc
def test_the_child_of_a_recorder_that_is_killed_ends_too(takes: Takes) -> None:
    assert takes["killed"] is None


# -- what cannot be ------------------------------------------------------------------------------------------------------


@pytest.fixture
def record(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "out")


@pytest.mark.anyio
async def test_no_sound_where_only_sound_is_wanted(record: Studio, locked: RtspServer) -> None:
    kept = await record(Stream(locked.url, quality="audio"), stall_s=10)
    assert kept.report.error is not None
    assert kept.report.error[0] == "not_media"
    assert kept.report.end_reason is EndReason.NEVER_STARTED


WRONG: list[tuple[Callable[[str], str], str, str]] = [
    (lambda url: url.replace("guard:", "guard:x"), "forbidden", "401"),
    (lambda url: url.replace(f"guard:{quote(PASSWORD, safe='')}@", ""), "forbidden", "401"),
    (lambda url: url.replace("/cam", "/attic"), "gone", "404"),
    (lambda url: url.replace("127.0.0.1", "camera.invalid"), "host_not_found", "camera.invalid"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("change", "code", "words"), WRONG, ids=["password", "login", "path", "host"])
async def test_what_is_wrong_is_said(
    record: Studio, locked: RtspServer, change: Callable[[str], str], code: str, words: str
) -> None:
    kept = await record(change(locked.url), stall_s=10)
    assert kept.report.end_reason is EndReason.NEVER_STARTED
    assert kept.report.error is not None
    assert kept.report.error[0] == code
    assert words in kept.report.error[1]
    assert "\n" not in kept.report.error[1]
    assert not list(kept.folder.glob("*"))
    check_secret(kept)


@pytest.mark.anyio
async def test_a_camera_that_is_off(record: Studio, camera_clip: Clip) -> None:
    require_gstreamer()
    with RtspServer(camera_clip) as camera:
        url = camera.url
    kept = await record(url, stall_s=10)
    assert kept.report.error is not None
    assert kept.report.error[0] == "connect_failed"
