"""Closed files encoded anew: what is in them, what is refused before anything is begun, and what a kill leaves."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.killing import killed
from tests.recordings import record

from ouzel.base.errors import BadOption, InputError, OutputExists, ToolMissing
from ouzel.engine import ledgers
from ouzel.engine.afterwards.encode import EncodeWish, check_encode, encode
from ouzel.engine.afterwards.encoders import Encoder, Shape
from ouzel.engine.afterwards.watermark import Watermark
from ouzel.engine.probe import probe
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.testing.clips import Clip, make_clip, run_ffmpeg

pytestmark = pytest.mark.anyio


def _programs() -> list[str]:
    import imageio_ffmpeg

    return ["ffmpeg", imageio_ffmpeg.get_ffmpeg_exe()]


@pytest.fixture(scope="session", params=_programs(), ids=["at_hand", "bundled"])
def ffmpeg(request: pytest.FixtureRequest) -> FfmpegFinder:
    return FfmpegFinder(request.param)


@pytest.fixture
def show(tmp_path: Path, clip: Clip) -> Path:
    """A closed recording of twelve seconds, one of them missing."""
    return record(tmp_path, clip, lost=[4])


def grey(path: Path, at_s: float, crop: str) -> float:
    """Mean brightness of a stretch of a picture."""
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-ss", str(at_s), "-i", str(path), "-frames:v", "1", "-vf", f"crop={crop},format=gray", "-f",
         "rawvideo", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    return sum(raw) / len(raw)


@pytest.mark.parametrize(
    ("video", "format_", "codec"), [("h264", "mp4", "h264"), ("hevc", "mp4", "hevc"), ("av1", "mkv", "av1")]
)
async def test_each_codec_holds_each_picture_at_its_time(
    show: Path, clip: Clip, ffmpeg: FfmpegFinder, video: Any, format_: str, codec: str
) -> None:
    shares: list[float] = []
    made = await encode(show, EncodeWish(format_, video, height=90), ffmpeg=ffmpeg, on_progress=shares.append)
    assert made.warnings == ()
    found = await probe(made.path, depth="decode")
    assert found.video is not None
    assert found.audio is not None
    assert (found.video.codec, found.video.width, found.video.height) == (codec, 160, 90)
    assert (found.video.packets, found.video.frames, found.video.errors) == (clip.frames - clip.rate,) * 2 + (0,)
    assert found.video.frames_unordered == 0
    assert found.video.duration_s == pytest.approx(11.0, abs=0.05)
    assert found.audio.codec == "aac"
    assert (shares, shares[-1]) == (sorted(shares), 1.0)
    held = ledgers.find(made.path)
    assert held is not None
    assert held.product is not None
    assert held.product.digest == ledgers.digest(made.path)
    assert [gap.at_s for gap in held.ledger.gaps] == [4.0]


@pytest.mark.parametrize(("format_", "codec"), [("mp3", "mp3"), ("m4a", "aac"), ("opus", "opus")])
async def test_sound_alone(show: Path, ffmpeg: FfmpegFinder, format_: str, codec: str) -> None:
    made = await encode(show, EncodeWish(format_), ffmpeg=ffmpeg)
    found = await probe(made.path)
    assert [(s.kind, s.codec) for s in found.streams] == [("audio", codec)]


async def test_a_picture_is_never_made_larger_and_sides_are_even(tmp_path: Path, ffmpeg: FfmpegFinder) -> None:
    odd = tmp_path / "odd.mkv"
    size = ["-f", "lavfi", "-i", "testsrc=s=161x91:r=25:d=1", "-c:v", "libx264", "-pix_fmt", "yuv444p"]
    run_ffmpeg("ffmpeg", [*size, str(odd)])
    made = await encode(odd, EncodeWish(height=1080), out=tmp_path / "same.mp4", ffmpeg=ffmpeg)
    found = (await probe(made.path)).video
    assert found is not None
    assert (found.width, found.height, found.pixels) == (160, 90, "yuv420p")


async def test_a_picture_that_is_to_be_turned_is_turned(tmp_path: Path, clip: Clip, ffmpeg: FfmpegFinder) -> None:
    turned = tmp_path / "turned.mp4"
    upright = ["-display_rotation", "90", "-i", str(clip.file(".mp4")), "-c", "copy"]
    run_ffmpeg(_programs()[1], [*upright, str(turned)])
    made = await encode(turned, EncodeWish(height=160), out=tmp_path / "small.mp4", ffmpeg=ffmpeg)
    found = (await probe(made.path)).video
    assert found is not None
    assert (found.width, found.height) == (90, 160)


async def test_hdr_stays_in_hevc_and_is_told_to_go_in_h264(tmp_path: Path, ffmpeg: FfmpegFinder) -> None:
    hdr = tmp_path / "hdr.mkv"
    marks = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=error"
    colours = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]
    source = ["-f", "lavfi", "-i", "testsrc=s=160x90:r=25:d=1", "-pix_fmt", "yuv420p10le", "-c:v", "libx265"]
    run_ffmpeg("ffmpeg", [*source, *colours, "-x265-params", marks, str(hdr)])
    kept = await encode(hdr, EncodeWish("mp4", "hevc"), ffmpeg=ffmpeg)
    found = (await probe(kept.path)).video
    assert found is not None
    assert (found.pixels, found.transfer, kept.warnings) == ("yuv420p10le", 16, ())
    made = await encode(hdr, EncodeWish("mp4", "h264"), out=tmp_path / "sdr.mp4", ffmpeg=ffmpeg)
    found = (await probe(made.path)).video
    assert found is not None
    assert (found.pixels, found.is_hdr) == ("yuv420p", False)
    assert made.warnings == ("the picture is HDR, which h264 does not keep: it was made SDR",)


async def test_a_text_with_all_that_a_filter_would_read_as_its_own(
    tmp_path: Path, show: Path, ffmpeg: FfmpegFinder
) -> None:
    plain = await encode(show, EncodeWish(), out=tmp_path / "plain.mp4", ffmpeg=ffmpeg)
    text = r"50%: it's [a], b; \n %{pts} ="
    mark = Watermark(text, place="bottom-left", opacity=1.0, size=0.2, margin=4)
    made = await encode(show, EncodeWish(watermark=mark), out=tmp_path / "marked.mp4", ffmpeg=ffmpeg)
    there, elsewhere = "200:36:4:140", "200:36:4:20"
    assert abs(grey(made.path, 2, there) - grey(plain.path, 2, there)) > 5
    assert abs(grey(made.path, 2, elsewhere) - grey(plain.path, 2, elsewhere)) < 2


async def test_a_picture_as_watermark(tmp_path: Path, show: Path, ffmpeg: FfmpegFinder) -> None:
    logo = tmp_path / "it's, a [logo].png"
    run_ffmpeg("ffmpeg", ["-f", "lavfi", "-i", "color=c=white:s=64x64", "-frames:v", "1", str(logo)])
    mark = Watermark(picture=logo, place="top-right", opacity=1.0, size=0.25, margin=0)
    made = await encode(show, EncodeWish(watermark=mark), ffmpeg=ffmpeg)
    for at_s in (0.5, 9.5):
        assert grey(made.path, at_s, "40:40:278:2") > 225
    assert made.duration_s == pytest.approx(11.0, abs=0.1)


async def test_what_makes_no_sense_is_said_before_anything_is_begun(tmp_path: Path) -> None:
    finder = FfmpegFinder()
    text = Watermark("on air")
    wrong: list[tuple[EncodeWish, type[Exception], str]] = [
        (EncodeWish("avi"), BadOption, "'avi' is not a format that can be made"),
        (EncodeWish(quality=99), BadOption, "quality 99 is none of h264: 0 is the best, 51 the worst"),
        (EncodeWish(height=7), BadOption, "a height of 7"),
        (EncodeWish("ts", "av1"), BadOption, "av1 video cannot be carried in MPEG-TS"),
        (EncodeWish("mp3", height=90), BadOption, "mp3 holds sound only"),
        (EncodeWish(video="av1", hardware="v4l2m2m"), BadOption, "v4l2m2m does not encode av1"),
        (EncodeWish(watermark=Watermark()), BadOption, "a text or a picture"),
        (EncodeWish(watermark=Watermark(picture=tmp_path / "no.png")), InputError, "no.png does not exist"),
        (EncodeWish(watermark=replace(text, font="/no/font.ttf")), InputError, "/no/font.ttf does not exist"),
        (EncodeWish(watermark=replace(text, text="\U0001e900")), BadOption, "no font here is known to have all"),
        (EncodeWish(watermark=replace(text, opacity=0)), BadOption, "opacity and size"),
    ]
    for wish, error, words in wrong:
        with pytest.raises(error, match=words.replace("(", r"\(")):
            await check_encode(wish, finder)
    sheet = tmp_path / "text.png"
    sheet.write_text("no picture")
    with pytest.raises(BadOption, match="is no picture"):
        await check_encode(EncodeWish(watermark=Watermark(picture=sheet)), finder)
    row = tmp_path / "100%d.png"  # ffmpeg looks for 1000.png, 1001.png …
    row.write_bytes(b"")
    with pytest.raises(BadOption, match="rename it"):
        await check_encode(EncodeWish(watermark=Watermark(picture=row)), finder)


def _poor(tmp_path: Path) -> FfmpegFinder:
    """A build without encoders of pictures."""
    poor = tmp_path / "poor-ffmpeg"
    poor.write_text('#!/bin/sh\nffmpeg "$@" | case "$*" in *-encoders*) grep -v libx26;; *) cat;; esac\n')
    poor.chmod(0o755)
    return FfmpegFinder(str(poor))


async def test_a_codec_that_the_ffmpeg_at_hand_lacks(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="cannot do h264"):
        await check_encode(EncodeWish(), _poor(tmp_path))


async def test_hardware_is_believed_in_only_when_it_has_encoded(show: Path, ffmpeg: FfmpegFinder) -> None:
    with pytest.raises(ToolMissing, match="h264_vaapi does not work here: "):
        await check_encode(EncodeWish(hardware="vaapi"), ffmpeg)
    made = await encode(show, EncodeWish(hardware="auto"), ffmpeg=ffmpeg)
    assert made.warnings == ("no hardware here encodes h264: it is done in software",)


def test_what_hardware_is_told() -> None:
    shape = Shape(1920, 1080, 50.0, ten_bits=False)
    assert Encoder("h264", "vaapi", 20).tail(ten_bits=False) == ("format=nv12", "hwupload")
    assert Encoder("hevc", "nvenc", 26).options(shape)[:7] == ("hevc_nvenc", "-rc", "vbr", "-cq", "26", "-b:v", "0")
    coarse = int(Encoder("h264", "v4l2m2m", 29).options(shape)[2])
    assert int(Encoder("h264", "v4l2m2m", 23).options(shape)[2]) == pytest.approx(2 * coarse, abs=1)


async def test_asked_for_again_it_takes_what_is_there_and_nothing_of_another_kind(show: Path) -> None:
    first = await encode(show, EncodeWish(height=90), keep_original=False)
    assert sorted(each.name for each in show.parent.iterdir()) == ["show.ledger", "show.mp4"]
    made = (await anyio.Path(first.path).stat()).st_ino
    again = await encode(show, EncodeWish(height=90), keep_original=False)
    assert (await anyio.Path(again.path).stat()).st_ino == made
    assert (again.size, again.duration_s) == (first.size, pytest.approx(first.duration_s))
    with pytest.raises(OutputExists, match="made in another way"):
        await encode(show, EncodeWish("mp4", "hevc"))
    first.path.write_bytes(first.path.read_bytes() + b"x")
    with pytest.raises(InputError):
        await encode(show, EncodeWish(height=90))


async def test_killed_at_several_moments_it_loses_nothing_and_makes_one_file(tmp_path: Path, clip_folder: Path) -> None:
    clip = make_clip(clip_folder, seconds=4, size="160x96", gop_s=1)
    await killed("encode", tmp_path, clip, {"show.mp4"}, originals={"show.ts"}, replaced=True)
