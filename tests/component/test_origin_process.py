"""An origin in its own process, the camera, the tiny disk, and the burnt-in clock: what other tests stand on."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from ouzel.base.errors import ToolFailed, ToolMissing
from ouzel.testing import picture
from ouzel.testing.clips import Clip, make_clip, run_ffmpeg
from ouzel.testing.disk import tiny_disk
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import Hls, OriginProcess
from ouzel.testing.origin.ts import ts_pieces
from ouzel.testing.picture import breaks, read_frame_numbers
from ouzel.testing.rtsp import RtspServer, Sound, require_gstreamer


def read(url: str) -> bytes:
    with urlopen(url) as answer:
        return answer.read()


def test_an_origin_in_its_own_process_is_steered_from_here(clip: Clip, small_clip: Clip) -> None:
    with OriginProcess() as process:
        origin = process.origin
        show = origin.channel("show", clip, hls=Hls(window=0)).push(2).change_clip(small_clip).push(2)
        show.flv.gop_cache = 3
        origin.on("seg1.ts").status(404, times=1).allow()
        with pytest.raises(HTTPError, match="404"):
            read(f"{origin.url}/live/show/seg1.ts")
        segments = b"".join(read(f"{origin.url}/live/show/seg{n}.ts") for n in range(4))
        show.end()
        flv = read(show.flv_url)

        assert show.segments == 4
        assert origin.hits("seg1.ts") == 2
        assert [request.status for request in origin.requests][:3] == [404, 200, 200]
        assert origin.requests[0].path == "/live/show/seg1.ts"
        assert read_markers(segments, "ts") == [("show", n) for n in range(4)]
        assert read_markers(flv, "flv") == [("show", n) for n in range(4)]
        with pytest.raises(ValueError, match="over"):
            show.push()
        with pytest.raises(TypeError, match="another process"):
            _ = origin.channels


def test_the_process_ends_with_its_block_and_with_its_parent() -> None:
    with OriginProcess() as process:
        pid = process.pid
        assert Path(f"/proc/{pid}").exists() or not Path("/proc/self").exists()
    assert not Path(f"/proc/{pid}").exists()


def test_an_origin_is_served_by_hand(clip_folder: Path) -> None:
    command = [sys.executable, "-m", "ouzel.testing.origin", "--seconds", "8", "--size", "160x90", "--channels", "2"]
    with subprocess.Popen([*command, "--folder", str(clip_folder)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        urls = [child.stdout.readline().strip() for _ in range(6)]
        playlist = read(urls[3]).decode()
        child.terminate()

    assert urls[0].endswith("/live/show0/index.m3u8")
    assert urls[5].endswith("/live/show1.ts")
    assert "#EXT-X-PROGRAM-DATE-TIME:" in playlist


def test_the_burnt_in_clock_shows_utc(tmp_path: Path, clip_folder: Path) -> None:
    begin = datetime(2026, 1, 1, 23, 59, 56, 400_000, tzinfo=UTC)
    clip = make_clip(clip_folder, seconds=8, size="160x90", start=begin)

    shown = read_clocks(clip.folder / "video.mp4", clip)

    expected = [(begin + timedelta(seconds=n / clip.rate)).strftime("%H%M%S") for n in range(clip.frames)]
    assert shown == expected
    assert len(set(shown)) == 9  # over midnight


def read_clocks(path: Path, clip: Clip) -> list[str]:
    """The six digits in each frame, from the brightness in the middle of each segment."""
    lit = {picture.digit_segments(value): str(value) for value in range(10)}
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    size, found = clip.width * clip.height, []
    for frame in range(0, len(data), size):
        digits = ""
        for segments in picture.clock_segments(clip.height):
            on = [
                letter
                for letter, box in segments.items()
                if data[frame + (box.y + box.h // 2) * clip.width + box.x + box.w // 2] >= 128
            ]
            digits += lit.get("".join(on), "?")
        found.append(digits)
    return found


def test_pieces_of_any_clip_may_follow_each_other(clip: Clip, small_clip: Clip) -> None:
    """Continuity counters rise by one on each PID over all seams; nothing needs patching for it."""
    data = b"".join(piece.data for c in (clip, small_clip, clip) for piece in ts_pieces(c, "av"))
    counters: dict[int, list[int]] = {}
    for at in range(0, len(data), 188):
        pid = (data[at + 1] & 0x1F) << 8 | data[at + 2]
        if data[at + 3] & 0x10 and pid != 0x1FFF:
            counters.setdefault(pid, []).append(data[at + 3] & 0x0F)

    assert len(counters) >= 4  # PAT, PMT, picture, sound
    assert all(later == (former + 1) % 16 for found in counters.values() for former, later in pairwise(found))


def test_a_clip_is_encoded_once_for_each_set_of_parameters(tmp_path: Path) -> None:
    first = make_clip(tmp_path, seconds=2, size="160x90")
    made = first.folder.stat().st_mtime_ns
    assert make_clip(tmp_path, seconds=2, size="160x90") == first
    assert first.folder.stat().st_mtime_ns == made
    assert make_clip(tmp_path, seconds=2, size="160x90", audio=False).folder != first.folder
    with pytest.raises(ToolMissing):
        make_clip(tmp_path, seconds=2, ffmpeg="no-such-ffmpeg")
    with pytest.raises(ToolFailed, match="no-such-file"):
        run_ffmpeg("ffmpeg", ["-i", "no-such-file", "out.ts"])
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()


@pytest.mark.parametrize("suffix", [".mp4", ".flv"])
def test_a_clip_is_also_one_finished_file(clip: Clip, suffix: str) -> None:
    assert read_frame_numbers(clip.file(suffix)) == list(range(clip.frames))


def test_a_tiny_disk_is_soon_full(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", megabytes=1) as disk:
        with pytest.raises(OSError, match="No space") as full:
            (disk / "big").write_bytes(bytes(2_000_000))
        assert full.value.errno == errno.ENOSPC
    assert list((tmp_path / "disk").iterdir()) == []


def test_cameras_with_every_kind_of_sound(clip_folder: Path, tmp_path: Path) -> None:
    require_gstreamer()
    clip = make_clip(clip_folder, seconds=8, size="160x90", bframes=0)
    sounds: list[Sound] = ["aac", "ulaw", "none"]
    with ExitStack() as stack:
        readers = []
        for sound in sounds:
            camera = stack.enter_context(RtspServer(clip, sound=sound, login=("user", "pass word")))
            command = ["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", camera.url, "-t", "0.8"]
            command += ["-map", "0", "-c:v", "copy", "-c:a", "aac", str(tmp_path / f"{sound}.ts")]
            readers.append(stack.enter_context(subprocess.Popen(command)))
        assert [reader.wait() for reader in readers] == [0, 0, 0]

    for sound in sounds:
        frames = read_frame_numbers(tmp_path / f"{sound}.ts")
        assert len(frames) > 15
        assert breaks(frames, frames=clip.frames) == []
        entries = ["-show_entries", "stream=codec_type", "-of", "csv=p=0", str(tmp_path / f"{sound}.ts")]
        probed = subprocess.run(["ffprobe", "-v", "error", *entries], capture_output=True, text=True, check=True)
        assert set(probed.stdout.split()) == ({"video"} if sound == "none" else {"video", "audio"})


def test_a_camera_that_hangs_is_muted_and_killed(clip_folder: Path) -> None:
    require_gstreamer()
    clip = make_clip(clip_folder, seconds=8, size="160x90", bframes=0)
    with RtspServer(clip, sound="none") as camera:
        assert options(camera.port).startswith(b"RTSP/1.0 200")
        camera.freeze()
        with pytest.raises(TimeoutError):
            options(camera.port, patience_s=0.2)
        camera.thaw()
        camera.mute_picture()
        camera.mute()
        assert options(camera.port).startswith(b"RTSP/1.0 200")
        camera.kill()
        with pytest.raises(ConnectionRefusedError):
            options(camera.port)
        with RtspServer(clip, sound="none", port=camera.port):
            assert options(camera.port).startswith(b"RTSP/1.0 200")


def options(port: int, patience_s: float = 20) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=patience_s) as sock:
        sock.sendall(b"OPTIONS rtsp://127.0.0.1/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        return sock.recv(1000)


def test_a_camera_shows_pictures_in_the_order_of_their_decoding(clip: Clip) -> None:
    with pytest.raises(ValueError, match="bframes=0"):
        RtspServer(clip)
