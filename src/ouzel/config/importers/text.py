"""Bytes become text, whoever wrote them; text becomes lines, as editors number them."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT, _FEW = 512, 8
"""Bytes; and of how many letters at least one is of ASCII."""
LINE_END = re.compile(r"\r\n|\r|\n")
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00]")


def decode(data: bytes) -> tuple[str, str]:
    """The text, and what it was written in: `utf-8`, `utf-16-le`, `utf-16-be` or `gb18030`. Raises: UnicodeDecodeError."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding), encoding
    if encoding := _wide(data[:_LOOKED_AT]):
        return data.decode(encoding), encoding
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return data.decode("gb18030"), "gb18030"


def _wide(first: bytes) -> str:
    """UTF-16 without its mark has zeros in every other place; a file that lost power has them all together."""
    zeros = first[0::2].count(0), first[1::2].count(0)
    if not 0 < max(zeros) * _FEW >= len(first) // 2 or min(zeros) * 2 > max(zeros):
        return ""
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def lines_of(text: str) -> list[tuple[int, str]]:
    """Number, from 1, and content without what cannot be seen at its ends."""
    return [(number, _UNSEEN.sub("", line).strip()) for number, line in enumerate(LINE_END.split(text), 1)]
