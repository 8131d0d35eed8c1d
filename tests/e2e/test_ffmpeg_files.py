"""What ends, and goes through ffmpeg: files that only it reads, and DASH shows that are over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from tests.component.conftest import Kept, Studio
from tests.e2e import senders
from tests.e2e.decoded import check_ledger, check_stamps, complaints
from tests.e2e.scenes import PATIENT

from ouzel.cli.main import EXIT_GAPS
from ouzel.cli.reports import end_code
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.model.states import RecordingState
from ouzel.model.stream import Stream
from ouzel.testing.clips import Clip, build_once, make_clip, run_ffmpeg
from ouzel.testing.origin import LiveOrigin
from ouzel.testing.picture import breaks, read_frame_numbers

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def small_show(clip_folder: Path) -> Clip:
    return make_clip(clip_folder, seconds=12, size="160x90", gop_s=1, bframes=0)


@pytest.fixture
def record(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "out", PATIENT)


def check_file(path: Path) -> list[int]:
    """It plays, its stamps rise, its ledger is right. Returns the numbers of its frames."""
    assert complaints(path) == ""
    check_ledger(path, check_stamps(path))
    return read_frame_numbers(path)


def told_and_written(kept: Kept) -> str:
    """Everything that a person may come to see of a recording."""
    return repr(kept.events) + repr(kept.report) + "".join(path.read_text() for path in kept.folder.glob("*.ledger"))


# -- files ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
async def test_a_file_is_a_stream_that_ends(record: Studio, clip: Clip, suffix: str) -> None:
    async with LiveOrigin() as origin:
        kept = await record(origin.file(f"film{suffix}", clip.file(suffix)))
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.report.media_s == pytest.approx(clip.seconds, abs=0.05)
    assert check_file(kept.path) == list(range(clip.frames))


FAULTS: dict[str, Callable[[LiveOrigin], object]] = {
    "reset": lambda o: o.on("film.mkv").allow(times=1).reset(after=150_000, times=1),
    "cut": lambda o: o.on("film.mkv").allow(times=1).cut(150_000, times=1),
    "reset-then-away": lambda o: o.on("film.mkv").allow(times=1).reset(after=150_000, times=1).status(503, times=4),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_file_that_breaks_off_is_read_on_and_nothing_comes_twice(
    record: Studio, clip: Clip, fault: Callable[[LiveOrigin], object]
) -> None:
    async with LiveOrigin() as origin:
        url = origin.file("film.mkv", clip.file(".mkv"))
        fault(origin)
        kept = await record(url, park_s=10)
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.gaps == []
    assert check_file(kept.path) == list(range(clip.frames))


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
async def test_a_file_of_unannounced_length_is_whole_when_it_is_closed(
    record: Studio, clip: Clip, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"film{suffix}"
    run_ffmpeg(clip.ffmpeg, ["-i", str(clip.file(suffix)), "-c", "copy", "-movflags", "+faststart", str(path)])
    async with LiveOrigin() as origin:
        url = origin.file(path.name, path)
        origin.on(path.name).unmeasured()
        kept = await record(url)
    assert (kept.report.end_reason, kept.gaps, kept.report.runs) == (EndReason.ENDED, [], 1)
    assert check_file(kept.path) == list(range(clip.frames))


async def test_a_file_of_unannounced_length_that_is_closed_too_early_is_read_on(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        url = origin.file("film.mkv", clip.file(".mkv"))
        origin.on("film.mkv").unmeasured(times=1).unmeasured(150_000, times=1)
        kept = await record(url)
    assert [data["code"] for data in kept.told(EventCode.RECONNECTING)] == ["connection_lost"]
    assert (kept.report.end_reason, kept.gaps) == (EndReason.ENDED, [])
    assert check_file(kept.path) == list(range(clip.frames))


async def test_a_file_that_breaks_off_for_good_keeps_what_came_and_tells_the_rest(
    record: Studio, small_show: Clip
) -> None:
    clip, path = small_show, small_show.file(".mkv")
    async with LiveOrigin() as origin:
        url = origin.file("film.mkv", path)
        origin.on("film.mkv").allow(times=1).reset(after=path.stat().st_size * 11 // 20, times=1).status(503)
        kept = await record(url, park_s=1)
    assert kept.report.end_reason is EndReason.GONE
    ((code, missing_s),) = kept.gaps
    assert code == "connection_lost"
    numbers = check_file(kept.path)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) % clip.gop_frames, "also of the group that was under way"
    assert missing_s == pytest.approx(clip.seconds - len(numbers) / clip.rate, abs=0.2)
    assert end_code([kept.report]) == EXIT_GAPS


async def test_a_file_that_is_given_up_has_no_gap_behind_it(record: Studio, small_show: Clip) -> None:
    async def stop(recorder: Recorder, tape: Tape) -> None:
        while recorder.state is not RecordingState.PARKED:  # noqa: ASYNC110 - nothing else tells of it
            await anyio.sleep(0.01)
        recorder.stop()

    async with LiveOrigin() as origin:
        url = origin.file("film.mkv", small_show.file(".mkv"))
        half = small_show.file(".mkv").stat().st_size * 11 // 20
        origin.on("film.mkv").allow(times=1).reset(after=half, times=1).status(503)
        kept = await record(url, while_running=stop)
    assert (kept.report.end_reason, kept.gaps) == (EndReason.STOPPED, [])
    numbers = check_file(kept.path)
    assert len(numbers) % small_show.gop_frames


async def test_an_answer_that_falls_short_for_good_is_no_success(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        url = origin.file("film.ts", clip.file(".ts"))
        origin.on("film.ts").short(by=100_000)
        kept = await record(url, park_s=1)
    assert (kept.report.end_reason, kept.report.unsent_bytes) == (EndReason.GONE, 100_000)
    assert end_code([kept.report]) == EXIT_GAPS


async def test_sound_that_ts_cannot_carry_is_encoded(record: Studio, clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    run_ffmpeg(clip.ffmpeg, ["-i", str(clip.file(".mp4")), "-vn", str(path)])
    async with LiveOrigin() as origin:
        kept = await record(origin.file("song.flac", path))
    (opened,) = kept.told(EventCode.FILE_OPENED)
    assert [(t["kind"], t["codec"]) for t in opened["tracks"]] == [("audio", "aac")]
    assert kept.report.media_s == pytest.approx(clip.seconds, abs=0.1)
    assert complaints(kept.path) == ""


async def test_a_picture_that_ts_cannot_carry_is_refused_in_one_line(
    record: Studio, clip: Clip, clip_folder: Path
) -> None:
    def encode(folder: Path) -> None:
        options = ["-t", "1", "-an", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]
        run_ffmpeg(clip.ffmpeg, ["-i", str(clip.file(".mp4")), *options, str(folder / "film.webm")])

    path = build_once(clip_folder / "vp9", encode) / "film.webm"
    async with LiveOrigin() as origin:
        kept = await record(origin.file("film.webm", path))
    assert kept.report.error is not None
    code, message = kept.report.error
    assert code == "unsupported_media"
    assert message.startswith("vp9 video cannot be carried in MPEG-TS")
    assert not list(kept.folder.glob("*"))


@pytest.mark.parametrize("flags", ["+frag_keyframe+empty_moov", "+faststart"])
async def test_an_encrypted_film_is_refused_and_not_copied(
    record: Studio, clip: Clip, tmp_path: Path, flags: str
) -> None:
    key = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 32, "-encryption_kid", "1" * 32]
    path = tmp_path / "film.mp4"
    options = ["-i", str(clip.file(".mp4")), "-c", "copy", "-movflags", flags, *key]
    run_ffmpeg(clip.ffmpeg, [*options, str(path)])
    async with LiveOrigin() as origin:
        kept = await record(origin.file("film.mp4", path))
    assert kept.report.error is not None
    assert kept.report.error[0] == "encrypted"
    assert "encrypted" in kept.report.error[1]
    assert not list(kept.folder.glob("*"))


async def test_headers_and_cookies_go_with_every_request(record: Studio, clip: Clip) -> None:
    headers = (
        ("X-Room", "7"),
        ("Cookie", "session=s3cret"),
        ("Authorization", "Bearer t0ken"),
        ("User-Agent", "Player/1"),
    )
    async with LiveOrigin() as origin:
        kept = await record(Stream(origin.file("film.mkv", clip.file(".mkv")), headers))
        assert len(origin.requests) > 1
        for request in origin.requests:
            sent = {name.lower(): value for name, value in headers}
            assert {name: request.headers.get(name) for name in sent} == sent
    assert kept.report.end_reason is EndReason.ENDED
    assert "s3cret" not in told_and_written(kept)
    assert "t0ken" not in told_and_written(kept)


# -- DASH -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_sizes(clip: Clip, small_show: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return senders.dash(tmp_path_factory.mktemp("dash"), clip, small_show).parent


def serve(origin: LiveOrigin, folder: Path) -> str:
    for path in folder.iterdir():
        origin.file(path.name, path)
    return f"{origin.url}/files/show.mpd"


@pytest.mark.parametrize(("quality", "width"), [("best", 320), ("worst", 160), ("90p", 160), ("180p", 320)])
async def test_a_dash_show_in_the_quality_that_is_wanted(
    record: Studio, two_sizes: Path, clip: Clip, quality: str, width: int
) -> None:
    async with LiveOrigin() as origin:
        kept = await record(Stream(serve(origin, two_sizes), quality=quality))
    assert kept.report.end_reason is EndReason.ENDED
    assert kept.report.runs == 1
    (opened,) = kept.told(EventCode.FILE_OPENED)
    assert [t["width"] for t in opened["tracks"] if t["kind"] == "video"] == [width]
    assert check_file(kept.path) == list(range(clip.frames))


GONE = {"both": (0, 2), "picture": (0,), "sound": (2,)}
"""Of the larger picture, and of the sound."""


@pytest.mark.parametrize("tracks", GONE.values(), ids=GONE)
async def test_a_dash_show_of_which_a_segment_is_gone_says_so(
    record: Studio, two_sizes: Path, clip: Clip, tracks: tuple[int, ...]
) -> None:
    async with LiveOrigin() as origin:
        url = serve(origin, two_sizes)
        for track in tracks:
            origin.on(f"chunk-stream{track}-00003.m4s").status(404)
        kept = await record(url)
    assert kept.report.end_reason is EndReason.ENDED
    (gap,) = kept.report.gaps
    assert gap.code.value == "segment_failed"
    numbers = check_file(kept.path)
    if 0 in tracks:
        assert [before for _, before, _ in breaks(numbers, frames=clip.frames)] == [99]
        assert gap.at_s == pytest.approx(4.0, abs=0.05)
        assert gap.missing_s == pytest.approx((clip.frames - len(numbers)) / clip.rate, abs=0.05)
    else:
        assert numbers == list(range(clip.frames))
        assert gap.missing_s >= clip.gop_frames / clip.rate, "a segment has at least one group"


async def test_a_dash_show_whose_last_segments_are_gone_says_so(record: Studio, two_sizes: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        url = serve(origin, two_sizes)
        origin.on("chunk-stream0-00006.m4s").status(404)
        kept = await record(url)
    (gap,) = kept.report.gaps
    assert (gap.code.value, gap.at_s) == ("segment_failed", pytest.approx(10.0, abs=0.05))
    assert gap.missing_s == pytest.approx(2.0, abs=0.1)


async def test_a_dash_show_that_does_not_list_its_segments_is_whole(record: Studio, clip: Clip, tmp_path: Path) -> None:
    """ffmpeg asks for one segment behind the last."""
    folder = tmp_path / "dash"
    folder.mkdir()
    senders.dash(folder, clip, timeline=False)
    async with LiveOrigin() as origin:
        kept = await record(serve(origin, folder))
        assert any(request.status == 404 for request in origin.requests)
    assert (kept.report.end_reason, kept.gaps) == (EndReason.ENDED, [])
    assert check_file(kept.path) == list(range(clip.frames))


async def test_a_dash_show_without_its_picture(record: Studio, two_sizes: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        kept = await record(Stream(serve(origin, two_sizes), quality="audio"))
        assert origin.hits("chunk-stream0-00002.m4s") == 0
    (opened,) = kept.told(EventCode.FILE_OPENED)
    assert [t["kind"] for t in opened["tracks"]] == ["audio"]
    assert kept.report.media_s == pytest.approx(clip.seconds, abs=0.2)


async def test_a_quality_that_is_none(record: Studio, two_sizes: Path) -> None:
    async with LiveOrigin() as origin:
        kept = await record(Stream(serve(origin, two_sizes), quality="nice"))
    assert kept.report.error is not None
    assert kept.report.error[0] == "unknown_quality"
    assert "180p" in kept.report.error[1]


async def test_a_dash_show_through_a_proxy(record: Studio, two_sizes: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin:  # which does not mind whose name is asked for
        url = serve(origin, two_sizes).replace(origin.url, "http://media.invalid")
        kept = await record(Stream(url, proxy=origin.url))
    assert kept.report.end_reason is EndReason.ENDED
    assert check_file(kept.path) == list(range(clip.frames))


async def test_a_manifest_does_not_lead_to_a_local_file(record: Studio, clip: Clip, tmp_path: Path) -> None:
    folder = tmp_path / "dash"
    folder.mkdir()
    manifest = senders.dash(folder, clip).read_text()
    evil = manifest.replace("<Period", f"<BaseURL>file://{folder}/</BaseURL><Period", 1)
    async with LiveOrigin() as origin:
        url = origin.file("evil.mpd", evil.encode(), content_type="application/dash+xml")
        kept = await record(url)
    assert kept.report.end_reason is EndReason.NEVER_STARTED
    assert kept.report.error is not None
