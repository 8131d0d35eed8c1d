"""The real command in a child process, as a person, a script or a supervisor runs it; and what it leaves on the disk."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import xxhash

from ouzel.model import ledger
from ouzel.testing.markers import read_markers

HANG_S = 120.0
"""Far beyond anything that is right: a child that takes longer hangs. Not a measure of speed."""
_LINES_SHOWN = 40


@dataclass(frozen=True)
class Done:
    """A call that has ended."""

    code: int
    """The exit code; negative when a signal ended it."""
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--json` said."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def report(self) -> dict[str, Any]:
        last = self.events[-1]
        assert last["event"] == "report", last
        return last

    def told(self, event: str) -> list[dict[str, Any]]:
        return [doc for doc in self.events if doc["event"] == event]

    @property
    def files(self) -> list[Path]:
        return [Path(file["path"]) for file in self.report["files"]]


class Running:
    """A call that is going on; used with `with`, so that none is left behind."""

    def __init__(
        self,
        *args: object,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        command: str = "record",
        python: Sequence[str] = (sys.executable,),
    ) -> None:
        words = [*python, "-m", "ouzel", command, *map(str, args)]
        self._began = time.monotonic()
        self._err_path = cwd / f".stderr-{time.monotonic_ns()}"
        with self._err_path.open("wb") as err:
            self.process = subprocess.Popen(
                words, cwd=cwd, env=environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err
            )
        assert self.process.stdout is not None
        self._pipe = self.process.stdout.fileno()
        self._out = b""
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def until(self, event: str, **fields: object) -> dict[str, Any]:
        """The next event of `--json` with these fields; those before it are passed over."""
        while True:
            line = self._next_line()
            assert line is not None, f"no {event} {fields}: it ended; {self._said()}"
            doc = json.loads(line)
            if doc["event"] == event and all(doc.get(name) == value for name, value in fields.items()):
                return doc

    def until_all(self, event: str, *sources: str) -> None:
        """Return once each of these addresses has told of such an event, be it long ago."""
        missing = set(sources) - {json.loads(line)["source"] for line in self._lines_of(event)}
        while missing:
            missing.discard(self.until(event)["source"])

    def until_media(self, seconds: float) -> dict[str, Any]:
        """Return once the progress tells of so much media."""
        while (doc := self.until("progress"))["media_s"] < seconds:
            pass
        return doc

    def until_kept(self, chunks: int, *sources: str) -> list[Path]:
        """Return once the file of each of these addresses has so many whole chunks. Gives the paths while they are written."""
        self.until_all("file_opened", *sources)
        opened = [json.loads(line) for line in self._lines_of("file_opened")]
        parts = [Path(doc["path"]) for doc in opened if doc["source"] in sources]
        until = time.monotonic() + HANG_S
        while any(_chunks(part) < chunks for part in parts):
            assert time.monotonic() < until, f"they do not grow; {self._said()}"
            assert self.process.poll() is None, self._said()
            time.sleep(0.005)
        return parts

    def send(self, *numbers: signal.Signals) -> None:
        """Several arrive together: none is handled before the last one is there."""
        if len(numbers) > 1:
            self.process.send_signal(signal.SIGSTOP)
        for number in numbers:
            self.process.send_signal(number)
        if len(numbers) > 1:
            self.process.send_signal(signal.SIGCONT)

    @property
    def err(self) -> str:
        return self._err_path.read_text()

    def end(self) -> Done:
        """Wait for it to end by itself."""
        while self._more():
            pass
        code = self.process.wait(HANG_S)
        err = self.err
        self._err_path.unlink()
        return Done(code, self._out.decode(), err)

    def _lines_of(self, event: str) -> list[bytes]:
        """The lines of such an event among those that were read."""
        start = f'{{"event": "{event}"'.encode()
        return [line for line in self._out[: self._read].splitlines() if line.startswith(start)]

    def _said(self) -> str:
        """The last of what it said, for a failure."""
        lines = [line for line in self._out.decode().splitlines() if '"progress"' not in line[:24]]
        return "\n".join(["it had said:", *lines[-_LINES_SHOWN:], self.err])

    def _next_line(self) -> bytes | None:
        while b"\n" not in self._out[self._read :]:
            if not self._more():
                return None
        end = self._out.index(b"\n", self._read) + 1
        line, self._read = self._out[self._read : end], end
        return line

    def _more(self) -> bool:
        left_s = self._began + HANG_S - time.monotonic()
        ready, _, _ = select.select([self._pipe], [], [], max(left_s, 0.0))
        assert ready, f"it hangs; {self._said()}"
        data = os.read(self._pipe, 1 << 16)
        self._out += data
        return bool(data)


def _chunks(part: Path) -> int:
    return part.with_suffix("").with_suffix(".ledger").read_bytes().count(b'{"k":"chunk"')


def ouzel(
    *args: object,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    command: str = "record",
    python: Sequence[str] = (sys.executable,),
) -> Done:
    """Run the command to its end. `python`: the interpreter, and what it is to be started by."""
    with Running(*args, cwd=cwd, env=env, command=command, python=python) as running:
        return running.end()


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """For the child: English, and every warning is an error there too."""
    return {**os.environ, "OUZEL_LANG": "en", "PYTHONWARNINGS": "error", "COLUMNS": "100", **(more or {})}


def book_of(path: Path) -> ledger.Ledger:
    """The ledger of a media file, finished or not."""
    return ledger.read(path.with_name(path.name.removesuffix(".part")).with_suffix(".ledger").read_bytes())


def proven(path: Path, *, closed: bool = True) -> ledger.Ledger:
    """The ledger of a file, after every chunk's bytes were compared with it. Shares no code with `ouzel verify`."""
    book, data = book_of(path), path.read_bytes()
    assert book.chunks, path
    end = book.head.length if book.head else 0
    for chunk in book.chunks:
        assert chunk.offset == end
        end += chunk.length
        assert xxhash.xxh3_64_hexdigest(data[chunk.offset : end]) == chunk.digest, (path, chunk.index)
    if closed:
        assert book.closing is not None
        assert len(data) == book.closing.size
        assert not book.torn
    return book


def numbers(path: Path, *, channel: str | None = None) -> list[int]:
    """The running numbers of the groups of pictures in a file; all must be of one channel, the one that is named."""
    ending = path.name.removesuffix(".part").rpartition(".")[2]
    marks = read_markers(path.read_bytes(), ending)  # type: ignore[arg-type]
    names = {name for name, _ in marks}
    assert len(names) <= 1, names
    assert channel is None or names == {channel}
    return [number for _, number in marks]


def is_run(found: list[int]) -> bool:
    """Whether none is missing and none comes twice."""
    return found == list(range(found[0], found[0] + len(found)))


def left_in(folder: Path) -> list[str]:
    """What is in a folder and below, without what these helpers put there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if not path.name.startswith(".stderr"))
    return sorted(map(str, found))
