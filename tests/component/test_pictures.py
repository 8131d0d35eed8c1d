"""Posters and storyboards of closed files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.killing import killed
from tests.recordings import CONTAINERS, record

from ouzel.base.errors import BadOption, InputError, Unsupported
from ouzel.engine.afterwards import pictures
from ouzel.engine.afterwards.pictures import MOST, PicturesWish, check_pictures, make_pictures
from ouzel.engine.probe import probe
from ouzel.formats.shape import Container
from ouzel.testing.clips import Clip, make_clip, run_ffmpeg
from ouzel.testing.origin.flv import flv_groups, flv_header, flv_opening

pytestmark = pytest.mark.anyio

_CUE = re.compile(r"(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)\n")


def cues(path: Path) -> list[tuple[str, str, str, int, int, int, int]]:
    found = _CUE.findall(path.read_text())
    return [(a, b, sheet, int(x), int(y), int(w), int(h)) for a, b, sheet, x, y, w, h in found]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def raw(path: Path, at_s: float, crop: str, size: str) -> bytes:
    seek = ["-ss", str(at_s)] if at_s else []
    plain = ["-pattern_type", "none"] if path.suffix == ".jpg" else []  # a percent sign in its name stands for itself
    command = ["ffmpeg", "-v", "error", *seek, *plain, "-i", str(path), "-frames:v", "1"]
    command += ["-vf", f"crop={crop},scale={size},format=gray", "-f", "rawvideo", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def apart(one: bytes, other: bytes) -> float:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


async def size_of(path: Path) -> tuple[int | None, int | None]:
    found = (await probe(path, depth="decode")).video
    assert found is not None
    assert (found.frames, found.errors) == (1, 0)
    return found.width, found.height


@pytest.fixture(scope="module")
def shown(clip: Clip) -> list[bytes]:
    """What is on at each second."""
    return [raw(clip.file(".mp4"), second, "iw:ih:0:0", "160:90") for second in range(12)]


@pytest.mark.parametrize("container", CONTAINERS)
async def test_each_small_picture_shows_what_is_on_at_its_time(
    tmp_path: Path, clip: Clip, shown: list[bytes], container: Container
) -> None:
    show, shares = record(tmp_path, clip, container, name="50% show #1 {}"), list[float]()
    made = await make_pictures(show, PicturesWish(every_s=1), on_progress=shares.append)
    assert made.warnings == ()
    told = cues(made.storyboard)
    assert len(told) == 12
    assert (told[0][0], told[1][0], told[1][1]) == ("00:00:00.000", "00:00:01.000", "00:00:02.000")
    assert {cue[2] for cue in told} == {"50%25%20show%20%231%20%7B%7D.storyboard-1.jpg"}
    assert [cue[3:5] for cue in told] == [(n % 10 * 160, n // 10 * 90) for n in range(12)]
    assert await size_of(made.sheets[0]) == (1600, 180)
    sheet = raw(made.sheets[0], 0, "iw:ih:0:0", "1600:180")
    for number, (*_told, x, y, w, h) in enumerate(told):
        assert (w, h) == (160, 90)
        cell = b"".join(sheet[row * 1600 + x : row * 1600 + x + w] for row in range(y, y + h))
        there = [apart(cell, each) for each in shown]
        assert there.index(min(there)) == number, there
    assert await size_of(made.poster) == (320, 180)
    assert (shares, shares[-1]) == (sorted(shares), 1.0)


async def test_the_poster_is_neither_black_nor_the_first_picture(tmp_path: Path) -> None:
    show = tmp_path / "show.mkv"
    scene = "color=black:s=320x180:r=25:d={}"
    graph = f"{scene.format(4)}[a];testsrc=s=320x180:r=25:d=1[b];{scene.format(5)}[c];[a][b][c]concat=n=3"
    run_ffmpeg("ffmpeg", ["-filter_complex", graph, "-c:v", "libx264", "-g", "25", "-sc_threshold", "0", str(show)])
    made = await make_pictures(show, PicturesWish(every_s=1))
    assert apart(raw(made.poster, 0, "iw:ih:0:0", "32:18"), raw(show, 4.2, "iw:ih:0:0", "32:18")) < 12
    dark = tmp_path / "dark.ts"
    run_ffmpeg("ffmpeg", ["-f", "lavfi", "-i", scene.format(4), "-c:v", "libx264", "-g", "25", str(dark)])
    assert (await make_pictures(dark)).warnings == ("all pictures are dark, or show nothing",)


async def test_where_there_is_one_key_frame_the_poster_lies_behind_it(tmp_path: Path) -> None:
    show = tmp_path / "show.mp4"
    graph = "color=white:s=320x180:r=25:d=1[a];testsrc=s=320x180:r=25:d=2[b];[a][b]concat"
    run_ffmpeg("ffmpeg", ["-filter_complex", graph, "-c:v", "libx264", "-g", "999", "-sc_threshold", "0", str(show)])
    made = await make_pictures(show)
    assert made.warnings == ()
    assert apart(raw(made.poster, 0, "iw:ih:0:0", "32:18"), raw(show, 2, "iw:ih:0:0", "32:18")) < 12


async def test_what_is_to_be_turned_is_turned(tmp_path: Path, clip: Clip) -> None:
    import imageio_ffmpeg

    show = tmp_path / "show.mp4"
    command = ["-display_rotation", "90", "-i", str(clip.file(".mp4")), "-c", "copy", str(show)]
    run_ffmpeg(imageio_ffmpeg.get_ffmpeg_exe(), command)
    made = await make_pictures(show, PicturesWish(every_s=12))
    assert await size_of(made.poster) == (180, 320)
    assert await size_of(made.sheets[0]) == (90, 160)
    cell = raw(made.sheets[0], 0, "iw:ih:0:0", "18:32")
    there = {turned: apart(cell, raw(show, 5, f"iw:ih:0:0,{turned}", "18:32")) for turned in ("null", "hflip,vflip")}
    assert there["null"] < there["hflip,vflip"]


async def test_files_that_cannot_be_searched_are_read_through(tmp_path: Path, clip_folder: Path) -> None:
    hevc = make_clip(clip_folder, seconds=4, size="160x96", gop_s=1, video="hevc")
    show = tmp_path / "show.flv"
    groups = flv_groups(hevc, "legacy")
    tags = b"".join(bytes(g.cut(0, len(g.times_ms), base_ms=1000, mark=b"")) for g in groups)
    show.write_bytes(flv_header(audio=True) + flv_opening(hevc, "legacy", 1000) + tags)
    made = await make_pictures(show, PicturesWish(every_s=1))
    assert len(cues(made.storyboard)) == 4
    assert await size_of(made.sheets[0]) == (640, 96)


async def test_a_storyboard_is_bounded(tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST", 4)
    made = await make_pictures(record(tmp_path, clip), PicturesWish(every_s=1))
    assert [cue[0] for cue in cues(made.storyboard)] == [f"00:00:{n * 3:02}.000" for n in range(4)]
    assert MOST * 10 > 24 * 60  # the bound itself leaves a picture a minute of a whole day


async def test_asked_for_again_it_takes_what_is_there(tmp_path: Path, clip: Clip) -> None:
    show = record(tmp_path, clip)
    first = await make_pictures(show, PicturesWish(every_s=0.5, width=64))
    inode = first.poster.stat().st_ino
    assert (await make_pictures(show, PicturesWish(every_s=0.5, width=64))).sheets == first.sheets
    assert first.poster.stat().st_ino == inode
    other = await make_pictures(show, PicturesWish(every_s=6))
    assert len(cues(other.storyboard)) == 2
    assert names(tmp_path) == [
        "show.ledger", "show.poster.jpg", "show.storyboard-1.jpg", "show.storyboard.vtt", "show.ts",
    ]  # fmt: skip


async def test_what_makes_no_sense_is_refused(tmp_path: Path, clip: Clip) -> None:
    for wish in (PicturesWish(every_s=0), PicturesWish(width=9), PicturesWish(poster_width=99_999)):
        with pytest.raises(BadOption):
            check_pictures(wish)
    with pytest.raises(InputError, match="does not exist"):
        await make_pictures(tmp_path / "no.ts")
    sound = tmp_path / "sound.mp3"
    run_ffmpeg("ffmpeg", ["-i", str(clip.file(".mp4")), "-vn", str(sound)])
    with pytest.raises(Unsupported, match="there is no picture in"):
        await make_pictures(sound)
    assert names(tmp_path) == ["sound.mp3"]


async def test_killed_at_several_moments_no_half_sheet_looks_whole(tmp_path: Path, clip_folder: Path) -> None:
    clip = make_clip(clip_folder, seconds=4, size="160x96", gop_s=1)
    products = {"show.poster.jpg", "show.storyboard-1.jpg", "show.storyboard.vtt"}
    await killed("pictures", tmp_path, clip, products, originals={"show.ts"}, last="show.storyboard.vtt")
