"""What people read exists in both languages, with the same fields."""

from __future__ import annotations

import string
from typing import get_args

import pytest

from ouzel.cli.texts import TABLES
from ouzel.model.flow import EndReason
from ouzel.model.info import State
from ouzel.model.recovery import Outcome
from ouzel.model.states import RecordingState
from ouzel.model.verdict import FindingCode, Status

EN = {key: text for table in TABLES for key, text in table.EN.items()}
ZH = {key: text for table in TABLES for key, text in table.ZH.items()}


def fields(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


def test_no_key_stands_in_two_tables() -> None:
    assert sum(len(table.EN) for table in TABLES) == len(EN)


def test_both_languages_have_the_same_texts() -> None:
    assert EN.keys() == ZH.keys()


@pytest.mark.parametrize("key", sorted(EN))
def test_both_fill_in_the_same_fields(key: str) -> None:
    assert fields(EN[key]) == fields(ZH[key])


def test_every_code_has_a_text() -> None:
    wanted = {f"finding.{code.value}" for code in FindingCode}
    wanted |= {f"outcome.{outcome.value}" for outcome in Outcome}
    wanted |= {f"status.{status}" for status in get_args(Status)}
    wanted |= {f"file_state.{state}" for state in get_args(State)}
    wanted |= {f"reason.{reason.value}" for reason in EndReason}
    wanted |= {f"state.{state.value}" for state in RecordingState}
    assert wanted <= EN.keys()
