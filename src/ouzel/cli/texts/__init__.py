"""What people read, in English and Chinese. Each sibling module has an `EN` and a `ZH` table with the same keys and fields."""

from __future__ import annotations

import locale
import os
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from ouzel.cli.texts import clients, daemon, errors, files, imports, notices, overview, platforms, record, setup

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


def reason(code: str, message: str) -> str:
    """What went wrong, on one line: the message, which is English; in another language what the code means, and then the message.

    A code that is none of an error means nothing: the message stands alone.
    """
    detail, what = " ".join(message.split()), _table(language()).get(f"error.{code}", "")
    if not what or (language() == "en" and detail):
        return detail
    return tr("with_detail", what=what, detail=detail) if detail else what


def advice(code: str) -> str:
    """What can be done about an error; empty where its message says it, or nothing helps."""
    return _table(language()).get(f"advice.{code}", "")


def advised(code: str, message: str) -> str:
    """Both."""
    why, to_do = reason(code, message), advice(code)
    return tr("with_advice", reason=why, advice=to_do) if to_do else why


def notice(code: str, data: Mapping[str, object]) -> str:
    """The sentence of a notice; its code where an older or newer Ouzel wrote it."""
    text = _table(language()).get(f"notice.{code}", code)
    return text.format_map(defaultdict(str, {name: "" if value is None else value for name, value in data.items()}))
