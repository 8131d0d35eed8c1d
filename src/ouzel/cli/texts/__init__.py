"""What people read, in English and Chinese. Each sibling module has an `EN` and a `ZH` table with the same keys and fields."""

from __future__ import annotations

import locale
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from ouzel.cli.texts import (
    clients,
    daemon,
    errors,
    files,
    imports,
    notices,
    overview,
    platforms,
    record,
    sentences,
    setup,
)

TABLES = (clients, daemon, record, files, platforms, setup, imports, overview, errors, notices)


@cache
def language() -> str:
    """`zh` or `en`: OUZEL_LANG, else the locale's environment variables, else English."""
    for name in ("OUZEL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith("zh") else "en"


@cache
def _table(lang: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for module in TABLES:
        merged.update(module.ZH if lang == "zh" else module.EN)
    return merged


def tr(key: str, /, **fields: object) -> str:
    """The text for `key` in the user's language, its `{fields}` filled in."""
    return _table(language())[key].format(**fields)


def told(message: str, lang: str = "") -> str:
    """On one line, in the user's language if that is known; the message is English. `lang`: another one."""
    line = " ".join(message.split())
    return sentences.in_chinese(line) or line if (lang or language()) == "zh" else line


def reason(code: str, message: str) -> str:
    """What went wrong, on one line: the message, which is English; in another language the same, or, where it is not known in
    that, what the code means, and then the message.

    A code that is none of an error means nothing: the message stands alone.
    """
    line, detail, what = " ".join(message.split()), told(message), _table(language()).get(f"error.{code}", "")
    if detail and (not what or language() == "en" or detail != line):
        return detail
    return tr("with_detail", what=what, detail=detail) if detail else what


def advice(code: str) -> str:
    """What can be done about an error; empty where its message says it, or nothing helps."""
    return _table(language()).get(f"advice.{code}", "")


def advised(code: str, message: str) -> str:
    """Both."""
    why, to_do = reason(code, message), advice(code)
    return tr("with_advice", reason=why, advice=to_do) if to_do else why


def _problem(problem: Mapping[str, Any]) -> str:
    """As `ouzel import` says it."""
    key, line = f"import.{problem['code']}", problem["line"]
    said = tr(key, **problem["about"]) if key in _table(language()) else str(problem["code"])
    return tr("import.at", line=line, text=said) if line else said


def notice(code: str, data: Mapping[str, object]) -> str:
    """The sentence of a notice; its code where an older or newer Ouzel wrote it."""
    return notice_in(language(), code, data)


def notice_in(lang: str, code: str, data: Mapping[str, object]) -> str:
    """The same in a language: `en`, `zh`."""
    text = _table(lang).get(f"notice.{code}", code)
    if problems := cast("Sequence[Mapping[str, Any]]", data.get("problems")):  # of a file that is followed
        data = {**data, "why": "; ".join(map(_problem, problems))}
    shown = {name: "" if value is None else value for name, value in data.items()}
    if isinstance(why := shown.get("why"), str):
        shown["why"] = told(why, lang)
    return text.format_map(defaultdict(str, shown))
