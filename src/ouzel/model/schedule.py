"""Hours of the week in which something is to be done. Pure.

A window begins at a local time on some days, and ends at a local time on the same day, or, where that is not later, on the next.
Local times that a change to summer time leaves out, or has twice, are read as the first instant that is not before them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Self, cast

from ouzel.base.errors import BadOption

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_DAY_S = 24 * 60
_KEYS = {"days", "from", "to"}


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes since local midnight."""

    days: tuple[str, ...]
    """Of `DAYS`: on which it begins."""
    begin: int
    end: int
    """Not after `begin`: on the next day."""

    @classmethod
    def parse(cls, doc: object) -> Self:
        """`{"days": ["sat", "sun"], "from": "20:00", "to": "02:00"}`; without `days`: every day. Raises: BadOption."""
        if not isinstance(doc, dict):
            raise BadOption('a window is written {"days": ["sat"], "from": "20:00", "to": "02:00"}')
        table = cast("dict[str, Any]", doc)
        if unknown := sorted(set(table) - _KEYS):
            raise BadOption(f"a window has no {unknown[0]}; it has days, from, to")
        days = table.get("days", [*DAYS])
        if not isinstance(days, (list, tuple)) or not days:
            raise BadOption(f"days are a list of {', '.join(DAYS)}")
        named = tuple(_day(day) for day in cast("Sequence[object]", days))
        begin, end = _minutes(table.get("from", "00:00")), _minutes(table.get("to", "24:00"))
        if begin == _DAY_S:
            raise BadOption("a window begins at 23:59 at the latest")
        return cls(tuple(day for day in DAYS if day in named), begin, end)

    def doc(self) -> dict[str, Any]:
        return {"days": [*self.days], "from": _clock(self.begin), "to": _clock(self.end)}


def is_open(windows: Sequence[Window], at: datetime, zone: tzinfo) -> bool:
    """Whether `at` lies in one of them; without any, always. `at`: aware."""
    return not windows or any(start <= at < end for start, end in _around(windows, at, zone))


def next_change(windows: Sequence[Window], at: datetime, zone: tzinfo) -> datetime | None:
    """The first instant after `at` (aware UTC) at which `is_open` may be another; None: never."""
    if not windows:
        return None
    now = is_open(windows, at, zone)
    edges = sorted({edge for pair in _around(windows, at, zone) for edge in pair if edge > at})
    return next((edge for edge in edges if is_open(windows, edge, zone) is not now), None)


def _around(windows: Sequence[Window], at: datetime, zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """All that begin between yesterday and a week from now."""
    today = at.astimezone(zone).date()
    found: list[tuple[datetime, datetime]] = []
    for offset in range(-1, 9):
        day = today + timedelta(days=offset)
        for window in windows:
            if DAYS[day.weekday()] in window.days:
                last = day if window.end > window.begin else day + timedelta(days=1)
                found.append((_instant(day, window.begin, zone), _instant(last, window.end, zone)))
    return found


def _instant(day: date, minutes: int, zone: tzinfo) -> datetime:
    if minutes >= _DAY_S:
        day, minutes = day + timedelta(days=1), minutes - _DAY_S
    return datetime.combine(day, time(minutes // 60, minutes % 60), zone).astimezone(UTC)


def _day(word: object) -> str:
    short = str(word).strip().lower()[:3]
    if short not in DAYS:
        raise BadOption(f"{str(word)[:20]!r} is no day; there are {', '.join(DAYS)}")
    return short


def _minutes(text: object) -> int:
    found = _TIME.fullmatch(str(text).strip())
    value = int(found[1]) * 60 + int(found[2]) if found else _DAY_S + 1
    if value > _DAY_S:
        raise BadOption(f"{str(text)[:20]!r} is no time of day; it is written 20:00, at most 24:00")
    return value


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
