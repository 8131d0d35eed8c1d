"""INI files as Python's `RawConfigParser` reads them, with line numbers, and without dying of what is wrong in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ouzel.config.importers.result import Problem
from ouzel.config.importers.text import LINE_END, lines_of

_SECTION = re.compile(r"\[([^\]]*)\]\s*")
_EQUALS = re.compile(r"\s*[=:]\s*")
_WIDE_EQUALS = re.compile(r"\s*[＝：]\s*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value. Later ones with the same name count."""

    key: str
    """As it is written."""
    name: str
    """In one spelling: no wide letters, lower case, nothing blank in it."""
    value: str = field(repr=False)
    line: int
    section: str = ""


def spelling(key: str) -> str:
    """One of all the ways in which a key is written: brackets and bars are ordinary, letters small, blanks gone."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", key).lower())


def parse_ini(text: str, is_known: Callable[[str], bool]) -> tuple[list[Entry], list[Problem], list[int]]:
    """All keys in their order, lines that are none, and the numbers of comments, headings, and lines that continue a value.

    Args:
        is_known: whether a name, as `spelling` writes it, is a key. An indented line without one goes on with the value before.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    others: list[int] = []
    section = ""
    for (number, line), raw in zip(lines_of(text), LINE_END.split(text), strict=True):
        if not line:
            continue
        heading = _SECTION.fullmatch(line)
        if heading or line[0] in "#;":
            others.append(number)
            section = heading[1].strip() if heading else section
            continue
        found = _EQUALS.search(line) or _WIDE_EQUALS.search(line)
        is_key = found is not None and found.start() > 0
        if raw[:1] in " \t" and entries and not (is_key and found and is_known(spelling(line[: found.start()]))):
            entries[-1] = replace(entries[-1], value=entries[-1].value + line)
            others.append(number)
            continue
        if found is None or not is_key:
            problems.append(Problem(number, "no_key", {"section": section}))  # the line may be a piece of a cookie
            continue
        key = line[: found.start()]
        entries.append(Entry(key, spelling(key), line[found.end() :], number, section))
    return entries, problems, others
