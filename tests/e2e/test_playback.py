"""A closed file plays from start to end: in ffmpeg, in VLC, and in Chromium. What it was made of had gaps and jumps.

FFmpeg reads every packet and frame; VLC and Chromium play at several times the speed, and count what they have decoded.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import imageio_ffmpeg
import pytest
from tests.component.conftest import Kept, Studio
from tests.e2e.browser import Browser, find_chromium, open_browser
from tests.e2e.decoded import Track, check_ledger, check_tracks, complaints, decode

from ouzel.engine.convert import convert
from ouzel.engine.tape import TapeLimits
from ouzel.model import ledger
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.origin import Channel, Hls, LiveOrigin
from ouzel.testing.origin.ts import ts_pieces

SPEED = 8.0
SHOW_S = 16
WINDOW = 30  # more than there is: nothing slides away while the machine has other things to do
AT_ONCE = 4
"""Players and conversions that run at the same time; they wait more than they work."""
VLC_RATE, CHROMIUM_RATE = 8, 16
VLC_PLAY = Path(__file__).with_name("vlc_play.py")
_NO_VLC = 3
MODERN = imageio_ffmpeg.get_ffmpeg_exe()
"""One that reads HEVC in FLV, as Debian's does not."""
PLAYER = """Promise.all(%(sources)s.map((source) => new Promise((resolve) => {
  const player = document.createElement("video"), seen = {times: [], refused: ""};
  const done = (end) => resolve({...seen, end, message: player.error?.message ?? null,
    duration_s: player.duration,
    at_s: player.currentTime, width: player.videoWidth, frames: player.webkitDecodedFrameCount,
    sound_bytes: player.webkitAudioDecodedByteCount, quality: player.getVideoPlaybackQuality?.().totalVideoFrames});
  player.addEventListener("timeupdate", () => seen.times.push(player.currentTime));
  player.addEventListener("ended", () => done("ended"));
  player.addEventListener("error", () => done("error"));
  player.muted = true;
  player.src = source;
  player.defaultPlaybackRate = player.playbackRate = %(rate)d;
  document.documentElement.append(player);
  player.play().catch((why) => { seen.refused = String(why); });
})))"""

Make = Callable[[LiveOrigin, Studio, Clip, str], Any]


# -- what is played ------------------------------------------------------------------------------------------------------


async def hls(origin: LiveOrigin, record: Studio, clip: Clip, name: str, *, sound: bool = False) -> Kept:
    """Two segments are lost, and the time stamps begin anew; with alternate sound one of its segments is lost, too."""
    container = "mp4" if name.startswith("mp4") else "ts"
    channel = origin.channel(name, clip, hls=Hls(container=container, window=WINDOW), speed=SPEED, length_s=SHOW_S)
    if sound:
        channel.sound("en", container)
        origin.on(f"{name}/en/seg13.*").status(404)
    for lost in (9, 14) if container == "ts" or not sound else ():
        origin.on(f"live/{name}/seg{lost}.*").status(404)
    channel.restart_stamps(at=11)
    return await record(channel.url, name=name, from_start=True)


def broken(channel: Channel, origin: LiveOrigin, path: str, after: int) -> None:
    """The connection breaks in the middle of a group, is refused for a while, and later the time stamps jump."""
    channel.jump_stamps(40.0, at=15)
    origin.on(path).reset(after=after, times=1).status(503, for_s=0.3)


def inside_groups(clip: Clip) -> int:
    """So many bytes from the start of any group of the clip, as MPEG-TS, lies the second half of another. In the first half the
    origin has stuffed units in their middle, so that its counters go on from loop to loop: what is torn there can look whole."""
    ends = [0]
    for piece in 2 * ts_pieces(clip, "av"):
        ends.append(ends[-1] + piece.size)
    starts = ends[: clip.gops]

    def share(at: int) -> float:
        before, behind = next((a, b) for a, b in pairwise(ends) if at < b)
        return (at - before) / (behind - before)

    return max(range(60_000, 240_000, 1_001), key=lambda after: min(_middle(share(at + after)) for at in starts))


def _middle(share: float) -> float:
    """How far from both ends of the second half."""
    return min(share - 0.4, 1 - share)


