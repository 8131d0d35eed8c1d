"""The view of the daemon on a real terminal: drawn over and over, steered by keys, and never in the daemon's way."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
import pytest

from ouzel.cli.live import live_view
from ouzel.model.overview import Overview

_LFLAG = 3
_COOKED = termios.ICANON | termios.ECHO
_LEADER = (
    "import fcntl, runpy, sys, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0); sys.argv.pop(0); "
    "runpy.run_module('tests.view_process', run_name='__main__')"
)
"""The terminal is the session's own, as after a login."""


@dataclass
class Viewed:
    process: subprocess.Popen[bytes]
    said: io.BufferedReader
    master: int
    slave: int
    text: str = ""

    def until(self, word: str) -> str:
        """What the terminal shows up to this word and all that came with it. Fails by the test's own limit only."""
        while word not in self.text:
            self.text += os.read(self.master, 65536).decode(errors="replace")
        return self.text

    def said_line(self) -> str:
        return self.said.readline().decode().strip()

    def mode(self) -> int:
        return termios.tcgetattr(self.slave)[_LFLAG] & _COOKED

    def ended(self) -> int:
        """Its code; what it still writes is read meanwhile."""
        os.set_blocking(self.master, False)
        while self.process.poll() is None:
            try:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            except (BlockingIOError, OSError):
                time.sleep(0.01)
        return self.process.returncode


@contextmanager
def viewed(*words: str, stdin: int | None = None, stdout: int | None = None, **more: str) -> Generator[Viewed]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    reading, writing = os.pipe()
    out = slave if stdout is None else stdout
    program = ["-c", _LEADER, "view"] if stdout is None else ["-m", "tests.view_process"]
    environment = {
        **os.environ,
        "OUZEL_LANG": "en",
        "NO_COLOR": "1",
        "TERM": "xterm",
        "VIEW_SAYS": str(writing),
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, *program, *words],
        stdin=slave if stdin is None else stdin,
        stdout=out,
        stderr=slave,
        start_new_session=True,
        pass_fds=[writing],
        env=environment,
    )
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        try:
            yield Viewed(process, said, master, slave)
        finally:
            process.kill()
            process.wait()
            os.close(master)
            os.close(slave)


def test_a_table_is_drawn_and_log_lines_scroll_above_it() -> None:
    with viewed() as view:
        assert view.said_line() == "ready"
        view.until("recording")
        view.process.send_signal(signal.SIGUSR2)
        text = view.until("a line of the log")
        assert "小明" in text[text.index("a line of the log") :] or "小明" in view.until("小明")
        view.process.terminate()
        assert view.ended() == 0


@pytest.mark.parametrize("how", ["", "crash"])
def test_the_terminal_is_as_it_was_after_every_end(how: str) -> None:
    with viewed(how) as view:
        assert view.mode() == _COOKED
        view.until("recording")
        os.write(view.master, b"\x10")
        view.until("queued")
        assert view.mode() == 0
        view.process.terminate()
        assert view.ended() == (1 if how else 0)
        assert view.mode() == _COOKED


def test_ctrl_p_prints_every_task_and_other_keys_nothing() -> None:
    with viewed() as view:
        view.until("recording")
        os.write(view.master, b"abc\x04\x1b[A")
        os.write(view.master, b"\x10")
        text = view.until("queued")
        assert "resolving (process): 1" in text
        assert "huya  running" in text
        assert "abc" not in text
        assert view.process.poll() is None


def test_sigusr1_prints_every_task_where_there_is_no_terminal() -> None:
    with viewed(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as view:
        assert view.said_line() == "ready"
        view.process.send_signal(signal.SIGUSR1)
        assert view.process.stdout is not None
        with view.process.stdout as lines:
            assert [lines.readline().decode().split()[0] for _ in range(4)] == [
                "resolving",
                "huya",
                "recording:",
                "小明",
            ]
            view.process.terminate()
            assert lines.read() == b""
        assert view.process.wait() == 0


def test_a_table_without_a_keyboard() -> None:
    with viewed(stdin=subprocess.DEVNULL) as view:
        view.until("recording")
        view.process.send_signal(signal.SIGUSR1)
        view.until("queued")
        view.process.terminate()
        assert view.ended() == 0


def test_who_asks_before_there_is_a_view_ends_nothing() -> None:
    asked = (
        "import os, signal, ouzel.__main__ as begin, ouzel.cli.main as line; "
        "line.main = lambda: (os.kill(os.getpid(), signal.SIGUSR1), print('alive'))[1]; begin.main()"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"alive\n")


@pytest.mark.anyio
async def test_who_asks_after_its_end_ends_nothing() -> None:
    asked: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: asked.append(number))
    try:
        with live_view(table=False) as view:
            async with anyio.create_task_group() as tasks:
                await tasks.start(view.run, look)
                tasks.cancel_scope.cancel()
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert asked == [signal.SIGUSR1]


async def look() -> Overview:
    raise AssertionError("nobody looked")


def test_a_job_in_the_background_is_not_stopped() -> None:
    """Nor does it touch the mode of a terminal that another job has, nor read what is typed for that."""
    shell = (
        "import fcntl, os, signal, subprocess, sys, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0); "
        "command = [sys.executable, '-m', 'tests.view_process']; says = int(os.environ['VIEW_SAYS']); "
        "job = subprocess.Popen(command, process_group=0, pass_fds=[says]); "
        "signal.signal(signal.SIGTERM, lambda *_: job.terminate()); "
        "signal.signal(signal.SIGUSR1, lambda *_: job.send_signal(signal.SIGUSR1)); "
        "status = os.waitpid(job.pid, os.WUNTRACED)[1]; "
        "sys.exit(99 if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status))"
    )
    global _LEADER  # noqa: PLW0603
    before, _LEADER = _LEADER, shell
    try:
        with viewed() as view:
            mode = termios.tcgetattr(view.slave)
            mode[_LFLAG] |= termios.TOSTOP
            termios.tcsetattr(view.slave, termios.TCSANOW, mode)
            assert view.said_line() == "ready"
            os.write(view.master, b"for the other job\n")
            view.process.send_signal(signal.SIGUSR1)
            text = view.until("queued")
            assert "CHANNEL" not in text, "the picture is not drawn over another job's"
            assert view.mode() == _COOKED
            view.process.terminate()
            assert view.ended() == 0
    finally:
        _LEADER = before


def test_a_terminal_that_nobody_reads_does_not_stop_it() -> None:
    """As after Ctrl+S: what is logged waits, and so does nobody else; the end comes all the same."""
    with viewed(LINES_AT_ONCE="5000") as view:
        assert view.said_line() == "ready"
        view.until("recording")
        for _ in range(3):
            view.process.send_signal(signal.SIGUSR2)
            assert view.said_line() == "logged"
        view.process.terminate()
        assert view.process.wait(60) == 0
        assert view.mode() == _COOKED
