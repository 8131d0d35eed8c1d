"""A machine on which nobody has installed ffmpeg, and a user who is not its administrator."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
import pytest
from tests.command import left_in, numbers, ouzel, proven

from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, OriginProcess

BARE = {"PATH": "/nonexistent", "OUZEL_FFMPEG": ""}
NOBODY = 65534
SETPRIV = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


@dataclass(frozen=True)
class User:
    """Somebody who may write nothing but what is theirs."""

    python: tuple[str, ...]
    env: dict[str, str]
    id: int


@pytest.fixture(scope="module")
def show(clip: Clip) -> Iterator[str]:
    with OriginProcess() as process:
        yield process.origin.channel("show", clip, hls=Hls(window=0)).push(4).end().url


@pytest.fixture(scope="module")
def user() -> User:
    """Ourselves, unless we are root: then nobody."""
    if os.geteuid() != 0:
        return User((sys.executable,), {}, os.geteuid())
    if shutil.which("setpriv") is None:
        pytest.skip("we are root, and there is no setpriv to become somebody else")
    # the interpreter of a virtual environment may be in root's home; the system's will do if it is of the same version
    libraries = [path for path in sys.path if path.endswith(("site-packages", "src"))]
    env = {"PYTHONPATH": os.pathsep.join(libraries), "HOME": "/nonexistent"}
    for name in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        check = "import os, sys, ouzel.cli.record, av; sys.exit(not os.access(sys.executable, os.X_OK))"
        words = [*SETPRIV, name, "-c", check]
        if subprocess.run(words, env={**os.environ, **env}, capture_output=True, check=False).returncode == 0:
            return User((*SETPRIV, name), env, NOBODY)
    pytest.skip("we are root, and nobody else may run this interpreter, or read this checkout")


@pytest.fixture
def mine(user: User) -> Iterator[Path]:
    """A folder of the user's. (That of pytest is closed to others.)"""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "mine")
        home.mkdir()
        os.chown(home, user.id, -1)
        yield home


@pytest.fixture
def theirs(mine: Path) -> Iterator[Path]:
    """A folder that the user may only read."""
    folder = mine.with_name("theirs")
    folder.mkdir()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def bundled() -> bool:
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe()).startswith(str(Path(imageio_ffmpeg.__file__).parent))
    except RuntimeError:
        return False


@pytest.mark.skipif(not bundled(), reason="imageio-ffmpeg has no program for this platform")
def test_without_any_ffmpeg_installed_another_format_is_made(show: str, tmp_path: Path) -> None:
    done = ouzel(show, "--format", "mp4", "--keep-original", "--name", "show", "--json", cwd=tmp_path, env=BARE)
    assert (done.code, done.err) == (0, "")
    assert done.files == [tmp_path / "show.mp4"]
    assert numbers(tmp_path / "show.ts") == numbers(tmp_path / "show.mp4") == [0, 1, 2, 3]
    assert ouzel("show.mp4", "show.ts", command="verify", cwd=tmp_path, env=BARE).code == 0


def test_without_any_ffmpeg_at_all_the_stream_is_kept_as_it_comes(show: str, tmp_path: Path) -> None:
    nowhere = {"PATH": "/nonexistent", "OUZEL_FFMPEG": "/nonexistent/ffmpeg"}
    done = ouzel(show, "--format", "mp4", "--name", "show", "--json", cwd=tmp_path, env=nowhere)
    assert done.code == 3
    assert [doc["code"] for doc in done.told("warning")] == ["tool_missing", "tool_missing"]  # before and after
    assert left_in(tmp_path) == ["show.ledger", "show.ts"]
    assert proven(tmp_path / "show.ts").closing is not None


def test_an_ordinary_user_records_and_verifies(show: str, mine: Path, user: User) -> None:
    words = ["--format", "mkv", "--keep-original", "--name", "show", "--json"]
    done = ouzel(show, *words, cwd=mine, env=user.env, python=user.python)
    assert (done.code, done.err) == (0, "")
    assert left_in(mine) == ["show.ledger", "show.mkv", "show.ts"]
    assert (mine / "show.mkv").stat().st_uid == user.id
    assert ouzel("show.mkv", "show.ts", command="verify", cwd=mine, env=user.env, python=user.python).code == 0


def test_a_folder_that_may_only_be_read_is_told_in_one_line(show: str, mine: Path, theirs: Path, user: User) -> None:
    for output in (theirs / "show.ts", theirs / "below" / "show.ts", theirs):
        done = ouzel(show, "-o", output, cwd=mine, env=user.env, python=user.python)
        (line,) = done.err.splitlines()
        assert done.code == 5
        assert line.startswith(f"ouzel: error: {theirs}")
        assert line.endswith(" cannot be written: Permission denied (read_only)")
    assert left_in(theirs) == []
