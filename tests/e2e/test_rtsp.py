"""RTSP cameras: a real server, what it asks for, and what happens to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest
from tests.component.conftest import Kept, Studio
from tests.e2e.decoded import check_ledger, check_stamps, complaints

from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.model.stream import Stream
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.picture import breaks, read_frame_numbers
from ouzel.testing.rtsp import RtspServer, require_gstreamer

pytestmark = pytest.mark.anyio
PASSWORD = "p@ss w/ord"


@pytest.fixture
def record(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "out")


@pytest.fixture(scope="module")
def camera_clip(clip_folder: Path) -> Clip:
    """Without B-frames, as cameras send."""
    return make_clip(clip_folder, seconds=12, size="160x90", gop_s=1, bframes=0)


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


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110 - counters, of which no event tells
            await anyio.sleep(0.01)


def check_file(path: Path, clip: Clip, *, cuts: int = 0) -> None:
    """It plays, its stamps rise, its ledger is right, and no frame is missing but where the connection was."""
    assert complaints(path) == ""
    check_ledger(path, check_stamps(path))
    numbers = read_frame_numbers(path)
    assert len(breaks(numbers, frames=clip.frames)) == cuts, numbers


def check_secret(kept: Kept, secret: str) -> None:
    """It is in nothing that is told or written."""
    told = [repr(kept.events), repr(kept.report.fields())]
    told += [Path(file.ledger).read_text() for file in kept.report.files]
    assert not any(secret in text or "p%40ss" in text for text in told)


async def test_a_camera_is_recorded_as_it_sends(record: Studio, camera: RtspServer, camera_clip: Clip) -> None:
    kept = await record(camera.url, limits=TapeLimits(duration_s=3))
    assert kept.report.end_reason is EndReason.DURATION
    (opened,) = kept.told(EventCode.FILE_OPENED)
    assert [(t["kind"], t["codec"]) for t in opened["tracks"]] == [("video", "h264"), ("audio", "aac")]
    assert kept.told(EventCode.CONNECTED)[0]["protocol"] == "rtsp"
    assert kept.report.runs == 1
    check_file(kept.path, camera_clip)


async def test_sound_that_ts_cannot_carry_is_encoded(record: Studio, camera_clip: Clip) -> None:
    require_gstreamer()
    with RtspServer(camera_clip, sound="ulaw") as camera:
        kept = await record(camera.url, limits=TapeLimits(duration_s=3))
    (opened,) = kept.told(EventCode.FILE_OPENED)
    assert [(t["kind"], t["codec"]) for t in opened["tracks"]] == [("video", "h264"), ("audio", "aac")]
    assert kept.report.runs == 1, "the first start, which found the G.711, gave nothing and counts for nothing"
    check_file(kept.path, camera_clip)


async def test_sound_alone(record: Studio, camera: RtspServer) -> None:
    kept = await record(Stream(camera.url, quality="audio"), limits=TapeLimits(duration_s=2))
    (opened,) = kept.told(EventCode.FILE_OPENED)
    assert [t["kind"] for t in opened["tracks"]] == ["audio"]
    assert complaints(kept.path) == ""


async def test_no_sound_where_only_sound_is_wanted(record: Studio, locked: RtspServer) -> None:
    kept = await record(Stream(locked.url, quality="audio"))
    assert kept.report.error == ("not_media", kept.report.error[1] if kept.report.error else "")
    assert kept.report.end_reason is EndReason.NEVER_STARTED


async def test_a_camera_that_asks_who_we_are(record: Studio, locked: RtspServer, camera_clip: Clip) -> None:
    kept = await record(locked.url, limits=TapeLimits(duration_s=2))
    check_file(kept.path, camera_clip)
    check_secret(kept, PASSWORD)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda url: url.replace("guard:", "guard:x"), "forbidden"),
        (lambda url: url.replace("/cam", "/attic"), "gone"),
        (lambda url: url.replace("127.0.0.1", "camera.invalid"), "host_not_found"),
    ],
    ids=["password", "path", "host"],
)
async def test_what_is_wrong_is_said(
    record: Studio, locked: RtspServer, change: Callable[[str], str], code: str
) -> None:
    kept = await record(change(locked.url))
    assert kept.report.end_reason is EndReason.NEVER_STARTED
    assert kept.report.error is not None
    assert kept.report.error[0] == code
    assert "\n" not in kept.report.error[1]
    assert not list(kept.folder.glob("*"))
    check_secret(kept, PASSWORD)


async def test_a_camera_that_is_off(record: Studio, camera_clip: Clip) -> None:
    require_gstreamer()
    with RtspServer(camera_clip) as camera:
        url = camera.url
    kept = await record(url)
    assert kept.report.error is not None
    assert kept.report.error[0] == "connect_failed"


async def test_a_camera_that_loses_power_and_comes_back_is_one_recording(record: Studio, camera_clip: Clip) -> None:
    require_gstreamer()
    with ExitStack() as cameras:
        camera = cameras.enter_context(RtspServer(camera_clip))

        async def script(_recorder: Recorder, tape: Tape) -> None:
            await until(lambda: tape.counters.chunks >= 1)
            camera.kill()
            await until(lambda: tape.counters.reconnects >= 3)
            cameras.enter_context(RtspServer(camera_clip, port=camera.port))

        kept = await record(camera.url, while_running=script, limits=TapeLimits(duration_s=5), park_s=20)
    assert kept.report.runs == 2
    ((code, missing_s),) = kept.gaps
    assert code in {"stream_ended", "connection_lost"}
    assert missing_s > 0
    (gap,) = kept.report.gaps
    (line,) = kept.book.gaps
    assert line.at_s == gap.at_s
    assert [chunk.start_s for chunk in kept.book.chunks].count(line.at_s) == 1, "at the edge of a chunk"
    check_file(kept.path, camera_clip, cuts=1)


async def test_a_camera_that_hangs_is_left_and_asked_again(record: Studio, camera_clip: Clip) -> None:
    require_gstreamer()
    frozen_at: list[float] = []
    with RtspServer(camera_clip) as camera:

        async def script(_recorder: Recorder, tape: Tape) -> None:
            await until(lambda: tape.counters.chunks >= 1)
            camera.freeze()
            frozen_at.append(tape.wall().timestamp())
            await until(lambda: tape.counters.reconnects >= 1)
            camera.thaw()

        kept = await record(camera.url, while_running=script, limits=TapeLimits(duration_s=5), park_s=20)
    assert "stalled" in {event["code"] for event in kept.told(EventCode.RECONNECTING)}
    (gap,) = kept.report.gaps
    assert gap.code.value == "connection_lost"
    assert gap.wall_start.timestamp() == pytest.approx(frozen_at[0], abs=0.5), (
        "from the last byte, not from the verdict"
    )
    check_file(kept.path, camera_clip, cuts=1)


async def test_a_camera_whose_picture_stops_is_left(record: Studio, camera_clip: Clip) -> None:
    require_gstreamer()
    with RtspServer(camera_clip) as camera:

        async def script(_recorder: Recorder, tape: Tape) -> None:
            await until(lambda: tape.counters.chunks >= 1)
            camera.mute_picture()

        kept = await record(camera.url, while_running=script)
    assert "stalled" in {event["code"] for event in kept.told(EventCode.RECONNECTING)}
    assert kept.report.end_reason is EndReason.GONE
    check_file(kept.path, camera_clip)
