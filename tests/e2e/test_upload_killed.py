"""Killed at twenty moments of a chain of upload and command: what is at the remote is whole, each copy is known once, and what
lies here is in the trash only where its copies are there.
"""

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
from tests.remotes import S3, Servers, open_servers

from ouzel.testing.clips import Clip

_KILLS = 20
_LINES = 20
"""About as many as a child says of a recording."""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with open_servers(tmp_path / "remotes") as opened:
        yield opened


@pytest.fixture
def mother(tmp_path: Path, clip: Clip, servers: Servers) -> Iterator[Mother]:
    record(tmp_path, clip, lost=[4])
    (tmp_path / "media").mkdir()
    (tmp_path / "remote.json").write_text(json.dumps({"kind": "s3", "settings": S3 | {"endpoint": servers.s3}}))
    begun = Mother("afterwards_process", tmp_path, "upload")
    yield begun
    begun.close()


def test_each_copy_is_whole_and_known_once(mother: Mother, servers: Servers, tmp_path: Path) -> None:
    chance = random.Random(20261123)
    whole = {ending: (tmp_path / f"show.{ending}").read_bytes() for ending in ("ts", "ledger")}

    def check() -> dict[str, bytes]:
        there = {name: data for name, data in servers.files("s3").items() if not name.startswith(".ouzel-test-")}
        assert all(data == whole[name.rpartition(".")[2]] for name, data in there.items()), "something half is there"
        return there

    for _ in range(_KILLS):
        pid = mother.bear()
        for _ in range(chance.randrange(_LINES)):
            if mother.line() == "idle":
                break
        mother.kill(pid)
        check()

    last = mother.bear()
    while mother.line() != "idle":
        pass
    mother.kill(last)

    with closing(sqlite3.connect(tmp_path / "ouzel.db")) as connection:

        def ask(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        finished = [each for (each,) in ask("SELECT subject FROM events WHERE code = 'recording.finished'")]
        runs = ask("SELECT recording_id, state FROM pipeline_runs")
        trashed = {each for (each,) in ask("SELECT id FROM recordings WHERE deleted_at IS NOT NULL")}
        removed = Counter(each for (each,) in ask("SELECT subject FROM events WHERE code = 'recording.removed'"))
        copies = Counter(ask("SELECT recording_id, key FROM copies"))
        files = dict(ask("SELECT recording_id, path FROM files"))
        changes = [json.loads(data) for (data,) in ask("SELECT data FROM events WHERE code = 'job.changed'")]
    begun = Counter(each["kind"] for each in changes if each["state"] == "running")
    assert mother.put <= {*finished}, "a recording is lost"
    assert sorted(runs) == sorted((each, "done") for each in finished)
    wanted = {(each, str(Path(files[each]).with_suffix(f".{ending}"))) for each in finished for ending in whole}
    assert copies == Counter(wanted), "a copy is not known, or twice"
    assert check().keys() == {key for _, key in wanted}
    assert (trashed, removed) == ({*finished}, Counter(finished)), "it is in the trash, and once"
    assert all((tmp_path / "media" / path).exists() for path in files.values()), "the trash gives back"
    assert begun["upload"] > len(finished), "nothing was killed in its middle: the test tests nothing"
