"""Finding an ffmpeg program that does what is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ouzel.base.errors import ToolFailed, ToolMissing
from ouzel.system.ffmpeg import SETTING, Ffmpeg, FfmpegFinder, examine


@pytest.fixture(autouse=True)
def _no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)


def script(path: Path, text: str) -> Path:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def imitation(path: Path, *, version: str, libavformat: str, protocols: str = "") -> Path:
    """A program that passes for ffmpeg; it counts how often it is started."""
    real = shutil.which("ffmpeg")
    return script(
        path,
        f'echo x >> "{path}.starts"\n'
        f'case "$*" in *-protocols*) printf "Input:\\n  {protocols}\\n"; exit 0;; esac\n'
        f'echo "ffmpeg version {version} Copyright" >&2; echo "  libavformat    {libavformat} / 1. 2.3" >&2\n'
        f'exec "{real}" -hide_banner -loglevel error "$@"\n',
    )


def starts(program: Path) -> int:
    return len(Path(f"{program}.starts").read_text().split())


@pytest.mark.anyio
async def test_the_program_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imitation(tmp_path / "ffmpeg", version="7.1", libavformat="61.  7.100")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = await FfmpegFinder().find()
    assert found == Ffmpeg(str(tmp_path / "ffmpeg"), "7.1", (61, 7))


@pytest.mark.anyio
async def test_one_that_lacks_something_is_passed_over_and_asked_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = imitation(tmp_path / "ffmpeg", version="4.4.5", libavformat="58. 76.100", protocols="srtp")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    finder = FfmpegFinder()
    found = await finder.find({"enhanced_flv", "srt"})
    assert found.path != str(old)
    assert found.libavformat >= (60, 16)
    assert (await finder.find({"srt"})).path == found.path
    assert (await finder.find()).path == str(old)
    assert starts(old) == 2  # the test, the list of protocols


@pytest.mark.anyio
async def test_the_bundled_program_does_all_that_is_ever_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = await FfmpegFinder().find({"enhanced_flv", "rtmp", "rtmps", "srt", "rtsp", "dash", "aac", "mp3"})
    assert "imageio_ffmpeg" in found.path


@pytest.mark.anyio
async def test_a_setting_is_the_only_one_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, str(tmp_path / "mine"))
    with pytest.raises(ToolMissing, match=r"mine is not a program .*; install FFmpeg .* OUZEL_FFMPEG"):
        await FfmpegFinder().find()
    imitation(tmp_path / "mine", version="5.0", libavformat="59.  1.100")
    assert (await FfmpegFinder().find()).version == "5.0"
    with pytest.raises(ToolMissing, match=r"mine \(5.0\) cannot do enhanced_flv; install"):
        await FfmpegFinder().find({"enhanced_flv"})
    imitation(tmp_path / "other", version="6.0", libavformat="60.  3.100")
    assert (await FfmpegFinder(str(tmp_path / "other")).find()).version == "6.0"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("exit 1", "ended with code 1"),
        ("echo hello", "does not write MPEG-TS"),
        ('exec ffmpeg -hide_banner -loglevel error "$@"', "does not say which FFmpeg"),
    ],
)
async def test_what_is_not_ffmpeg_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(ToolFailed, match=wrong):
        await examine(str(script(tmp_path / "ffmpeg", text)))


def test_the_time_limit_of_rtsp_changed_its_name() -> None:
    assert Ffmpeg("", "4.4", (58, 76)).rtsp_timeout == "stimeout"
    assert Ffmpeg("", "5.0", (59, 16)).rtsp_timeout == "timeout"
