"""Killed at fifty moments under load, no job is lost, and none is run twice."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.mother import Mother

_KILLS = 50


@pytest.fixture
def mother(tmp_path: Path) -> Iterator[Mother]:
    begun = Mother("jobs_process", tmp_path)
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
