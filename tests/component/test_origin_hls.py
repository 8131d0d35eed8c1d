"""Each flavour of HLS that the live origin offers, played by a real ffmpeg from start to end."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path
from urllib.request import urlopen

import pytest
from anyio.to_thread import run_sync

from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import Aes, Hls, LiveOrigin
from ouzel.testing.picture import UNREADABLE, breaks, read_frame_numbers

pytestmark = pytest.mark.anyio
SEGMENTS = 6  # of 2 s, so that the clip of 8 s is shown one and a half times
FRAMES = SEGMENTS * 50
VOD = {"window": 0, "playlist_type": "VOD"}


@pytest.fixture(scope="session")
def clip(clip_folder: Path) -> Clip:
    return make_clip(clip_folder, seconds=8, size="160x90")


@pytest.fixture(scope="session")
def other(clip_folder: Path) -> Clip:
    return make_clip(clip_folder, seconds=4, size="320x180", bframes=0)


@pytest.fixture(scope="session")
def hevc(clip_folder: Path) -> Clip:
    return make_clip(clip_folder, seconds=8, size="160x90", video="hevc")


async def play(url: str) -> list[int]:
    """Frame numbers that ffmpeg decodes, from the first segment on."""
    return await run_sync(
        lambda: read_frame_numbers(url, options=["-live_start_index", "0", "-allowed_extensions", "ALL"])
    )


async def record(url: str, to: Path) -> str:
    """Copy by ffmpeg; what it has to complain about."""
    command = ["ffmpeg", "-nostdin", "-v", "warning", "-i", url, "-map", "0", "-c", "copy", str(to)]
    done = await run_sync(lambda: subprocess.run(command, capture_output=True, text=True, check=True))
    return done.stderr


async def get(url: str) -> bytes:
    def read() -> bytes:
        with urlopen(url) as answer:
            return answer.read()

    return await run_sync(read)


def probe(path: Path, entries: str) -> list[str]:
    command = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "csv=p=0", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


FLAVOURS = {
    "ts": Hls(**VOD),
    "mp4": Hls("mp4", **VOD),
    "two groups a segment, absolute addresses": Hls(gops_per_segment=2, uris="absolute", **VOD),
    "byte ranges in ts": Hls(byte_ranges=True, **VOD),
    "byte ranges in mp4, rooted addresses": Hls("mp4", byte_ranges=True, uris="path", **VOD),
    "aes, explicit iv": Hls(aes=Aes(), **VOD),
    "aes, implied iv": Hls(aes=Aes(explicit_iv=False), first_sequence=7, **VOD),
    "aes, rotating keys, some clear": Hls(aes=Aes(explicit_iv=False, rotate_every=2, clear=frozenset({1, 4})), **VOD),
    "aes, key in the playlist": Hls(aes=Aes(data_uri=True), **VOD),
    "aes in mp4, clear init": Hls("mp4", aes=Aes(), **VOD),
    "aes in mp4, encrypted init": Hls("mp4", aes=Aes(encrypted_map=True), **VOD),
    "low latency ts": Hls(part_s=0.5, **VOD),
    "low latency mp4": Hls("mp4", part_s=0.5, **VOD),
}


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_a_flavour_plays_from_start_to_end(clip: Clip, flavour: str) -> None:
    hls = FLAVOURS[flavour]
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=hls).push(SEGMENTS // hls.gops_per_segment).end()

        numbers = await play(show.url)

    assert len(numbers) == FRAMES
    assert breaks(numbers, frames=clip.frames) == []


@pytest.mark.parametrize("container", ["ts", "mp4"])
async def test_hevc_plays(hevc: Clip, container: str) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", hevc, hls=Hls(container, **VOD)).push(SEGMENTS).end()  # type: ignore[arg-type]

        numbers = await play(show.url)

    assert len(numbers) == FRAMES
    assert breaks(numbers, frames=hevc.frames) == []


@pytest.mark.parametrize("sound", ["ts", "mp4", "aac"])
async def test_alternate_audio_is_muxed_in(clip: Clip, tmp_path: Path, sound: str) -> None:
    video = "mp4" if sound == "mp4" else "ts"
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(video, **VOD)).sound("en", sound)  # type: ignore[arg-type]
        show.push(SEGMENTS).end()

        await record(show.url, tmp_path / "out.mkv")

        assert origin.hits("en/seg0.*") >= 1
    assert breaks(read_frame_numbers(tmp_path / "out.mkv"), frames=clip.frames) == []
    packets = probe(tmp_path / "out.mkv", "packet=codec_type")
    assert packets.count("video") == FRAMES
    assert abs(packets.count("audio") - 12 * 48_000 / 1024) < 1


@pytest.mark.parametrize("container", ["ts", "mp4"])
async def test_sound_and_picture_start_together_and_rise_over_the_seam_of_the_loop(
    clip: Clip, tmp_path: Path, container: str
) -> None:
    async with LiveOrigin() as origin:
        hls = Hls(container, **VOD)  # type: ignore[arg-type]
        show = origin.channel("show", clip, hls=hls, zero_s=95_440).push(SEGMENTS).end()

        complaints = await record(show.url, tmp_path / "out.mkv")

    assert complaints == ""
    times: dict[str, list[float]] = {"video": [], "audio": []}
    for line in probe(tmp_path / "out.mkv", "packet=codec_type,pts_time"):
        kind, time, *_ = line.split(",")
        times[kind].append(float(time))
    assert min(times["audio"]) == pytest.approx(min(times["video"]), abs=0.002)
    for kind, step in (("video", 0.04), ("audio", 1024 / 48_000)):
        assert all(b - a == pytest.approx(step, abs=0.002) for a, b in pairwise(sorted(times[kind])))


async def test_a_change_of_clip_brings_a_discontinuity(clip: Clip, other: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(**VOD))
        show.push(2).change_clip(other).push(2).end()

        numbers = await play(show.url)
        playlist = (await get(show.index_url)).decode()

    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 1
    assert len(numbers) == 200
    assert breaks(numbers, frames=clip.frames) == [(100, 99, 0)]
    assert UNREADABLE not in numbers


@pytest.mark.parametrize("ranges", [False, True])
async def test_a_change_of_clip_brings_a_new_init_segment(
    clip: Clip, other: Clip, tmp_path: Path, ranges: bool
) -> None:
    """ffmpeg cannot follow such a playlist, so each half is put together here."""
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls("mp4", byte_ranges=ranges, **VOD))
        show.push(2).change_clip(other).push(2).end()

        playlist = (await get(show.index_url)).decode()
        halves = []
        for init, segments in ((0, (0, 1)), (1, (2, 3))):
            names = [f"all{init}.mp4"] if ranges else [f"init{init}.mp4", *(f"seg{n}.m4s" for n in segments)]
            halves.append(b"".join([await get(f"{origin.url}/live/show/{name}") for name in names]))

    assert playlist.count("#EXT-X-MAP") == 2
    for half, size in zip(halves, ("160,90", "320,180"), strict=True):
        (tmp_path / "half.mp4").write_bytes(half)
        numbers = read_frame_numbers(tmp_path / "half.mp4")
        assert numbers == list(range(100))
        assert probe(tmp_path / "half.mp4", "stream=width,height")[0] == size


async def test_restarted_stamps_lose_nothing(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(**VOD), zero_s=500)
        show.push(2).restart_stamps().push(2).end()

        numbers = await play(show.url)

    assert breaks(numbers, frames=clip.frames) == []
    assert len(numbers) == 200


@pytest.mark.parametrize("container", ["ts", "mp4"])
async def test_every_group_of_every_rendition_is_marked(
    clip: Clip, other: Clip, tmp_path: Path, container: str
) -> None:
    async with LiveOrigin() as origin:
        hls = Hls(container, window=0)  # type: ignore[arg-type]
        show = origin.channel("show", clip, hls=hls).variant("hd", other).sound("en").push(3).end()
        suffix = "ts" if container == "ts" else "m4s"
        found: dict[str, list[tuple[str, int]]] = {}
        for folder in ("", "hd/", "en/"):
            data = b"".join([await get(f"{origin.url}/live/show/{folder}seg{n}.{suffix}") for n in range(3)])
            found[folder] = read_markers(data, hls.container)
        await record(f"{origin.url}/live/show/index.m3u8", tmp_path / "remuxed.mkv")

    assert show.segments == 3
    assert found[""] == [("show", 0), ("show", 1), ("show", 2)]
    assert found["hd/"] == [("show.hd", 0), ("show.hd", 1), ("show.hd", 2)]
    assert found["en/"] == [("show.en", 0), ("show.en", 1), ("show.en", 2)]
    assert read_markers((tmp_path / "remuxed.mkv").read_bytes(), "mkv") == found[""]


async def test_two_variants_of_different_size(clip: Clip, other: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(**VOD)).variant("hd", other).push(4).end()

        master = (await get(show.url)).decode()
        hd = await play(f"{origin.url}/live/show/hd/index.m3u8")

    assert show.url.endswith("/master.m3u8")
    assert "RESOLUTION=160x90" in master
    assert "RESOLUTION=320x180" in master
    assert 'CODECS="avc1.' in master
    assert len(hd) == 200
    assert breaks(hd, frames=other.frames) == []


async def test_a_paced_show_in_fast_motion_is_played_live_to_its_end(clip_folder: Path) -> None:
    clip = make_clip(clip_folder, seconds=4, size="160x90", gop_s=0.4)
    async with LiveOrigin() as origin:
        hls = Hls("mp4", window=0, gops_per_segment=2)
        show = origin.channel("show", clip, hls=hls, speed=24, lead_s=6, length_s=24)

        numbers = await play(show.url)

        assert origin.hits("index.m3u8") > 1
    assert len(numbers) == 600
    assert breaks(numbers, frames=clip.frames) == []


async def test_a_silent_clip_can_be_served(clip_folder: Path) -> None:
    clip = make_clip(clip_folder, seconds=3, size="160x90", gop_s=1, audio=False)
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls("mp4", **VOD)).push(4).end()

        numbers = await play(show.url)

    assert len(numbers) == 100
    assert breaks(numbers, frames=clip.frames) == []
