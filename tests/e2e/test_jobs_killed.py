"""Killed at fifty moments under load, no job is lost, and none is run twice."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

_HOUSE = Path(__file__).parents[2]
_KILLS = 50


class Mother:
    """Forks the processes that are killed."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.jobs_process", str(folder)]
        self._process = subprocess.Popen(
            command, cwd=_HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.put: set[str] = set()
        """Ids of jobs that were told to be in the queue."""

    def bear(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        while not (line := self.line()).startswith("child "):
            self._note(line)
        return int(line.split()[1])

    def line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "it has ended"
        self._note(line)
        return line

    def _note(self, line: str) -> None:
        word, _, name = line.partition(" ")
        if word == "put":
            self.put.add(name)

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        while self.line() != f"dead {pid}":
            pass

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


@pytest.fixture
def mother(tmp_path: Path) -> Iterator[Mother]:
    begun = Mother(tmp_path)
    yield begun
    begun.close()


def test_no_job_is_lost_and_none_is_run_twice(mother: Mother, tmp_path: Path) -> None:
    chance = random.Random(20261122)
    for _ in range(_KILLS):
        pid = mother.bear()
        for _ in range(chance.randrange(40)):
            if mother.line() == "idle":
                break
        mother.kill(pid)

    last = mother.bear()
    while mother.line() != "idle":
        pass
    mother.kill(last)

    with closing(sqlite3.connect(tmp_path / "ouzel.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        jobs = dict(connection.execute("SELECT id, epoch FROM jobs WHERE state = 'done'").fetchall())
        others = connection.execute("SELECT id, state FROM jobs WHERE state != 'done'").fetchall()
        notes = connection.execute("SELECT subject, data FROM events WHERE code = 'recording.finished'").fetchall()
        wishes = connection.execute("SELECT key FROM owns").fetchall()
        tried_again = connection.execute("SELECT count(*) FROM jobs WHERE attempts > 1").fetchone()[0]
    assert (others, wishes) == ([], [])
    assert mother.put <= jobs.keys(), "a job is lost"
    assert sorted(name for name, _ in notes) == sorted(jobs), "a job was run twice, or not at all"
    assert {name: json.loads(data)["epoch"] for name, data in notes} == jobs
    assert tried_again > 5, "nothing was killed in its middle: the test tests nothing"
