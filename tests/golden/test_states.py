"""The page that draws the life of a recording says what the table says."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from ouzel.model import downloads, jobs
from ouzel.model.states import MOVES, RecordingState, move

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize(
    ("page", "moves"),
    [("design/recording.md", MOVES), ("reference/jobs.md", jobs.MOVES), ("reference/downloads.md", downloads.MOVES)],
)
def test_the_page_has_every_move_and_no_other(page: str, moves: Mapping[StrEnum, frozenset[StrEnum]]) -> None:
    drawn: dict[str, set[str]] = {}
    text = (DOCS / page).read_text()
    section = text.partition("\n## States\n")[2].partition("\n## ")[0] or text
    for row in re.findall(r"^\| `(\w+)` \| (.*?) ?\|$", section, re.MULTILINE):
        drawn[row[0]] = set(re.findall(r"`(\w+)`", row[1]))
    assert drawn == {state.value: {then.value for then in allowed} for state, allowed in moves.items()}


def test_an_illegal_move_raises() -> None:
    assert move(RecordingState.PARKED, RecordingState.CONNECTING) is RecordingState.CONNECTING
    assert move(RecordingState.DONE, RecordingState.DONE) is RecordingState.DONE
    with pytest.raises(ValueError, match="from done to recording"):
        move(RecordingState.DONE, RecordingState.RECORDING)


def test_a_job_moves_by_its_table() -> None:
    assert jobs.move(jobs.JobState.FAILED, jobs.JobState.QUEUED) is jobs.JobState.QUEUED
    with pytest.raises(ValueError, match="from done to queued"):
        jobs.move(jobs.JobState.DONE, jobs.JobState.QUEUED)
