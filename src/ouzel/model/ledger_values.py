"""Members of a ledger's lines as they must be: of the right type, and numbers that can be reckoned with.

All raise KeyError where a member is missing, and TypeError or ValueError where it is of another kind: the line is then damaged.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

Doc = dict[str, Any]
Name = TypeVar("Name", bound=str)

_MOST = 1 << 60  # of bytes or of things: sums of two are offsets that a file system takes
_LONGEST_S = 1e12
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
"""What a clock without a battery shows, and what can still be reckoned with in every time zone."""


def count(value: Any) -> int:
    """Bytes, an index, or how many: 0 to 2**60."""
    if not 0 <= number(value) <= _MOST:
        raise ValueError(f"out of range: {value!r}")
    return value


def number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"not a whole number: {value!r}")
    return value


def number_or_none(value: Any) -> int | None:
    return None if value is None else number(value)


def real(value: Any) -> float:
    """Finite. A whole number is one too."""
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"not a number: {value!r}")
    return float(value)


def seconds(value: Any) -> float:
    """Of media time: no more than some ten thousand years, so that it can be added to others."""
    if abs(found := real(value)) > _LONGEST_S:
        raise ValueError(f"out of range: {value!r}")
    return found


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value


def one_of(value: Any, names: Collection[Name]) -> Name:
    for name in names:
        if value == name:
            return name
    raise ValueError(f"none of {', '.join(names)}: {value!r}")


def flag(value: Any) -> bool:
    """0 or 1."""
    return bool(number(value))


def blob(value: Any) -> bytes:
    """Base64."""
    return base64.b64decode(text(value), validate=True)


def items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"not a list: {value!r}")
    return cast("list[Any]", value)


def instant(value: Any) -> datetime:
    """Aware UTC."""
    wall = datetime.fromisoformat(text(value))
    if wall.tzinfo is None:
        raise ValueError(f"an instant without a time zone: {value!r}")
    if not _FIRST_YEAR <= wall.year <= _LAST_YEAR:
        raise ValueError(f"an instant that no clock shows: {value!r}")
    return wall.astimezone(UTC)
