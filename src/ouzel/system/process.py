"""Child programs: started with nothing of ours in hand, read without blocking, and never left behind.

Each child leads its own session, so that a Ctrl+C at the terminal reaches only us; on Linux the kernel kills it when we die.
It inherits no file but the three standard ones, and of the environment only what `PASSED_ON` names: tokens stay here.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import anyio
import anyio.abc

from ouzel.base.errors import ToolFailed, ToolMissing
from ouzel.base.urls import redact_text

NICE = 10
"""Of what works on files that are whole: well behind everything that records, and everything interactive."""
GRACE_S = 1.0
"""Between the request to end and the kill."""
PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "PYTHONPATH",
)  # fmt: skip

_PIPE_BYTES = 1024 * 1024
_STDERR_BYTES = 16 * 1024
_READ_BYTES = 64 * 1024
_INPUT_BYTES = 32 * 1024
"""What a pipe takes on every system before anybody reads from it; less than the usual 64 KiB."""
_LAUNCHER = str(Path(__file__).with_name("launch.py"))

Line = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished program left."""

    returncode: int
    """Negative: the signal that ended it."""
    stdout: bytes
    errors: str
    """The end of what it said on stderr, redacted."""


class Child:
    """A running program. Made by `spawn`."""

    def __init__(self, name: str, process: anyio.abc.Process, stdout: FileIO | None, stderr: FileIO) -> None:
        self.name = name
        self._process = process
        self._stdout = stdout
        self._stderr = stderr
        self._said = bytearray()
        self.feeder: Child | None = None
        """The program that it reads from."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(stderr.fileno(), self._listen)

    @property
    def stdout_fd(self) -> int:
        """Its standard output, non-blocking: for `add_reader` or `anyio.wait_readable`. `spawn` closes it."""
        assert self._stdout is not None
        return self._stdout.fileno()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    @property
    def errors(self) -> str:
        """The end of what it said on stderr so far, at most 16 KiB, redacted."""
        self._listen()
        return redact_text(self._said.decode("utf-8", "replace").strip())

    async def wait(self) -> int:
        """Return code, once it has ended."""
        return await self._process.wait()

    async def end(self) -> None:
        """Ask it to end, and after `GRACE_S` make it."""
        if self.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        with anyio.move_on_after(GRACE_S):
            await self._process.wait()
        if self.returncode is None:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def sweep(self) -> None:
        """Kill what it has started and left behind."""
        self._signal(signal.SIGKILL)

    def failure(self) -> ToolFailed:
        """The error that tells how it ended badly."""
        errors = self.errors
        last = errors.splitlines()[-1] if errors else "it gave no reason"
        return ToolFailed(f"{self.name} {_ending(self.returncode)}: {last}", returncode=self.returncode, errors=errors)

    def release(self) -> None:
        """Close our ends of its pipes."""
        self._listen()
        self._hang_up()
        if self._stdout is not None:
            self._stdout.close()

    def _signal(self, number: signal.Signals) -> None:
        signal_all(self._process, number)

    def _listen(self) -> None:
        if self._stderr.closed:
            return
        while data := self._stderr.read(_READ_BYTES):
            self._said += data
            del self._said[:-_STDERR_BYTES]
        if data is not None:  # not "nothing now", but the end
            self._hang_up()

    def _hang_up(self) -> None:
        if not self._stderr.closed:
            self._loop.remove_reader(self._stderr.fileno())
            self._stderr.close()


@asynccontextmanager
async def spawn(
    args: Sequence[str],
    *,
    fed_by: Sequence[str] | None = None,
    stdin: bytes = b"",
    nice: int = 0,
    env: Mapping[str, str] | None = None,
) -> AsyncGenerator[Child, None]:
    """A running program whose standard output is read by the caller from `child.stdout_fd`.

    Leaving the context, also by cancellation, ends the program and waits for it. Start it from the thread of a loop that
    outlives it: Linux kills it when that thread ends.

    Args:
        args: the program (a path, or a name on PATH) and its arguments.
        fed_by: another program, whose output it reads; it reads nothing otherwise.
        stdin: or these bytes, at most 32 KiB: what must not stand in the process table, where every user can read it.
        nice: added to our own CPU priority value; 10 is well behind everything interactive.
        env: variables beside those of `PASSED_ON`.
    Raises: ToolMissing when there is no such program; ValueError for too long a `stdin`.
    """
    async with AsyncExitStack() as stack:
        feeder: Child | None = None
        feed: FileIO | None = stack.enter_context(_filled(stdin)) if stdin else None
        if fed_by is not None:
            feeder, feed = await _feeder(stack, fed_by, nice, env)
            stack.enter_context(feed)
        reader, writer = _pipe()
        stack.enter_context(reader)
        with writer:
            child = await stack.enter_async_context(_started(args, feed, writer, reader, nice=nice, env=env))
        if feed is not None:
            feed.close()  # its own copy is the only one: the feeder must notice when it stops reading
        os.set_blocking(reader.fileno(), False)
        child.feeder = feeder
        yield child


async def run(
    args: Sequence[str],
    *,
    fed_by: Sequence[str] | None = None,
    on_line: Line | None = None,
    nice: int = 0,
    env: Mapping[str, str] | None = None,
    limit_bytes: int = 16 * 1024 * 1024,
    timeout_s: float | None = None,
    check: bool = True,
) -> Result:
    """Run a program to its end.

    Args:
        on_line: called with each line of its standard output as it comes; `Result.stdout` is then empty.
        limit_bytes: of standard output, or of one line of it.
        timeout_s: None = as long as it takes.
        check: raise when it does not end with 0.
        args, fed_by, nice, env: as in `spawn`.
    Raises: ToolMissing; ToolFailed when it ends badly, says too much, or takes too long.
    """
    with anyio.move_on_after(timeout_s):
        async with spawn(args, fed_by=fed_by, nice=nice, env=env) as child:
            stdout = await _read_all(child, on_line, limit_bytes)
            returncode = await child.wait()
            if check:
                await _check(child)
            return Result(returncode, stdout, child.errors)
    raise ToolFailed(f"{Path(args[0]).name} took longer than {timeout_s} s", timeout_s=timeout_s)


async def open_worker(
    args: Sequence[str], *, env: Mapping[str, str] | None = None, stderr: int | None = None
) -> anyio.abc.Process:
    """This interpreter again, which answers over its standard streams (`system.worker`). Whoever opens it ends it.

    Args:
        args: of the interpreter: `-m`, a module, and what that is told.
        env: variables beside those of `PASSED_ON`.
        stderr: `subprocess.PIPE`, or None for our own.
    """
    command, pipe = launched(sys.executable, args), subprocess.PIPE
    with anyio.CancelScope(shield=True) as scope:  # short; cut off in its middle it would leave an orphan
        return await anyio.open_process(
            command, stdin=pipe, stdout=pipe, stderr=stderr, env=environment(env), start_new_session=True
        )
    raise AssertionError(scope)


def signal_all(process: anyio.abc.Process, number: signal.Signals = signal.SIGKILL) -> None:
    """To it and to all that it has started, if any of them is left. Not by its own method, which would take its exit status away
    from who waits for it.
    """
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        os.killpg(process.pid, number)


def find_program(name: str) -> str:
    """Absolute path of a program. Raises: ToolMissing."""
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(f"{name} is not a program that can be run here", program=name)
    return str(Path(found).absolute())


@asynccontextmanager
async def _started(
    args: Sequence[str],
    stdin: FileIO | None,
    stdout: FileIO,
    reader: FileIO | None,
    *,
    nice: int,
    env: Mapping[str, str] | None,
) -> AsyncGenerator[Child, None]:
    program = find_program(args[0])
    err_reader, err_writer = _pipe()
    os.set_blocking(err_reader.fileno(), False)
    try:
        with err_writer:
            process = await _open(launched(program, args[1:], nice), stdin, stdout, err_writer, environment(env))
    except BaseException:
        err_reader.close()
        raise
    child = Child(Path(program).name, process, reader, err_reader)
    try:
        yield child
    finally:
        with anyio.CancelScope(shield=True):
            await child.end()
        child.release()


async def _open(
    command: list[str], stdin: FileIO | None, stdout: FileIO, stderr: FileIO, env: dict[str, str]
) -> anyio.abc.Process:
    with anyio.CancelScope(shield=True) as scope:  # short; cut off in its middle it would leave an orphan
        return await anyio.open_process(
            command, stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=env, start_new_session=True
        )
    raise AssertionError(scope)


async def _feeder(
    stack: AsyncExitStack, args: Sequence[str], nice: int, env: Mapping[str, str] | None
) -> tuple[Child, FileIO]:
    """Start a program; the second is the end of the pipe at which its output is read."""
    reader, writer = _pipe()
    try:
        with writer:
            feeder = await stack.enter_async_context(_started(args, None, writer, None, nice=nice, env=env))
    except BaseException:
        reader.close()
        raise
    return feeder, reader


async def _check(child: Child) -> None:
    if child.returncode:
        raise child.failure()
    feeder = child.feeder
    if feeder is not None and await feeder.wait() not in {0, -signal.SIGPIPE}:  # the latter: its reader had enough
        raise feeder.failure()


async def read_lines(child: Child, on_line: Line, limit_bytes: int = _PIPE_BYTES) -> None:
    """Its standard output to its end, line by line. Raises: ToolFailed for a line longer than the limit."""
    await _read_all(child, on_line, limit_bytes)


async def _read_all(child: Child, on_line: Line | None, limit_bytes: int) -> bytes:
    held = bytearray()
    while True:
        await anyio.wait_readable(child.stdout_fd)
        data = os.read(child.stdout_fd, _READ_BYTES)
        if not data:
            break
        held += data
        if on_line is not None:
            *lines, held = held.split(b"\n")
            for line in lines:
                on_line(line.decode("utf-8", "replace"))
        if len(held) > limit_bytes:
            raise ToolFailed(f"{child.name} said more than {limit_bytes} bytes", limit=limit_bytes)
    if on_line is None:
        return bytes(held)
    if held:
        on_line(held.decode("utf-8", "replace"))
    return b""


def _pipe() -> tuple[FileIO, FileIO]:
    """Both ends, blocking, not inheritable, with room for the bursts of a media muxer."""
    read_end, write_end = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # beyond what this user may have: the usual 64 KiB will do
            fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return FileIO(read_end, "r"), FileIO(write_end, "w")


def _filled(data: bytes) -> FileIO:
    """The end of a pipe at which these bytes are read, and then its end."""
    if len(data) > _INPUT_BYTES:
        raise ValueError(f"{len(data)} bytes of input are too many; the limit is {_INPUT_BYTES}")
    reader, writer = _pipe()
    with writer:
        writer.write(data)
    return reader


def launched(program: str, args: Sequence[str], nice: int = 0) -> list[str]:
    """The command that becomes this program; on Linux the kernel then kills it when our thread that starts it ends.

    Args:
        program: its absolute path.
    """
    if sys.platform != "linux" and not nice:
        return [program, *args]
    return [sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid()), str(nice), program, *args]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a child is told: of ours `PASSED_ON`, and `extra`."""
    return {name: value for name in PASSED_ON if (value := os.environ.get(name)) is not None} | dict(extra or {})


def _ending(code: int | None) -> str:
    if code is None:
        return "was not waited for"
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
