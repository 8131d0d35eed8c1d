"""Another format is wished for, and no ffmpeg works: that is told before anything is recorded, and costs no media."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest
from tests.command import left_in, numbers, ouzel, proven

from ouzel.engine.finish import FormatWish, why_not_made
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin, OriginProcess

NOWHERE = {"PATH": "/nonexistent", "OUZEL_FFMPEG": "/nonexistent/ffmpeg"}
ADVICE = "install FFmpeg 6.1 or newer, or name a program in OUZEL_FFMPEG"
BROKEN: dict[str, str | None] = {
    "missing": None,
    "fails": "#!/bin/sh\necho cannot load libavformat.so >&2\nexit 127\n",
    "something else": "#!/bin/sh\necho hello\n",
    "no program": "not a program\n",
}


@pytest.fixture(scope="module")
def origin() -> Iterator[LiveOrigin]:
    with OriginProcess() as process:
        yield process.origin


@pytest.fixture(scope="module")
def shows(origin: LiveOrigin, clip: Clip) -> dict[str, str]:
    """Streams that end, by the container in which they come."""
    ts = origin.channel("ts", clip, hls=Hls(window=0)).push(3).end()
    mp4 = origin.channel("mp4", clip, hls=Hls("mp4", window=0)).push(3).end()
    return {"ts": ts.url, "mp4": mp4.url, "flv": origin.file("show.flv", clip.file(".flv"))}


def program(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ffmpeg"
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("found_by", ["OUZEL_FFMPEG", "PATH"])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_that_no_other_format_can_be_made_is_told_at_once(
    shows: dict[str, str], tmp_path: Path, broken: str | None, found_by: str
) -> None:
    path = tmp_path / "bin" / "ffmpeg" if broken is None else program(tmp_path / "bin", broken)
    env = {"OUZEL_FFMPEG": str(path)} if found_by == "OUZEL_FFMPEG" else {"OUZEL_FFMPEG": "", "PATH": str(path.parent)}
    env["PYTHONPATH"] = os.pathsep.join([str(_without_bundled(tmp_path)), os.environ.get("PYTHONPATH", "")])
    (out := tmp_path / "out").mkdir()
    done = ouzel(shows["ts"], "-o", out / "show.mkv", "--json", cwd=tmp_path, env=env)
    first, *_ = done.events
    assert (first["event"], first["code"]) == ("warning", "tool_missing")
    assert first["why"].startswith(
        "a stream that does not come as mkv will stay as it comes: no ffmpeg program that fits: "
    )
    assert first["why"].endswith(ADVICE)
    assert done.err == f"ouzel: error: {first['why']} (tool_missing)\n"
    assert done.code == 3
    assert left_in(out) == ["show.ledger", "show.ts"]
    assert numbers(out / "show.ts") == [0, 1, 2]


def _without_bundled(folder: Path) -> Path:
    """A folder for PYTHONPATH with which `imageio-ffmpeg` has no program."""
    (hidden := folder / "hidden").mkdir()
    (hidden / "imageio_ffmpeg.py").write_text(
        "def get_ffmpeg_exe():\n    raise RuntimeError('none for this platform')\n"
    )
    return hidden


@pytest.mark.parametrize("kind", ["ts", "mp4", "flv"])
def test_a_stream_that_comes_as_it_is_wished_for_needs_no_ffmpeg(
    shows: dict[str, str], tmp_path: Path, kind: str
) -> None:
    done = ouzel(shows[kind], "-o", tmp_path / f"show.{kind}", "--json", cwd=tmp_path, env=NOWHERE)
    assert done.code == 0
    assert left_in(tmp_path) == sorted(["show.ledger", f"show.{kind}"])


def test_nobody_waits_for_a_program_to_be_installed(tmp_path: Path) -> None:
    done = ouzel("rtmp://127.0.0.1:1/live/show", "--wait", cwd=tmp_path, env=NOWHERE)
    (line,) = done.err.splitlines()
    assert done.code == 4
    assert line.endswith("(tool_missing)")
    assert left_in(tmp_path) == []


def test_a_program_that_is_mended_in_time_makes_the_format(shows: dict[str, str], tmp_path: Path) -> None:
    """The first call fails, as while it is being installed; the ones after it do not."""
    real = shutil.which("ffmpeg")
    path = program(tmp_path / "bin", f'#!/bin/sh\n[ -e "$0.there" ] && exec {real} "$@"\ntouch "$0.there"\nexit 127\n')
    (out := tmp_path / "out").mkdir()
    done = ouzel(shows["ts"], "-o", out / "show.mkv", "--json", cwd=tmp_path, env={"OUZEL_FFMPEG": str(path)})
    assert [doc["code"] for doc in done.told("warning")] == ["tool_missing"]
    assert (done.code, left_in(out)) == (0, ["show.ledger", "show.mkv"])


LATER: dict[str, Callable[[str], str]] = {
    "breaks": lambda real: f'case "$*" in *.converting*) exit 1;; esac\nexec {real} "$@"\n',
    "is removed": lambda real: f'{real} "$@"\nstatus=$?\nrm -f "$0"\nexit $status\n',
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
def test_a_program_that_breaks_later_loses_nothing(
    shows: dict[str, str], tmp_path: Path, later: Callable[[str], str]
) -> None:
    real = shutil.which("ffmpeg")
    assert real is not None
    path = program(tmp_path / "bin", "#!/bin/sh\n" + later(real))
    (out := tmp_path / "out").mkdir()
    done = ouzel(shows["ts"], "-o", out / "show.mkv", "--json", cwd=tmp_path, env={"OUZEL_FFMPEG": str(path)})
    assert done.code == 3
    (warning,) = done.told("warning")
    assert warning["code"] in {"tool_failed", "tool_missing"}
    assert left_in(out) == ["show.ledger", "show.ts"]
    proven(out / "show.ts")
    assert numbers(out / "show.ts") == [0, 1, 2]


@pytest.mark.anyio
async def test_a_program_that_hangs_does_not_keep_anybody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ouzel.engine.finish._TEST_S", 0.2)
    hanging = str(program(tmp_path, "#!/bin/sh\nexec sleep 600\n"))
    with anyio.fail_after(15):
        assert await why_not_made(FormatWish("mkv"), FfmpegFinder(hanging)) is None


@pytest.mark.anyio
async def test_without_a_wish_no_program_is_started(tmp_path: Path) -> None:
    path = program(tmp_path, '#!/bin/sh\ntouch "$0.started"\n')
    assert await why_not_made(FormatWish(), FfmpegFinder(str(path))) is None
    assert left_in(tmp_path) == ["ffmpeg"]
