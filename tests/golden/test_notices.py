"""Every notice is documented, and has a sentence in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from ouzel.cli import texts
from ouzel.cli.texts import notices as sentences
from ouzel.model.notices import CODES

_PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "notices.md").read_text()
_ROWS = {
    cells[0].strip(" `"): (cells[1].strip(), set(re.findall(r"\w+", cells[-1])))
    for line in _PAGE.splitlines()
    if line.startswith("| `") and (cells := line.strip("|").split("|"))
}


def test_every_code_is_listed_with_its_severity() -> None:
    assert {code: row[0] for code, row in _ROWS.items()} == {code: severity.value for code, severity in CODES.items()}


def test_every_code_has_a_sentence_of_documented_fields() -> None:
    assert [key.removeprefix("notice.") for key in sentences.EN] == list(CODES)
    for table in (sentences.EN, sentences.ZH):
        for code, (_, listed) in _ROWS.items():
            asked = {field for _, field, _, _ in Formatter().parse(table[f"notice.{code}"]) if field}
            assert asked <= listed, code


def test_a_notice_that_lacks_a_field_is_said_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_LANG", "en")
    texts.language.cache_clear()
    assert texts.notice("hook.failed", {"hook": "a", "why": None}) == "the hook a failed: "
    assert texts.notice("of.tomorrow", {}) == "of.tomorrow"
    texts.language.cache_clear()
