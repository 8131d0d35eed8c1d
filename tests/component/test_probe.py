"""Looking into media files in a child process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ouzel.base.errors import MediaError, NotMedia
from ouzel.engine.probe import find_edges, probe


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four seconds, 25 frames and one key frame a second, B frames, sound; the same packets in several containers."""
    folder = tmp_path_factory.mktemp("probe")
    picture, sound = "testsrc2=s=160x90:r=25:d=4", "sine=r=48000:d=4"
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2", "-c:a", "aac"]
    made = {"ts": folder / "clip.ts"}
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *codecs, str(made["ts"]))
    for ending in ("mp4", "flv", "mkv"):
        made[ending] = folder / f"clip.{ending}"
        ffmpeg("-i", str(made["ts"]), "-c", "copy", str(made[ending]))
    return made


def ffmpeg(*args: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *args], check=True, stdin=subprocess.DEVNULL)


@pytest.mark.anyio
@pytest.mark.parametrize("ending", ["ts", "mp4", "flv", "mkv"])
async def test_every_container_tells_the_same_of_the_same_packets(clip: dict[str, Path], ending: str) -> None:
    found = await probe(clip[ending])
    video, audio = found.video, found.audio
    assert video is not None
    assert audio is not None
    assert (video.codec, video.width, video.height, video.rate) == ("h264", 160, 90, 25.0)
    assert (audio.codec, audio.sample_rate, audio.channels) == ("aac", 48000, 1)
    assert (video.packets, video.keys, audio.packets) == (100, 4, 189)
    assert video.duration_s == pytest.approx(4.0, abs=0.002)
    assert found.media_s == pytest.approx(4.03, abs=0.02)
    assert (video.unordered, audio.unordered, video.frames, found.error) == (0, 0, 0, "")


@pytest.mark.anyio
async def test_the_start_of_a_transport_stream_is_not_part_of_its_length(clip: dict[str, Path]) -> None:
    found = await probe(clip["ts"])
    assert found.start_s == pytest.approx(1.46, abs=0.02)
    assert found.media_s < 4.1


@pytest.mark.anyio
async def test_decoding_counts_frames(clip: dict[str, Path]) -> None:
    found = await probe(clip["flv"], depth="decode")
    assert found.video is not None
    assert (found.video.frames, found.video.errors, found.video.frames_unordered) == (100, 0, 0)


@pytest.mark.anyio
async def test_the_header_alone_is_cheap(clip: dict[str, Path]) -> None:
    found = await probe(clip["mp4"], depth="header")
    assert found.duration_s == pytest.approx(4.03, abs=0.01)
    assert [s.packets for s in found.streams] == [0, 0]


@pytest.mark.anyio
async def test_a_file_that_was_cut_off_is_measured_not_believed(clip: dict[str, Path], tmp_path: Path) -> None:
    whole = clip["flv"].read_bytes()
    cut = tmp_path / "cut.flv"
    cut.write_bytes(whole[: len(whole) // 2])
    found = await probe(cut, depth="decode")
    assert found.duration_s is not None
    assert found.duration_s > 4
    assert found.media_s < 3
    assert found.video is not None
    assert found.video.frames < 75


@pytest.mark.anyio
async def test_damage_is_counted(clip: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(clip["ts"].read_bytes())
    middle = len(data) // 2 // 188 * 188
    data[middle : middle + 188 * 40] = b""
    broken = tmp_path / "broken.ts"
    broken.write_bytes(data)
    video = (await probe(broken, depth="decode")).video
    assert video is not None
    assert video.corrupt + video.errors + video.frames_corrupt > 0


@pytest.mark.anyio
async def test_stamps_that_do_not_rise_are_counted(clip: dict[str, Path], tmp_path: Path) -> None:
    twice = tmp_path / "twice.ts"
    twice.write_bytes(clip["ts"].read_bytes() * 2)
    found = await probe(twice)
    assert found.video is not None
    assert (found.video.packets, found.video.unordered) == (200, 1)


@pytest.mark.anyio
async def test_a_playlist_opens_no_other_file_and_no_address(clip: dict[str, Path], tmp_path: Path) -> None:
    for text in (f"ffconcat version 1.0\nfile '{clip['ts']}'\n", "#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:1/x.ts\n"):
        playlist = tmp_path / "list"
        playlist.write_text(text)
        with pytest.raises(MediaError):
            await probe(playlist)


@pytest.mark.anyio
async def test_what_is_not_media_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.ts"
    page.write_text("<html>" * 1000)
    with pytest.raises(NotMedia, match=r"page\.ts"):
        await probe(page)
    with pytest.raises(MediaError, match="No such file"):
        await probe(tmp_path / "none.ts")


@pytest.mark.anyio
async def test_a_crash_of_the_reader_is_an_error_of_the_file(
    clip: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = tmp_path / "python"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crashing))
    with pytest.raises(MediaError, match=r"the reader crashed \(SIGSEGV\)"):
        await probe(clip["ts"])


@pytest.mark.anyio
@pytest.mark.parametrize("ending", ["ts", "mp4", "flv", "mkv"])
async def test_edges_are_key_frames_around_the_wish(clip: dict[str, Path], ending: str) -> None:
    edges = await find_edges(clip[ending], 1.5, 2.5)
    assert edges.start_s == pytest.approx(1.02, abs=0.03)
    assert edges.end_s == pytest.approx(3.02, abs=0.03)
    assert (await find_edges(clip[ending], 0.0, 3.5)).end_s is None
