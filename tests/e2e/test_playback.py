"""A closed file plays from start to end: in ffmpeg, in VLC, and in Chromium. What it was made of had gaps and jumps.

FFmpeg reads every packet and frame; VLC and Chromium play at several times the speed, and count what they have decoded.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.component.conftest import Kept, Studio
from tests.e2e.browser import Browser, find_chromium, open_browser
from tests.e2e.decoded import check_ledger, check_stamps, complaints, decode

from ouzel.engine.convert import convert
from ouzel.engine.tape import TapeLimits
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.origin import Channel, Hls, LiveOrigin

SPEED = 8.0
SHOW_S = 20
WINDOW = 24
VLC_RATE, CHROMIUM_RATE = 8, 16
VLC_PLAY = Path(__file__).with_name("vlc_play.py")
PLAYER = """new Promise((resolve) => {
  const player = document.createElement(%(element)s), seen = {times: [], refused: ""};
  const done = (end) => resolve({...seen, end, message: player.error?.message ?? null,
    duration_s: player.duration,
    at_s: player.currentTime, width: player.videoWidth, frames: player.webkitDecodedFrameCount,
    sound_bytes: player.webkitAudioDecodedByteCount, quality: player.getVideoPlaybackQuality?.().totalVideoFrames});
  player.addEventListener("timeupdate", () => seen.times.push(player.currentTime));
  player.addEventListener("ended", () => done("ended"));
  player.addEventListener("error", () => done("error"));
  player.muted = true;
  player.src = %(source)s;
  player.defaultPlaybackRate = player.playbackRate = %(rate)d;
  document.documentElement.append(player);
  player.play().catch((why) => { seen.refused = String(why); });
})"""

Make = Callable[[LiveOrigin, Studio, Clip, str], Any]


# -- what is played ------------------------------------------------------------------------------------------------------


async def hls(origin: LiveOrigin, record: Studio, clip: Clip, name: str, *, sound: bool = False) -> Kept:
    """Two segments are lost, and the time stamps begin anew; with alternate sound one of its segments is lost, too."""
    container = "mp4" if name.startswith("mp4") else "ts"
    channel = origin.channel(name, clip, hls=Hls(container=container, window=WINDOW), speed=SPEED, length_s=SHOW_S)
    if sound:
        channel.sound("en", container)
        origin.on(f"{name}/en/seg14.*").status(404)
    for lost in (9, 16) if container == "ts" or not sound else ():
        origin.on(f"live/{name}/seg{lost}.*").status(404)
    channel.restart_stamps(at=12)
    return await record(channel.url, name=name)


def broken(channel: Channel, origin: LiveOrigin, path: str) -> None:
    """The connection breaks in the middle of a group, is refused for a while, and later the time stamps jump."""
    channel.jump_stamps(40.0, at=19)
    origin.on(path).reset(after=150_000, times=1).status(503, for_s=0.5)


async def flv(origin: LiveOrigin, record: Studio, clip: Clip, name: str) -> Kept:
    channel = origin.channel(name, clip, speed=SPEED)
    broken(channel, origin, f"{name}.flv")
    return await record(channel.flv_url, name=name, limits=TapeLimits(duration_s=14))


async def endless_ts(origin: LiveOrigin, record: Studio, clip: Clip, name: str) -> Kept:
    channel = origin.channel(name, clip, speed=SPEED)
    broken(channel, origin, f"{name}.ts")
    return await record(channel.ts_url, name=name, limits=TapeLimits(duration_s=14))


async def hevc(origin: LiveOrigin, record: Studio, clip: Clip, name: str) -> Kept:
    channel = origin.channel(name, clip, speed=SPEED)
    channel.flv.hevc = "legacy" if name == "hevc-legacy" else "enhanced"
    return await record(channel.flv_url, name=name, limits=TapeLimits(duration_s=6))


SHOWS: dict[str, Make] = {
    "ts": hls,
    "ts-alternate": partial(hls, sound=True),
    "ts-endless": endless_ts,
    "mp4": hls,
    "mp4-alternate": partial(hls, sound=True),
    "flv": flv,
    "hevc-legacy": hevc,
    "hevc-enhanced": hevc,
}
NATIVE = ("ts", "ts-alternate", "ts-endless", "mp4", "mp4-alternate", "flv")
PRODUCTS = {
    "ts": ("mp4", "mkv", "m4a", "mp3"),
    "ts-alternate": ("mp4",),
    "mp4-alternate": ("mp4", "mkv"),
    "flv": ("mp4", "mkv", "m4a"),
    "hevc-legacy": ("mp4",),
    "hevc-enhanced": ("mp4",),
}
MADE = [f"{name}.{ending}" for name, endings in PRODUCTS.items() for ending in endings]
WITH_PICTURE = [name for name in MADE if name.rpartition(".")[2] in {"mp4", "mkv"}]


@pytest.fixture(scope="module")
def shelf(clip: Clip, clip_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All recordings, made at the same time, and what is made of them."""
    hevc_clip = make_clip(clip_folder, seconds=12, size="320x180", gop_s=1, video="hevc")
    folder = tmp_path_factory.mktemp("shelf")
    files: dict[str, Path] = {}

    async def make(name: str, origin: LiveOrigin) -> None:
        kept = await SHOWS[name](origin, Studio(folder / name), hevc_clip if name.startswith("hevc") else clip, name)
        files[name] = kept.path

    async def remake(name: str, ending: str) -> None:
        made = await convert(files[name], ending, out=folder / name / ending / f"show.{ending}", nice=0)
        assert made.warnings == ()
        files[f"{name}.{ending}"] = made.path

    async def make_all() -> None:
        async with LiveOrigin() as origin, anyio.create_task_group() as tasks:
            for name in SHOWS:
                tasks.start_soon(make, name, origin)
        for name, endings in PRODUCTS.items():
            for ending in endings:
                (folder / name / ending).mkdir()
                await remake(name, ending)

    anyio.run(make_all)
    return files


