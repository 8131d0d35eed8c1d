"""Killed at twenty moments of each kind of step: runs end once, nothing is lost, nothing is there twice, and nothing half."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.afterwards_process import CHAINS
from tests.e2e.mother import Mother
from tests.recordings import record

from ouzel.engine import ledgers
from ouzel.model.audit import audit
from ouzel.testing.clips import make_clip

_KILLS = 20
_STEPS, _FILES = CHAINS["media"].names, CHAINS["media"].files
_FIRST_LINES = 4
"""Of a step, about as many as it says at least; how many it says is learnt on the way."""
_LEFT = {
    ".h264.mp4": "original", ".h264.poster.jpg": "poster", ".h264.storyboard-1.jpg": "sprite",
    ".h264.storyboard.vtt": "storyboard", ".h264.clock.srt": "subtitles",
}  # fmt: skip
"""What is there of a recording in the end, with the roles."""


@pytest.fixture
def mother(tmp_path: Path, clip_folder: Path) -> Iterator[Mother]:
    clip = make_clip(clip_folder, seconds=2, size="160x90", gop_s=1)
    for number, name in enumerate(_FILES):
        record(tmp_path, clip, lost=[number], name=name)
    (tmp_path / "media").mkdir()
    begun = Mother("afterwards_process", tmp_path, "media")
    yield begun
    begun.close()


def check_products(media: Path) -> None:
    """What has the name of a product is whole."""
    for path in media.glob("*.mp4"):
        held = ledgers.find(path)
        assert held is not None
        assert held.product is not None, f"{path} is not told of"
        assert ledgers.digest(path) == held.product.digest, f"{path} is a part of a product"


class Killer:
    """Kills in the middle of steps that were not killed often enough, and lets the others pass."""

    def __init__(self, mother: Mother) -> None:
        self._mother = mother
        self._chance = random.Random(20261123)
        self._lines: defaultdict[str, int] = defaultdict(lambda: _FIRST_LINES)
        self.kills: Counter[str] = Counter()

    def run(self) -> None:
        """One child, until it is killed or has nothing to do."""
        pid, step, said, ends = self._mother.bear(), "", 0, 0
        while True:
            if step and said >= ends:
                self.kills[step] += 1
                break
            line = self._mother.line()
            said += 1
            word, _, name = line.partition(" ")
            if word == "idle":
                break
            if word == "begin":
                if step:
                    self._lines[step] = max(self._lines[step], said)
                step, said = (name, 0) if self.kills[name] < _KILLS else ("", 0)
                ends = self._chance.randrange(self._lines[step]) if step else 0
        self._mother.kill(pid)


def test_each_run_ends_once_and_nothing_is_lost(mother: Mother, tmp_path: Path) -> None:
    media, killer = tmp_path / "media", Killer(mother)
    while any(killer.kills[step] < _KILLS for step in _STEPS):
        killer.run()
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
        runs = {
            run: (item, state, skipped)
            for run, item, state, skipped in ask("SELECT id, recording_id, state, skipped FROM pipeline_runs")
        }
        ends = Counter(
            subject
            for subject, data in ask("SELECT subject, data FROM events WHERE code = 'pipeline.run'")
            if json.loads(data)["state"] == "done"
        )
        states = {state for (state,) in ask("SELECT state FROM jobs")}
        rows = ask("SELECT recording_id, path, role, state, bytes FROM files")
        wishes = ask("SELECT key FROM owns WHERE key LIKE 'job:%'")
        changes = [json.loads(data) for (data,) in ask("SELECT data FROM events WHERE code = 'job.changed'")]
        begun = Counter(each["kind"] for each in changes if each["state"] == "running")
    assert mother.put <= {*finished}, "a recording is lost"
    assert sorted(item for item, *_ in runs.values()) == sorted(finished), "a run is lost, or there twice"
    assert {state for _, state, _ in runs.values()} == {"done"}
    assert {json.loads(skipped) == [] for *_, skipped in runs.values()} == {True}, "a step was passed over"
    assert ends == Counter(runs.keys()), "a run ended twice"
    assert (states, wishes) == ({"done"}, [])

    rows = [row for row in rows if row[0] in finished]  # of others their process was killed before their end
    names = {item: path.partition(".")[0] for item, path, *_ in rows}
    wanted = sorted((item, f"{names[item]}{ending}", role) for item in finished for ending, role in _LEFT.items())
    assert sorted((item, path, role) for item, path, role, *_ in rows) == wanted, "a file is lost, or there twice"
    assert {state for *_, state, _ in rows} == {"closed"}
    assert all((media / path).stat().st_size == size for _, path, *_, size in rows)
    there = {path.name for path in media.iterdir() if path.name.partition(".")[0] in names.values()}
    assert there == {f"{name}{ending}" for name in names.values() for ending in (*_LEFT, ".h264.ledger")}
    check_products(media)
    for name in names.values():
        held = ledgers.find(media / f"{name}.h264.mp4")
        assert held is not None
        assert ([*audit(held.ledger)], len(held.ledger.gaps), len(held.ledger.chunks)) == ([], len(_FILES), len(_FILES))

    told = Counter(line.split()[0] for line in (tmp_path / "log").read_text().splitlines())
    assert told.keys() == runs.keys(), "a command was not run"
    assert told.total() <= begun["command"], "a command was run beside its job"
    assert all(begun[step] >= _KILLS for step in _STEPS), "a step was not killed: the test tests nothing"
