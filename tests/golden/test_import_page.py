"""What `docs/reference/import.md` promises is what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from ouzel.cli.texts import imports
from ouzel.config.importers.result import Format, NoticeCode, ProblemCode
from ouzel.services.adoption import Left

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "import.md").read_text()


def codes(heading: str) -> list[str]:
    """Of the table of a section."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("Formats", Format), ("Notices", NoticeCode), ("Problems", ProblemCode), ("Recordings on the disk", Left)],
)
def test_every_code_is_listed_once(heading: str, kind: object) -> None:
    assert sorted(codes(heading)) == sorted(get_args(kind))


def test_every_code_has_its_sentence() -> None:
    wanted = {f"import.{code}" for code in (*get_args(NoticeCode), *get_args(ProblemCode))}
    wanted |= {f"format.{code}" for code in get_args(Format)} | {f"left.{code}" for code in get_args(Left)}
    assert wanted <= set(imports.EN)
