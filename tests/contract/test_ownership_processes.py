"""Who owns what when processes are killed, frozen, doubled and started again. Real processes; lines tell when something is so."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engines import Engine

_HOUSE = Path(__file__).parents[2]


class Process:
    """A worker, and the lines that it says."""

    def __init__(self, engine: str, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.station_process", engine, str(folder), "rec:a"]
        self._process = subprocess.Popen(
            command, cwd=_HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def until(self, line: str) -> list[str]:
        """The lines up to this one."""
        assert self._process.stdout is not None
        said: list[str] = []
        for each in self._process.stdout:
            said.append(each.strip())
            if said[-1] == line:
                return said
        raise AssertionError(f"it ended without {line!r}: {said}")

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def over(self) -> int:
        """Its exit code."""
        return self._process.wait(30)

    def clear(self) -> None:
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


@pytest.fixture
def start(engine: Engine, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    begun: list[Process] = []

    def begin() -> Process:
        begun.append(Process(engine.name, tmp_path))
        return begun[-1]

    yield begin
    for process in begun:
        process.clear()


def test_what_a_killed_process_had_is_taken_over_at_once(start: Callable[[], Process]) -> None:
    first = start()
    first.until("began rec:a 1")
    first.tell("write")
    first.until("wrote rec:a 1")
    first.kill()

    second = start()
    second.until("began rec:a 2")
    second.tell("write")
    second.until("wrote rec:a 2")


def test_a_frozen_process_that_wakes_can_commit_nothing_and_ends(start: Callable[[], Process]) -> None:
    first = start()
    first.until("began rec:a 1")
    first.tell("freeze")
    first.until("freezing")
    second = start()
    second.until("began rec:a 2")

    first.signal(signal.SIGCONT)
    first.tell("write")
    first.until("refused rec:a 1")
    first.tell("beat")
    first.until("ended rec:a fenced")
    first.until("fenced")
    assert first.over() == 0

    second.tell("write")
    second.until("wrote rec:a 2")


def test_a_second_process_on_the_same_data_takes_over_from_a_living_one(start: Callable[[], Process]) -> None:
    first = start()
    first.until("began rec:a 1")
    second = start()
    second.until("began rec:a 2")

    first.tell("beat")
    first.until("fenced")
    second.tell("beat")
    second.tell("write")
    second.until("wrote rec:a 2")


def test_a_process_that_stops_gives_back_and_the_next_goes_on(start: Callable[[], Process]) -> None:
    first = start()
    first.until("began rec:a 1")
    first.tell("stop")
    assert first.until("left")[-2:] == ["ended rec:a shutdown", "left"]
    assert first.over() == 0

    start().until("began rec:a 2")


def test_what_is_not_wanted_any_more_ends(start: Callable[[], Process]) -> None:
    first = start()
    first.until("began rec:a 1")
    first.tell("unwant")
    first.until("ended rec:a unwanted")


def test_a_killed_process_that_was_killed_again_and_again(start: Callable[[], Process]) -> None:
    for epoch in range(1, 5):
        process = start()
        process.until(f"began rec:a {epoch}")
        process.kill()
