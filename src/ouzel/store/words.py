"""Rows that somebody means by a word."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.sql.elements import SQLCoreOperations


def meant_by(word: str, ids: SQLCoreOperations[str], *names: SQLCoreOperations[str]) -> ColumnElement[bool]:
    """Those whose id begins with `word`, or that have it in one of their `names`."""
    return or_(
        false(),
        ids.startswith(word.lower(), autoescape=True),
        *(name.icontains(word, autoescape=True) for name in names),
    )
