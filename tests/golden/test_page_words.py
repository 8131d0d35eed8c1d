"""What the page says in both languages: there is a sentence for every code that the server can send."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.golden.test_documented import all_errors

from ouzel.cli.texts import notices

WORDS = Path(__file__).parents[2] / "web" / "src" / "words"
TEXTS = {"en": notices.EN, "zh": notices.ZH}


def words(language: str, name: str) -> dict[str, str]:
    return json.loads((WORDS / language / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("language", TEXTS)
def test_every_error_has_a_sentence(language: str) -> None:
    assert {each.code for each in all_errors()} - set(words(language, "error")) == set()


@pytest.mark.parametrize("language", TEXTS)
def test_every_notice_has_a_sentence(language: str) -> None:
    codes = {key.removeprefix("notice.").replace(".", "_") for key in TEXTS[language] if key.startswith("notice.")}
    assert codes - set(words(language, "notice")) == set()
