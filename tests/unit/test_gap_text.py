"""A gap as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ouzel.cli import texts
from ouzel.cli.options import gap_text
from ouzel.model.flow import Gap, GapCode

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GAP = Gap(2.0, GapCode.SEGMENT_GONE, "404", NOON, NOON, 3.5)


@pytest.mark.parametrize(("language", "sound"), [("en", "3.5 s of the sound missing"), ("zh", "声音 3.5")])
def test_what_is_missing_of_the_sound_alone_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, language: str, sound: str
) -> None:
    monkeypatch.setattr(texts, "language", lambda: language)
    assert sound in gap_text(replace(GAP, scope="audio"))
    assert sound not in gap_text(GAP)
