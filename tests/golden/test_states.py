"""The page that draws the life of a recording says what the table says."""

import re
from pathlib import Path

import pytest

from ouzel.model.states import MOVES, RecordingState, move

PAGE = Path(__file__).parent.parent.parent / "docs" / "design" / "recording.md"


def test_the_page_has_every_move_and_no_other() -> None:
    drawn: dict[str, set[str]] = {}
    for row in re.findall(r"^\| `(\w+)` \| (.*?) ?\|$", PAGE.read_text(), re.MULTILINE):
        drawn[row[0]] = set(re.findall(r"`(\w+)`", row[1]))
    assert drawn == {state.value: {then.value for then in allowed} for state, allowed in MOVES.items()}


def test_an_illegal_move_raises() -> None:
    assert move(RecordingState.PARKED, RecordingState.CONNECTING) is RecordingState.CONNECTING
    assert move(RecordingState.DONE, RecordingState.DONE) is RecordingState.DONE
    with pytest.raises(ValueError, match="from done to recording"):
        move(RecordingState.DONE, RecordingState.RECORDING)
