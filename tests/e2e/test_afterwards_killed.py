"""Killed at twenty moments of a chain of remux and command: each run ends once, nothing is lost, and nothing is there twice."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.mother import Mother
from tests.recordings import record

from ouzel.engine import ledgers
from ouzel.testing.clips import Clip

_KILLS = 20
_LINES = 34
"""About as many as a child says of its two recordings."""


@pytest.fixture
def mother(tmp_path: Path, clip: Clip) -> Iterator[Mother]:
    record(tmp_path, clip, lost=[4])
    (tmp_path / "media").mkdir()
    begun = Mother("afterwards_process", tmp_path)
    yield begun
    begun.close()


def check_products(media: Path) -> int:
    """What has the name of a product is whole."""
    found = [*media.glob("*.mp4")]
    for path in found:
        held = ledgers.find(path)
        assert held is not None
        assert held.product is not None, f"{path} is not told of"
        assert ledgers.digest(path) == held.product.digest, f"{path} is a part of a product"
    return len(found)


def test_each_run_ends_once_and_nothing_is_lost(mother: Mother, tmp_path: Path) -> None:
    chance, media = random.Random(20261123), tmp_path / "media"
    for _ in range(_KILLS):
        pid = mother.bear()
        for _ in range(chance.randrange(_LINES)):
            if mother.line() == "idle":
                break
        mother.kill(pid)
        check_products(media)

    last = mother.bear()
    while mother.line() != "idle":
        pass
    mother.kill(last)

    with closing(sqlite3.connect(tmp_path / "ouzel.db")) as connection:

        def ask(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        assert ask("PRAGMA integrity_check") == [("ok",)]
        finished = [each for (each,) in ask("SELECT subject FROM events WHERE code = 'recording.finished'")]
        runs = {run: (item, state) for run, item, state in ask("SELECT id, recording_id, state FROM pipeline_runs")}
        ends = Counter(
            subject
            for subject, data in ask("SELECT subject, data FROM events WHERE code = 'pipeline.run'")
            if json.loads(data)["state"] == "done"
        )
        states = {state for (state,) in ask("SELECT state FROM jobs")}
        rows = ask("SELECT recording_id, root, path, role, state FROM files")
        wishes = ask("SELECT key FROM owns WHERE key LIKE 'job:%'")
        changes = [json.loads(data) for (data,) in ask("SELECT data FROM events WHERE code = 'job.changed'")]
        begun = Counter(each["kind"] for each in changes if each["state"] == "running")
    rows = [row for row in rows if row[0] in finished]  # of others their process was killed before their end
    assert mother.put <= {*finished}, "a recording is lost"
    assert sorted(item for item, _ in runs.values()) == sorted(finished), "a run is lost, or there twice"
    assert {state for _, state in runs.values()} == {"done"}
    assert ends == Counter(runs.keys()), "a run ended twice"
    assert (states, wishes) == ({"done"}, [])
    assert sorted(row[0] for row in rows) == sorted(finished), "a file is lost, or there twice"
    assert {(Path(path).suffix, role, state) for _, _, path, role, state in rows} == {(".mp4", "original", "closed")}
    assert all((media / path).exists() for _, _, path, _, _ in rows)
    assert check_products(media) == len(rows)
    assert [*media.glob("*.converting")] == []
    assert not [path for path in media.glob("*.ts") if path.with_suffix(".mp4").exists()], "an original stayed"

    told = Counter(line.split()[0] for line in (tmp_path / "log").read_text().splitlines())
    assert told.keys() == runs.keys(), "a command was not run"
    assert told.total() <= begun["command"], "a command was run beside its job"
    assert begun["remux"] > len(runs) + 5, "nothing was killed in its middle: the test tests nothing"
