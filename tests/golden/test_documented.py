"""What is promised in `docs/reference` is what there is: every code, and no other."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import ouzel
from ouzel.base.errors import OuzelError
from ouzel.model import ledger
from ouzel.model.info import State
from ouzel.model.recovery import Outcome
from ouzel.model.verdict import Finding, FindingCode

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def rows(page: str, heading: str = "") -> dict[str, list[str]]:
    """The tables of a page (of a section of it), by the code in their first cell."""
    text = (REFERENCE / page).read_text()
    if heading:
        text = text.split(heading, 1)[1].split("\n## ", 1)[0]
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if code := re.fullmatch(r"`(\w+)`", cells[0]):
            assert code[1] not in found, f"{code[1]} is listed twice"
            found[code[1]] = cells[1:]
    return found


def errors(base: type[OuzelError]) -> Iterator[type[OuzelError]]:
    yield base
    for child in base.__subclasses__():
        yield from errors(child)


def all_errors() -> set[type[OuzelError]]:
    for module in pkgutil.walk_packages(ouzel.__path__, "ouzel."):
        if not module.name.startswith(("ouzel.testing", "ouzel.system.launch")) and not module.name.endswith(
            "__main__"
        ):
            importlib.import_module(module.name)
    return {error for error in errors(OuzelError) if error.__module__.startswith("ouzel.")}


def test_every_error_code_is_listed_with_whether_to_try_again() -> None:
    told = {code: cells[0] for code, cells in rows("errors.md").items()}
    assert told == {error.code: error.retry.value for error in all_errors()}


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in all_errors()]
    assert len(codes) == len(set(codes))


def test_every_finding_is_listed_with_its_level() -> None:
    told = {code: cells[0] or "clean" for code, cells in rows("commands.md", "## `ouzel verify").items()}
    assert told == {code.value: Finding(code).level for code in FindingCode}


def test_every_outcome_is_listed() -> None:
    assert set(rows("commands.md", "## `ouzel recover")) == {outcome.value for outcome in Outcome}


def test_every_state_is_listed() -> None:
    section = (REFERENCE / "commands.md").read_text().split("## `ouzel info", 1)[1]
    assert set(get_args(State)) == set(re.findall(r"`(\w+)`", section[section.index("(") : section.index(")")]))


def test_every_kind_of_ledger_line_is_listed() -> None:
    assert set(rows("ledger.md", "## Lines")) == set(ledger._KINDS.values())


def test_the_example_line_of_the_ledger_is_a_real_one() -> None:
    example = next(line for line in (REFERENCE / "ledger.md").read_text().splitlines() if '"k":"chunk"' in line)
    line = ledger.parse_line(example.strip().encode())
    assert ledger.render(line) == example.strip().encode() + b"\n"
