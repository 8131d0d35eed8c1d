"""What `--help` says, word for word: a change of it is a change of what users know.

After a change that is meant: `OUZEL_WRITE_GOLDEN=1 pytest tests/golden`, and look at the difference.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ouzel.cli import texts
from ouzel.cli.main import COMMANDS, run

FOLDER = Path(__file__).with_name("help")
NOUNS = ("channels", "recordings", "downloads", "jobs", "pipelines", "users", "notices")


def _commands() -> list[str]:
    """All, those of groups with the name of the group."""
    groups = ((noun, getattr(importlib.import_module(COMMANDS[noun]), noun)) for noun in NOUNS)
    return ["", *COMMANDS, *(path for noun, group in groups for path in _below(noun, group))]


def _below(path: str, group: click.Group) -> Iterator[str]:
    for name, command in group.commands.items():
        yield f"{path} {name}"
        if isinstance(command, click.Group):
            yield from _below(f"{path} {name}", command)


EVERY = _commands()


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In a terminal of 100 columns."""
    monkeypatch.setenv("OUZEL_LANG", "en")
    monkeypatch.setenv("COLUMNS", "100")
    texts.language.cache_clear()
    yield
    texts.language.cache_clear()


@pytest.mark.parametrize("command", EVERY)
def test_the_help_is_as_it_was(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == 0
    said = capsys.readouterr().out
    golden = FOLDER / f"{command.replace(' ', '-') or 'ouzel'}.txt"
    if os.environ.get("OUZEL_WRITE_GOLDEN"):
        golden.write_text(said)
    assert said == golden.read_text()


def test_every_option_of_record_is_in_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    from ouzel.cli.record import record

    reference = (Path(__file__).parents[2] / "docs/reference/record.md").read_text()
    options = [name for option in record.params for name in option.opts if name.startswith("--")]
    assert len(options) >= 20
    assert [name for name in options if f"`{name}" not in reference] == []


@pytest.mark.parametrize("command", EVERY)
def test_the_help_is_chinese_for_who_reads_chinese(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OUZEL_LANG", "zh")
    texts.language.cache_clear()
    assert run([*command.split(), "--help"]) == 0
    said = capsys.readouterr().out
    english = (FOLDER / f"{command.replace(' ', '-') or 'ouzel'}.txt").read_text()
    assert re.findall(r"^  (?:-\w, )?--[\w-]+", said, re.MULTILINE) == re.findall(
        r"^  (?:-\w, )?--[\w-]+", english, re.MULTILINE
    )
    assert not re.findall(r"[a-z]+ [a-z]+ [a-z]+", said.replace(f"ouzel {command}", "")), "English words are left"