async def flv(origin: LiveOrigin, record: Studio, clip: Clip, name: str) -> Kept:
    channel = origin.channel(name, clip, speed=SPEED)
    broken(channel, origin, f"{name}.flv", 120_000)
    return await record(channel.flv_url, name=name, limits=TapeLimits(duration_s=14))


async def endless_ts(origin: LiveOrigin, record: Studio, clip: Clip, name: str) -> Kept:
    channel = origin.channel(name, clip, speed=SPEED)
    broken(channel, origin, f"{name}.ts", inside_groups(clip))
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
IN_VLC = [*NATIVE, *MADE]
IN_CHROMIUM = ["mp4", "mp4-alternate", *(name for name in MADE if "hevc" not in name)]


@pytest.fixture(scope="module")
def shelf(clip: Clip, clip_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All recordings, made at the same time, and what is made of them."""
    hevc_clip = make_clip(clip_folder, seconds=12, size="320x180", gop_s=1, video="hevc")
    folder = tmp_path_factory.mktemp("shelf")
    files: dict[str, Path] = {}

    async def make(name: str, origin: LiveOrigin) -> None:
        kept = await SHOWS[name](origin, Studio(folder / name), hevc_clip if name.startswith("hevc") else clip, name)
        files[name] = kept.path

    async def remake(product: str, limit: anyio.CapacityLimiter) -> None:
        name, _, ending = product.partition(".")
        (folder / name / ending).mkdir()
        async with limit:
            made = await convert(files[name], ending, out=folder / name / ending / f"show.{ending}", nice=0)
        assert made.warnings == ()
        files[product] = made.path

    async def make_all() -> None:
        async with LiveOrigin() as origin, anyio.create_task_group() as tasks:
            for name in SHOWS:
                tasks.start_soon(make, name, origin)
        limit = anyio.CapacityLimiter(AT_ONCE)
        async with anyio.create_task_group() as tasks:
            for product in MADE:
                tasks.start_soon(remake, product, limit)

    anyio.run(make_all)
    return files


@pytest.fixture(scope="module")
def truth(shelf: dict[str, Path]) -> dict[str, dict[str, Track]]:
    """What FFmpeg's libraries find in each file, by kind of track."""
    return {name: {track.kind: track for track in decode(path)} for name, path in shelf.items()}


def lasts_s(tracks: dict[str, Track]) -> float:
    """From the first to the end of the last frame."""
    return max(t.last_s + t.frame_s for t in tracks.values()) - min(t.first_s for t in tracks.values())


# -- what it was made of -------------------------------------------------------------------------------------------------


FAULTS = {
    "ts": ({"segment_gone"}, {"splice"}),
    "ts-alternate": ({"segment_gone"}, {"splice"}),
    "ts-endless": ({"connection_lost"}, {"splice"}),
    "mp4": ({"segment_gone"}, {"splice"}),
    "mp4-alternate": ({"segment_gone"}, {"splice"}),
    "flv": ({"connection_lost"}, {"splice"}),
}
"""The gaps that each show has at least, and the repairs of its time stamps. A jump may pass while nobody is connected."""


@pytest.mark.parametrize("name", FAULTS)
def test_it_was_not_as_whole_as_it_plays(shelf: dict[str, Path], name: str) -> None:
    book = ledger.read(shelf[name].with_suffix(".ledger").read_bytes())
    gaps, repairs = FAULTS[name]
    assert gaps <= {gap.code.value for gap in book.gaps}
    assert repairs <= {repair.code for repair in book.repairs}, book.repairs
    assert len(book.runs) == (2 if name in {"ts-endless", "flv"} else 1)


# -- ffmpeg --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHOWS)
def test_ffmpeg_is_silent_stamps_rise_and_the_ledger_is_right(
    shelf: dict[str, Path], truth: dict[str, dict[str, Track]], name: str
) -> None:
    tracks = list(truth[name].values())
    assert [track.kind for track in tracks] == ["video", "audio"]
    check_tracks(shelf[name], tracks)
    check_ledger(shelf[name], tracks)
    assert complaints(shelf[name], ffmpeg=MODERN if name.startswith("hevc") else "ffmpeg") == ""


@pytest.mark.parametrize("name", MADE)
def test_ffmpeg_plays_what_was_made_of_it(
    shelf: dict[str, Path], truth: dict[str, dict[str, Track]], name: str
) -> None:
    source, made = truth[name.partition(".")[0]], truth[name]
    check_tracks(shelf[name], list(made.values()))
    assert complaints(shelf[name]) == ""
    for kind, track in made.items():
        assert kind in source
        assert track.frames == source[kind].frames or name.endswith(".mp3")
        assert track.duration_s == pytest.approx(source[kind].duration_s, abs=2 * track.frame_s)


# -- VLC -----------------------------------------------------------------------------------------------------------------


def play_in_vlc(path: Path) -> dict[str, Any]:
    command = [sys.executable, "-I", str(VLC_PLAY), str(path), str(VLC_RATE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == _NO_VLC:
        pytest.skip("libvlc is not installed (Debian: vlc-bin, vlc-plugin-base)")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    seen["complaints"] += [line for line in done.stderr.splitlines() if line.startswith("[")]  # its decoder's
    return seen


@pytest.fixture(scope="module")
def seen_in_vlc(shelf: dict[str, Path]) -> dict[str, dict[str, Any]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(IN_VLC, pool.map(play_in_vlc, [shelf[name] for name in IN_VLC]), strict=True))


@pytest.mark.needs_vlc
@pytest.mark.parametrize("name", IN_VLC)
def test_vlc_plays_it_to_its_end(
    seen_in_vlc: dict[str, dict[str, Any]], truth: dict[str, dict[str, Track]], name: str
) -> None:
    seen, tracks = seen_in_vlc[name], truth[name]
    assert seen["end"] == "ended"
    assert seen["complaints"] == []
    assert (seen["demux_corrupted"], seen["lost_pictures"]) == (0, 0)
    assert seen["times_ms"] == sorted(seen["times_ms"])
    for kind, track in tracks.items():  # to its last frame; the packetizer counts as a decoder, too
        assert seen[f"decoded_{kind}"] == pytest.approx(2 * track.packets, abs=2)


# -- Chromium ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("chromium is not installed (Debian: chromium)")
    with open_browser(program, tmp_path_factory.mktemp("chromium")) as running:
        yield running


def play_in_chromium(browser: Browser, folder: Path, files: list[Path]) -> list[dict[str, Any]]:
    """All at once, on one page."""
    page = folder / "player.html"
    page.write_text("<!doctype html><title>player</title>")
    script = PLAYER % {"sources": json.dumps([file.as_uri() for file in files]), "rate": CHROMIUM_RATE}
    with browser.page(page.as_uri()) as session:
        return browser.evaluate(session, script)


@pytest.fixture(scope="module")
def seen_in_chromium(
    shelf: dict[str, Path], browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    seen = play_in_chromium(browser, tmp_path_factory.mktemp("page"), [shelf[name] for name in IN_CHROMIUM])
    return dict(zip(IN_CHROMIUM, seen, strict=True))


@pytest.mark.needs_chromium
@pytest.mark.parametrize("name", IN_CHROMIUM)
def test_chromium_plays_it_to_its_end(
    seen_in_chromium: dict[str, dict[str, Any]], truth: dict[str, dict[str, Track]], name: str
) -> None:
    seen, tracks = seen_in_chromium[name], truth[name]
    assert (seen["end"], seen["message"], seen["refused"]) == ("ended", None, "")
    assert seen["duration_s"] == pytest.approx(lasts_s(tracks), abs=0.2)
    assert seen["at_s"] == pytest.approx(seen["duration_s"], abs=0.05)
    assert seen["times"] == sorted(seen["times"])
    assert seen["sound_bytes"] > 0
    if "video" in tracks:
        assert seen["frames"] == seen["quality"] == tracks["video"].packets
        assert seen["width"] == 320


@pytest.mark.needs_chromium
def test_chromium_says_what_it_cannot_play(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.mp4"
    path.write_text("<html>this is not a film</html>")
    (seen,) = play_in_chromium(browser, tmp_path, [path])
    assert seen["end"] == "error", "a test that could not fail"
