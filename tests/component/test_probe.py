"""Looking into media files in a child process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ouzel.base.errors import MediaError, NotMedia
from ouzel.engine.probe import find_edges, probe
from ouzel.testing.clips import Clip

SECONDS = 12
"""Of the clip: 25 frames and one key frame a second, B-frames, sound; the same packets in several containers."""


@pytest.mark.anyio
@pytest.mark.parametrize("ending", [".ts", ".mp4", ".mkv"])
async def test_every_container_tells_the_same_of_the_same_packets(clip: Clip, ending: str) -> None:
    found = await probe(clip.file(ending))
    video, audio = found.video, found.audio
    assert video is not None
    assert audio is not None
    assert (video.codec, video.width, video.height, video.rate) == ("h264", 320, 180, 25.0)
    assert (audio.codec, audio.sample_rate, audio.channels) == ("aac", 32000, 2)
    assert (video.packets, video.keys, audio.packets) == (25 * SECONDS, SECONDS, 32000 * SECONDS // 1024)
    assert video.duration_s == pytest.approx(SECONDS, abs=0.002)
    assert found.media_s == pytest.approx(SECONDS, abs=0.1)
    assert (video.unordered, audio.unordered, video.frames, found.error) == (0, 0, 0, "")


@pytest.mark.anyio
async def test_the_start_of_a_transport_stream_is_not_part_of_its_length(clip: Clip) -> None:
    found = await probe(clip.file(".ts"))
    assert found.start_s == pytest.approx(1.4, abs=0.1)
    assert found.media_s < SECONDS + 0.2


@pytest.mark.anyio
async def test_decoding_counts_frames(clip: Clip) -> None:
    found = await probe(clip.file(".flv"), depth="decode")
    assert found.video is not None
    assert (found.video.frames, found.video.errors, found.video.frames_unordered) == (25 * SECONDS, 0, 0)


@pytest.mark.anyio
async def test_the_header_alone_is_cheap(clip: Clip) -> None:
    found = await probe(clip.file(".mp4"), depth="header")
    assert found.duration_s == pytest.approx(SECONDS, abs=0.2)
    assert [s.packets for s in found.streams] == [0, 0]


@pytest.mark.anyio
async def test_a_file_that_was_cut_off_is_measured_not_believed(clip: Clip, tmp_path: Path) -> None:
    whole = clip.file(".flv").read_bytes()
    cut = tmp_path / "cut.flv"
    cut.write_bytes(whole[: len(whole) // 2])
    found = await probe(cut, depth="decode")
    assert found.duration_s is not None
    assert found.duration_s >= SECONDS
    assert found.media_s < 0.75 * SECONDS
    assert found.video is not None
    assert found.video.frames < 20 * SECONDS


@pytest.mark.anyio
async def test_damage_is_counted(clip: Clip, tmp_path: Path) -> None:
    data = bytearray(clip.file(".ts").read_bytes())
    middle = len(data) // 2 // 188 * 188
    data[middle : middle + 188 * 40] = b""
    broken = tmp_path / "broken.ts"
    broken.write_bytes(data)
    video = (await probe(broken, depth="decode")).video
    assert video is not None
    assert video.corrupt + video.errors + video.frames_corrupt > 0


@pytest.mark.anyio
async def test_stamps_that_do_not_rise_are_counted(clip: Clip, tmp_path: Path) -> None:
    twice = tmp_path / "twice.ts"
    twice.write_bytes(clip.file(".ts").read_bytes() * 2)
    found = await probe(twice)
    assert found.video is not None
    assert (found.video.packets, found.video.unordered) == (50 * SECONDS, 1)


@pytest.mark.anyio
async def test_a_playlist_opens_no_other_file_and_no_address(clip: Clip, tmp_path: Path) -> None:
    for text in (
        f"ffconcat version 1.0\nfile '{clip.file('.ts')}'\n",
        "#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1:1/x.ts\n",
    ):
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
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = tmp_path / "python"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crashing))
    with pytest.raises(MediaError, match=r"the reader crashed \(SIGSEGV\)"):
        await probe(clip.file(".ts"))


@pytest.mark.anyio
@pytest.mark.parametrize("ending", [".ts", ".mkv", ".mp4", ".flv"])
async def test_edges_are_key_frames_around_the_wish(clip: Clip, ending: str) -> None:
    edges = await find_edges(clip.file(ending), 4.5, 5.5)
    assert edges.start_s == pytest.approx(4.0, abs=0.1)
    assert edges.end_s == pytest.approx(6.0, abs=0.1)
    assert edges.cut_s == pytest.approx(edges.end_s - 0.08, abs=0.002)
    assert (edges.delay_s, edges.is_first) == (pytest.approx(0.08, abs=0.002), False)
    whole = await find_edges(clip.file(ending), 0.0, SECONDS - 0.5)
    assert (whole.end_s - whole.start_s, whole.cut_s) == (pytest.approx(SECONDS, abs=0.05), None)
    assert whole.is_first
