"""Words as the index of the library has them, and as it is asked for them. Pure.

Chinese, Japanese and Korean have no blanks between words, so a run of their characters becomes overlapping pairs and its last
character alone: 直播间 is 直播 播间 间. Two characters that stand together are then a token, and a single one is the beginning
of a token. Everything else is left to SQLite's `unicode61`, which also takes diacritics off.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

_CJK = (
    "\u1100-\u11ff\u3005-\u3007\u3040-\u309f\u30a0-\u30fa\u30fc-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U000323af"
)
_RUN = re.compile(f"[{_CJK}]+|[^{_CJK}\\s]+")
_APART = "\ue000"
"""A token that nobody writes, between texts that stand in one column: a phrase does not reach over it."""

_QUOTE = {ord('"'): " ", 0: " "}
"""What would end a phrase."""


def normal(text: str) -> str:
    """As words are compared: without the difference of wide and narrow, large and small."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def indexed(texts: Iterable[str]) -> str:
    """What a column of the index holds of these texts."""
    return f" {_APART} ".join(" ".join(_tokens(text)) for text in texts)


def asked(words: str) -> str:
    """A phrase in the language of FTS5, the last token being the beginning of one; empty where there is nothing to look for."""
    runs = _RUN.findall(normal(words).replace(_APART, " "))
    while runs and not _has_token(runs[-1]):  # a phrase ends where its words end
        runs.pop()
    tokens = [token for place, run in enumerate(runs) for token in _of(run, is_last=place == len(runs) - 1)]
    said = " ".join(tokens).translate(_QUOTE).strip()
    return f'"{said}" *' if any(map(_has_token, tokens)) else ""


def _tokens(text: str) -> Iterator[str]:
    for run in _RUN.findall(normal(text).replace(_APART, " ")):
        yield from _of(run, is_last=False)


def _of(run: str, *, is_last: bool) -> Iterator[str]:
    if not _is_cjk(run):
        yield run
        return
    yield from (run[at : at + 2] for at in range(len(run) - 1))
    if not is_last or len(run) == 1:
        yield run[-1]


def _is_cjk(run: str) -> bool:
    return re.match(f"[{_CJK}]", run) is not None


def _has_token(run: str) -> bool:
    """Whether `unicode61` sees something in it."""
    return any(unicodedata.category(each)[0] in "LN" or unicodedata.category(each) == "Co" for each in run)
