"""Closing files, and making other formats of them: in order, one after the other, and never in the way of what counts."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.command import numbers, proven

from ouzel.engine.convert import Converted, convert
from ouzel.engine.finish import FormatWish
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.model.states import RecordingState
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio


@pytest.fixture
def slow_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every conversion takes for ever."""
    real = shutil.which("ffmpeg")
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ffmpeg"
    script.write_text(f'#!/bin/sh\ncase "$*" in *.converting*) exec sleep 600;; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


async def reached(recorder: Recorder, state: RecordingState) -> None:
    with anyio.fail_after(20):
        while recorder.state is not state:  # noqa: ASYNC110 - a state of ours that no event announces
            await anyio.sleep(0.01)


@pytest.mark.parametrize("keep", [False, True])
async def test_the_report_names_the_file_that_can_be_read_here(
    record: Studio, clip: Clip, monkeypatch: pytest.MonkeyPatch, keep: bool
) -> None:
    async def newer(source: Path, target: str, *, keep_original: bool, ffmpeg: FfmpegFinder) -> Converted:
        made = await convert(source, target, keep_original=True, ffmpeg=ffmpeg)
        return replace(made, readable=False, warnings=(f"of {keep_original}",))

    monkeypatch.setattr("ouzel.engine.convert.convert", newer)
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=0)).push(2).end()
        kept = await record(show.url, wish=FormatWish("mkv", keep))
    (file,) = kept.report.files
    native = Path(file.path).with_name("show.ts")
    assert native.exists()
    assert native.with_suffix(".mkv").exists()
    if keep:
        assert (Path(file.path).name, file.error) == ("show.mkv", "")
    else:
        assert (Path(file.path), file.format) == (native, "ts")
        assert file.error.endswith("show.mkv was made, but the ffmpeg at hand cannot read it")


@pytest.mark.usefixtures("slow_ffmpeg")
async def test_who_stops_does_not_wait_for_another_format_for_ever(record: Studio, clip: Clip) -> None:
    async def stop(recorder: Recorder, _tape: Tape) -> None:
        await reached(recorder, RecordingState.FINISHING)
        recorder.stop()

    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=0)).push(6).end()
        limits, wish = TapeLimits(split_after_s=3), FormatWish("mkv")
        kept = await record(show.url, limits=limits, wish=wish, while_running=stop, stop_s=0.3)
    assert kept.report.end_reason is EndReason.ENDED
    assert [Path(file.path).name for file in kept.report.files] == ["show.ts", "show-002.ts"]
    for file in kept.report.files:
        assert file.error == "there was no time left to make mkv of it"
        proven(Path(file.path))
    assert [event["code"] for event in kept.told(EventCode.WARNING)] == ["stopped", "stopped"]
    assert sorted(path.name for path in kept.folder.iterdir()) == [
        "show-002.ledger",
        "show-002.ts",
        "show.ledger",
        "show.ts",
    ]


async def test_files_keep_their_order_whatever_is_made_of_them(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=0)).push(6).end()
        kept = await record(show.url, limits=TapeLimits(split_after_s=2), wish=FormatWish("mkv"))
    names = ["show.mkv", "show-002.mkv", "show-003.mkv"]
    assert [Path(file.path).name for file in kept.report.files] == names
    assert [file.format for file in kept.report.files] == ["mkv"] * 3
    assert [Path(event["path"]).name for event in kept.told(EventCode.CONVERTED)] == names
    assert kept.numbers == [0, 1, 2, 3, 4, 5]


async def test_a_format_that_cannot_be_made_leaves_the_file_as_it_came(
    record: Studio, clip_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ouzel.testing.clips import make_clip

    silent = make_clip(clip_folder, seconds=4, size="160x90", gop_s=1, audio=False)
    async with LiveOrigin() as origin:
        show = origin.channel("show", silent, hls=Hls(window=0)).push(3).end()
        kept = await record(show.url, wish=FormatWish("mp3"))
    (file,) = kept.report.files
    assert Path(file.path).name == "show.ts"
    assert file.error
    assert numbers(proven_path(file.path)) == [0, 1, 2]
    (warning,) = kept.told(EventCode.WARNING)
    assert "stays as it is" in warning["why"]


def proven_path(path: str) -> Path:
    proven(Path(path))
    return Path(path)
