"""Killed at twenty moments under load, no download is lost, and none is run twice at once."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.downloads_process import PIECES
from tests.e2e.mother import Mother

_KILLS = 20


@pytest.fixture
def mother(tmp_path: Path) -> Iterator[Mother]:
    begun = Mother("downloads_process", tmp_path)
    yield begun
    begun.close()


def test_no_download_is_lost_and_none_is_run_twice_at_once(mother: Mother, tmp_path: Path) -> None:
    chance = random.Random(20261123)
    told: list[str] = []

    def line() -> str:
        told.append(mother.line())
        return told[-1]

    for _ in range(_KILLS):
        pid = mother.bear()
        for _ in range(chance.randrange(14)):
            if line() == "idle":
                break
        mother.kill(pid)

    last = mother.bear()
    while line() != "idle":
        pass
    mother.kill(last)

    with closing(sqlite3.connect(tmp_path / "ouzel.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT id, stem, state, path FROM downloads").fetchall()
        finished = connection.execute("SELECT subject FROM events WHERE code = 'download.finished'").fetchall()
        wishes = connection.execute("SELECT key FROM owns WHERE want").fetchall()
    assert {state for _, _, state, _ in rows} == {"completed"}
    assert mother.put <= {name for name, *_ in rows}, "a download is lost"
    assert sorted(name for (name,) in finished) == sorted(name for name, *_ in rows), "finished twice, or not at all"
    assert wishes == []
    assert [each for each in told if each.startswith("twice")] == []
    for _, stem, _, path in rows:
        assert Path(path).read_text() == "".join(f"{number}\n" for number in range(PIECES)), stem
    begun = [each.partition(" ")[2] for each in told if each.startswith("begun")]
    assert len(begun) - len({*begun}) >= 3, "nothing was killed in its middle: the test tests nothing"
