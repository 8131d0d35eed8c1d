"""Child programs: what they inherit, how they end, what is kept of what they say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from ouzel.base.errors import ToolFailed, ToolMissing
from ouzel.system.process import run, spawn

PYTHON = [sys.executable, "-I", "-S", "-c"]


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except (ProcessLookupError, FileNotFoundError):  # it may go at any moment, also between the two
        return False


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def first_line(fd: int) -> bytes:
    held = b""
    while not held.endswith(b"\n"):
        await anyio.wait_readable(fd)
        if not (data := os.read(fd, 4096)):
            break
        held += data
    return held


@pytest.mark.anyio
async def test_it_says_what_it_has_to_say() -> None:
    result = await run([*PYTHON, "import sys; print('out' * 3); sys.stderr.write('a warning\\n')"])
    assert (result.returncode, result.stdout, result.errors) == (0, b"outoutout\n", "a warning")


@pytest.mark.anyio
async def test_lines_are_handed_on_one_by_one_whatever_the_pieces() -> None:
    lines: list[str] = []
    script = "import os\nfor piece in (b'a\\nb', b'c\\n\\n', b'rest'): os.write(1, piece)"
    result = await run([*PYTHON, script], on_line=lines.append)
    assert lines == ["a", "bc", "", "rest"]
    assert result.stdout == b""


@pytest.mark.anyio
async def test_a_bad_end_is_an_error_with_the_last_words() -> None:
    script = "import sys; sys.stderr.write('first\\nhttp://u:secret@host/x?token=abc failed\\n'); sys.exit(3)"
    with pytest.raises(ToolFailed) as failed:
        await run([*PYTHON, script])
    assert str(failed.value).endswith("ended with code 3: http://***@host/x?token=*** failed")
    assert "secret" not in str(failed.value.context)
    assert (await run([*PYTHON, "raise SystemExit(3)"], check=False)).returncode == 3


@pytest.mark.anyio
async def test_a_crash_names_the_signal() -> None:
    with pytest.raises(ToolFailed, match="was ended by SIGABRT: it gave no reason"):
        await run([*PYTHON, "import os; os.abort()"])


@pytest.mark.anyio
async def test_only_the_end_of_its_complaints_is_kept() -> None:
    script = "import sys\nfor n in range(20000): sys.stderr.write(f'line {n}\\n')"
    errors = (await run([*PYTHON, script])).errors
    assert errors.endswith("line 19999")
    assert len(errors) <= 16 * 1024


@pytest.mark.anyio
async def test_it_may_not_say_too_much_nor_take_too_long() -> None:
    with pytest.raises(ToolFailed, match="said more than 1000 bytes"):
        await run([*PYTHON, "print('x' * 100_000)"], limit_bytes=1000)
    with pytest.raises(ToolFailed, match="took longer"):
        await run([*PYTHON, "import time; time.sleep(60)"], timeout_s=0.2)


@pytest.mark.anyio
async def test_a_missing_program_is_named(tmp_path: Path) -> None:
    before = open_files()
    for name in ("no-such-program-here", str(tmp_path)):
        with pytest.raises(ToolMissing, match=name):
            await run([name])
    assert open_files() == before


@pytest.mark.anyio
async def test_it_inherits_no_file_no_secret_and_no_ignored_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUZEL_TOKEN", "secret")
    script = (
        "import os, signal; print(sorted(int(f) for f in os.listdir('/proc/self/fd'))[:-1], 'OUZEL_TOKEN' in os.environ,"
        "'PATH' in os.environ, os.environ['EXTRA'], os.getsid(0) == os.getpid(), os.nice(0))"
    )
    with (tmp_path / "open").open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        result = await run([*PYTHON, script], env={"EXTRA": "1"}, nice=7)
    assert result.stdout == f"[0, 1, 2] False True 1 True {min(os.nice(0) + 7, 19)}\n".encode()
    status = (await run(["cat", "/proc/self/status"])).stdout.decode()
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    assert int(ignored.split()[1], 16) & (1 << signal.SIGPIPE - 1) == 0


@pytest.mark.anyio
async def test_leaving_ends_it_and_leaves_no_descriptor() -> None:
    before = open_files()
    async with spawn([*PYTHON, "import time; print('up', flush=True); time.sleep(60)"]) as child:
        assert await first_line(child.stdout_fd) == b"up\n"
    assert child.returncode == -signal.SIGTERM
    assert not is_running(child.pid)
    assert open_files() == before


@pytest.mark.anyio
async def test_one_that_will_not_end_is_killed() -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    async with spawn([*PYTHON, script]) as child:
        await first_line(child.stdout_fd)
    assert child.returncode == -signal.SIGKILL


@pytest.mark.anyio
async def test_cancelling_ends_it() -> None:
    pids: list[int] = []
    with anyio.CancelScope() as scope:

        def started(line: str) -> None:
            pids.append(int(line))
            scope.cancel()

        await run([*PYTHON, "import os, time; print(os.getpid(), flush=True); time.sleep(60)"], on_line=started)
    assert scope.cancelled_caught
    assert not is_running(pids[0])


@pytest.mark.anyio
async def test_an_error_of_the_listener_comes_out_as_it_is() -> None:
    def fail(line: str) -> None:
        raise KeyError(line)

    with pytest.raises(KeyError, match="x"):
        await run([*PYTHON, "import time; print('x', flush=True); time.sleep(60)"], on_line=fail)


@pytest.mark.anyio
async def test_a_feeder_gives_it_its_input() -> None:
    feeder = [*PYTHON, "import os\nfor _ in range(40): os.write(1, bytes(100_000))"]
    result = await run([*PYTHON, "import sys; print(len(sys.stdin.buffer.read()))"], fed_by=feeder)
    assert result.stdout == b"4000000\n"


@pytest.mark.anyio
async def test_a_feeder_that_fails_is_a_failure_but_one_that_is_cut_off_is_not() -> None:
    reader = [*PYTHON, "import sys; sys.stdin.buffer.read()"]
    with pytest.raises(ToolFailed, match="ended with code 4: no more"):
        await run(reader, fed_by=[*PYTHON, "import sys; sys.stderr.write('no more'); sys.exit(4)"])
    endless = ["sh", "-c", "while echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; do :; done"]
    result = await run([*PYTHON, "import sys; print(sys.stdin.buffer.read(4))"], fed_by=endless)
    assert result.stdout == b"b'xxxx'\n"


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_it_dies_with_us() -> None:
    ours = (
        "import anyio, os, signal\n"
        "from ouzel.system.process import spawn\n"
        "async def main():\n"
        "    async with spawn(['sleep', '60']) as child:\n"
        "        with open(f'/proc/{child.pid}/comm') as f:\n"
        "            while f.read() != 'sleep\\n': f.seek(0)\n"
        "        os.write(1, f'{child.pid}\\n'.encode())\n"
        "        await anyio.sleep_forever()\n"
        "anyio.run(main)\n"
    )
    with subprocess.Popen([sys.executable, "-c", ours], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.kill()
        deadline = time.monotonic() + 30
        while is_running(pid) and time.monotonic() < deadline:
            os.sched_yield()
        assert not is_running(pid)


@pytest.mark.anyio
async def test_what_must_not_be_an_argument_is_told_on_standard_input() -> None:
    script = "import sys; print(sys.stdin.read(), '--'.join(sys.argv[1:]), flush=True)"
    async with spawn([*PYTHON, script, "seen"], stdin=b"s3cret") as child:
        assert await first_line(child.stdout_fd) == b"s3cret seen\n"
        assert await child.wait() == 0


@pytest.mark.anyio
async def test_more_than_a_pipe_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        async with spawn([*PYTHON, ""], stdin=bytes(33 * 1024)):
            pass
