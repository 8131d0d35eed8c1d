"""Killed at thirty moments while it tells people, no message is lost, and none is told twice but by a kill."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.mother import Mother

_KILLS = 30


@pytest.fixture
def mother(tmp_path: Path) -> Iterator[Mother]:
    begun = Mother("telling_process", tmp_path)
    yield begun
    begun.close()


def test_no_message_is_lost(mother: Mother, tmp_path: Path) -> None:
    chance = random.Random(20261123)
    for _ in range(_KILLS):
        pid = mother.bear()
        for _ in range(chance.randrange(14)):
            if mother.line() == "idle":
                break
        mother.kill(pid)

    last = mother.bear()
    while mother.line() != "idle":
        pass
    mother.kill(last)

    with closing(sqlite3.connect(tmp_path / "ouzel.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        events = dict(
            connection.execute("SELECT subject, number FROM events WHERE code = 'download.finished'").fetchall()
        )
        states = connection.execute("SELECT state, count(*) FROM messages GROUP BY state").fetchall()
    told = [line.split() for line in (tmp_path / "told").read_text().splitlines()]
    wanted = {(f"http://{target}", str(number)) for target in "ab" for number in events.values()}
    assert mother.put <= events.keys()
    assert len(mother.put) > 3 * _KILLS, "nothing happened: the test tests nothing"
    assert {(target, number) for _, target, *numbers in told for number in numbers} == wanted, "a message is lost"
    assert states == [("sent", len(wanted))]
    later: set[tuple[str, str]] = set()
    last_of: set[tuple[str, str]] = set()
    for child, target, *numbers in reversed(told):
        sent = {(target, number) for number in numbers}
        if (child, target) in last_of:
            assert not sent & later, "what was told and written down is told again"
        last_of.add((child, target))
        later |= sent
