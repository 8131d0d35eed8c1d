"""What people read, in English and Chinese. Each sibling module has an `EN` and a `ZH` table with the same keys and fields."""

from __future__ import annotations

import locale
import os
from functools import cache

from ouzel.cli.texts import files, platforms, record

TABLES = (record, files, platforms)


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


def tr(key: str, **fields: object) -> str:
    """The text for `key` in the user's language, its `{fields}` filled in."""
    return _table(language())[key].format(**fields)
