"""Killed at twenty moments of moves to another root: no file is lost, there twice, or looks whole before it is."""

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
_LINES = 40
"""About as many as a child says of its two recordings, and what was left of others."""


@pytest.fixture
def mother(tmp_path: Path, clip: Clip) -> Iterator[Mother]:
    record(tmp_path, clip, lost=[4])
    for name in ("media", "nas"):
        (tmp_path / name).mkdir()
    begun = Mother("afterwards_process", tmp_path, "move")
    yield begun
    begun.close()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix in {".ts", ".ledger"}}


def test_each_file_is_at_one_place(mother: Mother, tmp_path: Path) -> None:
    chance, media, nas = random.Random(20261123), tmp_path / "media", tmp_path / "nas"
    digest, book = ledgers.digest(tmp_path / "show.ts"), (tmp_path / "show.ledger").read_bytes()

    def whole(folder: Path) -> None:
        for name in names(folder):
            path = folder / name
            is_whole = path.read_bytes() == book if path.suffix == ".ledger" else ledgers.digest(path) == digest
            assert is_whole, f"{path} is a part"

    for _ in range(_KILLS):
        pid = mother.bear()
        for _ in range(chance.randrange(_LINES)):
            if mother.line() == "idle":
                break
        mother.kill(pid)
        whole(nas)
        stems = {Path(name).stem for name in names(media) | names(nas)}
        for stem in stems:
            assert any((folder / f"{stem}.ts").exists() for folder in (media, nas)), f"{stem} is lost"

    last = mother.bear()
    while mother.line() != "idle":
        pass
    mother.kill(last)

    with closing(sqlite3.connect(tmp_path / "ouzel.db")) as connection:

        def ask(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        finished = {each for (each,) in ask("SELECT subject FROM events WHERE code = 'recording.finished'")}
        rows = ask("SELECT recording_id, root, path, state, was_root FROM files")
        runs = ask("SELECT recording_id, state FROM pipeline_runs")
        changes = [json.loads(data) for (data,) in ask("SELECT data FROM events WHERE code = 'job.changed'")]
    rows = [row for row in rows if row[0] in finished]
    assert mother.put <= finished, "a recording is lost"
    assert sorted(runs) == sorted((each, "done") for each in finished)
    assert {row[1:2] + row[3:] for row in rows} == {("nas", "closed", None)}
    assert sorted(row[0] for row in rows) == sorted(finished), "a file is lost, or there twice"
    moved = {Path(row[2]).stem for row in rows}
    assert names(nas) == {f"{stem}.{ending}" for stem in moved for ending in ("ts", "ledger")}
    assert not {Path(name).stem for name in names(media)} & moved, "one stayed where it was"
    assert [*nas.glob("*.converting")] == []
    whole(nas)
    begun = Counter(each["kind"] for each in changes if each["state"] == "running")
    assert begun["move"] > len(runs) + 5, "nothing was killed in its middle: the test tests nothing"
