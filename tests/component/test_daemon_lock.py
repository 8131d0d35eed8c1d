"""One daemon to a data folder, and what the second one is told."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.command import environment

from ouzel.base.errors import DataFolderBusy, ReadOnly, StorageError
from ouzel.daemon import lock
from ouzel.daemon.lock import Holder, held_by, hold

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ouzel.daemon.lock import hold
with hold(Path(sys.argv[1]), now=datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)) as held:
    held.tell("http://127.0.0.1:8521")
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the folder until its input ends."""
    words = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process


def test_the_second_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with another(tmp_path) as process:
        with pytest.raises(DataFolderBusy) as caught, hold(tmp_path, now=NOW):
            pass
        holder = Holder(process.pid, socket.gethostname(), "2026-11-22T03:04:05.000Z", "http://127.0.0.1:8521")
        assert held_by(tmp_path) == holder

    assert str(caught.value) == (
        f"{tmp_path} is held by another Ouzel: process {process.pid} on {socket.gethostname()}, "
        "since 2026-11-22T03:04:05.000Z, http://127.0.0.1:8521"
    )
    with hold(tmp_path, now=NOW):
        pass


def test_what_a_killed_one_left_is_no_obstacle(tmp_path: Path) -> None:
    with another(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert json.loads((tmp_path / "ouzel.lock").read_text())["pid"] == process.pid
    assert held_by(tmp_path) is False
    with hold(tmp_path, now=NOW) as held:
        assert held.holder.pid == os.getpid()
        assert held_by(tmp_path) == held.holder
    assert (tmp_path / "ouzel.lock").read_text() == ""


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"pid": 1}', "\0" * 10])
def test_a_holder_that_does_not_say_who_it_is(tmp_path: Path, text: str) -> None:
    with hold(tmp_path, now=NOW):
        (tmp_path / "ouzel.lock").write_text(text)
        with pytest.raises(DataFolderBusy, match=r"is held by another Ouzel$"), hold(tmp_path, now=NOW):
            pass
        assert held_by(tmp_path) is True


def test_a_holder_of_a_later_version_has_said_more(tmp_path: Path) -> None:
    with hold(tmp_path, now=NOW):
        (tmp_path / "ouzel.lock").write_text('{"pid": 7, "host": "a", "since": "b", "mood": "good"}')
        assert held_by(tmp_path) == Holder(7, "a", "b")


def test_a_lock_file_that_was_removed_is_not_the_one_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opened = tmp_path / "ouzel.lock", os.open

    def removed_once(*args: object) -> int:
        monkeypatch.undo()
        fd = opened(*args)  # type: ignore[arg-type]
        path.unlink()
        return fd

    monkeypatch.setattr(lock.os, "open", removed_once)
    with hold(tmp_path, now=NOW), pytest.raises(DataFolderBusy), hold(tmp_path, now=NOW):
        pass


def test_who_only_looks_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who looks holds the lock for a moment: who wants it waits for that long."""
    with hold(tmp_path, now=NOW):
        pass
    looking = os.open(tmp_path / "ouzel.lock", os.O_RDONLY)
    lock.fcntl.flock(looking, lock.fcntl.LOCK_SH)
    monkeypatch.setattr(lock.time, "sleep", lambda _seconds: os.close(looking))
    with hold(tmp_path, now=NOW):
        pass


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(lock.os, "open", refuse)
    with (
        pytest.raises(ReadOnly, match=r"ouzel.lock cannot be written: Read-only file system$"),
        hold(tmp_path, now=NOW),
    ):
        pass


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(ReadOnly, match=r"x/data is not a folder$"), hold(tmp_path / "x" / "data", now=NOW):
        pass
    with pytest.raises(StorageError):
        held_by(tmp_path / "x")


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with pytest.raises(StorageError, match="its file system has no locks; use a local disk"), hold(tmp_path, now=NOW):
        pass
