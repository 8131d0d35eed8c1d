"""What is promised in `docs/reference` is what there is: every code, and no other."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import ouzel
from ouzel.base.errors import OuzelError
from ouzel.cli import main
from ouzel.formats.shape import RepairCode
from ouzel.model import ledger
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason, GapCode
from ouzel.model.info import State
from ouzel.model.recovery import Outcome
from ouzel.model.states import RecordingState
from ouzel.model.verdict import Finding, FindingCode

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / name).read_text()


def anchors(text: str) -> set[str]:
    """What a link may name: headings, in lower case and with dashes."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(name: str, heading: str = "") -> dict[str, list[str]]:
    """The tables of a page (of a section of it), by the code in their first cell."""
    text = page(name)
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


def test_every_gap_code_is_listed() -> None:
    assert set(rows("report.md", "## Why something is missing")) == {code.value for code in GapCode}


def test_every_end_reason_is_listed() -> None:
    assert set(rows("report.md", "## Why it ended")) == {reason.value for reason in EndReason}


def test_every_event_is_listed() -> None:
    assert set(rows("report.md", "## Events")) == {code.value for code in EventCode} | {"report", "error"}


def test_every_event_has_an_example_whose_fields_are_those_of_the_table() -> None:
    listed = rows("report.md", "## Events")
    examples = [json.loads(line) for line in re.findall(r'^    (\{"event": .*\})$', page("report.md"), re.MULTILINE)]
    assert {example["event"] for example in examples} == set(listed) - {"report"}
    for example in examples:
        told = set(re.findall(r"`(\w+)`", " ".join(listed[example["event"]])))
        assert set(example) - {"event", "at", "source"} - told == set(), example["event"]


def test_every_repair_is_listed() -> None:
    codes = set(get_args(RepairCode))
    for row in (rows("report.md", "## Events")["repair"], rows("ledger.md", "## Lines")["fix"]):
        assert codes - set(re.findall(r"`(\w+)`", row[0])) == set()


def test_every_state_of_a_recording_is_listed() -> None:
    listed = next(line for line in page("report.md").splitlines() if line.startswith("`state` is one of"))
    assert set(re.findall(r"`(\w+)`", listed)) == {state.value for state in RecordingState} - {"done"} | {"state"}


def test_every_exit_code_is_listed() -> None:
    codes = {value for name, value in vars(main).items() if name.startswith("EXIT_")}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page("exit-codes.md"), re.MULTILINE)} == codes


def test_every_variable_of_ours_is_listed() -> None:
    sources = [path for path in Path(ouzel.__file__).parent.rglob("*.py") if "testing" not in path.parts]
    used = {name for file in sources for name in re.findall(r"OUZEL_[A-Z]+(?:_[A-Z]+)*", file.read_text())}
    assert used - set(rows("record.md", "## Environment")) == set()


def test_no_page_leads_nowhere() -> None:
    root = REFERENCE.parents[1]
    for source in [*root.glob("*.md"), *(root / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)\s]+)\)", source.read_text()):
            if ":" in link:
                continue
            name, _, anchor = link.partition("#")
            target = source.parent / name if name else source
            assert target.exists(), f"{source.name}: {link}"
            if anchor:
                assert anchor in anchors(target.read_text()), f"{source.name}: {link}"


def test_every_kind_of_ledger_line_is_listed() -> None:
    assert set(rows("ledger.md", "## Lines")) == set(ledger._KINDS.values())


def test_the_example_line_of_the_ledger_is_a_real_one() -> None:
    example = next(line for line in (REFERENCE / "ledger.md").read_text().splitlines() if '"k":"chunk"' in line)
    line = ledger.parse_line(example.strip().encode())
    assert ledger.render(line) == example.strip().encode() + b"\n"