# -- ffmpeg --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NATIVE)
def test_ffmpeg_is_silent_stamps_rise_and_the_ledger_is_right(shelf: dict[str, Path], name: str) -> None:
    path = shelf[name]
    tracks = check_stamps(path)
    assert [track.kind for track in tracks] == ["video", "audio"]
    check_ledger(path, tracks)
    assert complaints(path) == ""


@pytest.mark.parametrize("name", ["hevc-legacy", "hevc-enhanced"])
def test_hevc_in_flv_is_what_the_ledger_says(shelf: dict[str, Path], name: str) -> None:
    check_ledger(shelf[name], check_stamps(shelf[name]))


@pytest.mark.parametrize("name", MADE)
def test_ffmpeg_plays_what_was_made_of_it(shelf: dict[str, Path], name: str) -> None:
    tracks = check_stamps(shelf[name])
    assert complaints(shelf[name]) == ""
    source = {track.kind: track.frames for track in decode(shelf[name.partition(".")[0]])}
    copied = [track for track in tracks if name.rpartition(".")[2] != "mp3"]
    assert {track.kind: track.frames for track in copied}.items() <= source.items()


# -- VLC -----------------------------------------------------------------------------------------------------------------


def play_in_vlc(path: Path) -> dict[str, Any]:
    command = [sys.executable, "-I", str(VLC_PLAY), str(path), str(VLC_RATE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("libvlc is not installed (Debian: vlc-bin, vlc-plugin-base)")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    seen["complaints"] += [line for line in done.stderr.splitlines() if line.startswith("[h264")]
    return seen


@pytest.mark.needs_vlc
@pytest.mark.parametrize("name", [*NATIVE, *MADE])
def test_vlc_plays_it_to_its_end(shelf: dict[str, Path], name: str) -> None:
    seen = play_in_vlc(shelf[name])
    assert seen["end"] == "ended"
    assert seen["complaints"] == []
    assert (seen["demux_corrupted"], seen["lost_pictures"]) == (0, 0)
    assert seen["times_ms"] == sorted(seen["times_ms"])
    tracks = {track.kind: track for track in decode(shelf[name])}
    lasts_s = max(track.last_s for track in tracks.values()) - min(track.first_s for track in tracks.values())
    assert seen["times_ms"][-1] / 1000 > lasts_s - VLC_RATE, "the clock is looked at now and then"
    if "video" in tracks:  # the packetizer counts as a decoder, too
        assert seen["decoded_video"] == pytest.approx(2 * tracks["video"].packets, abs=2)


# -- Chromium ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("chromium is not installed (Debian: chromium)")
    with open_browser(program, tmp_path_factory.mktemp("chromium")) as running:
        yield running


def play_in_chromium(browser: Browser, path: Path, *, element: str = "video") -> dict[str, Any]:
    page = path.with_name("player.html")
    page.write_text("<!doctype html><title>player</title>")
    script = PLAYER % {"element": json.dumps(element), "source": json.dumps(path.name), "rate": CHROMIUM_RATE}
    with browser.page(page.as_uri()) as session:
        return browser.evaluate(session, script)


def check_played(seen: dict[str, Any], path: Path) -> None:
    assert (seen["end"], seen["message"], seen["refused"]) == ("ended", None, "")
    tracks = {track.kind: track for track in decode(path)}
    lasts_s = max(t.last_s + t.frame_s for t in tracks.values()) - min(t.first_s for t in tracks.values())
    assert seen["duration_s"] == pytest.approx(lasts_s, abs=0.2)
    assert seen["at_s"] == pytest.approx(seen["duration_s"], abs=0.05)
    assert all(a < b for a, b in pairwise(seen["times"]))
    assert seen["sound_bytes"] > 0


@pytest.mark.needs_chromium
@pytest.mark.parametrize("name", ["mp4", "mp4-alternate", *(name for name in WITH_PICTURE if "hevc" not in name)])
def test_chromium_plays_it_to_its_end(shelf: dict[str, Path], browser: Browser, name: str) -> None:
    path = shelf[name]
    seen = play_in_chromium(browser, path)
    check_played(seen, path)
    (picture,) = (track for track in decode(path) if track.kind == "video")
    assert seen["frames"] == seen["quality"] == picture.packets
    assert seen["width"] == 320


@pytest.mark.needs_chromium
@pytest.mark.parametrize("name", ["ts.m4a", "ts.mp3", "flv.m4a"])
def test_chromium_plays_the_sound(shelf: dict[str, Path], browser: Browser, name: str) -> None:
    check_played(play_in_chromium(browser, shelf[name], element="audio"), shelf[name])


@pytest.mark.needs_chromium
def test_chromium_says_what_it_cannot_play(shelf: dict[str, Path], browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.mp4"
    page.write_text("<html>this is not a film</html>")
    assert play_in_chromium(browser, page)["end"] == "error", "a test that could not fail"
