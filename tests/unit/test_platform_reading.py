"""What is read out of the documents of sites: numbers and times, however they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ouzel.base.errors import SiteChanged
from ouzel.platforms.asking import dig, instant, whole

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEOUL = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("told", "number"),
    [(7, 7), (-6, -6), ("7", 7), ("-6", -6), (0, 0), ("0", 0)]
    + [(odd, None) for odd in (None, True, 7.0, "", "7a", "７", "1.5", " 7", [], {}, "9" * 30)],
)
def test_whole_numbers(told: Any, number: int | None) -> None:
    assert whole({"a": [told]}, "a", 0) == number


def test_a_number_that_has_to_be_there() -> None:
    assert dig({"a": "7"}, "a", want=int) == 7
    for odd in (True, "x", None, 1.5):
        with pytest.raises(SiteChanged):
            dig({"a": odd}, "a", want=int)


@pytest.mark.parametrize(
    "told",
    [
        int(NOON.timestamp()),
        str(int(NOON.timestamp())),
        int(NOON.timestamp() * 1000),
        str(int(NOON.timestamp() * 1000)),
        "2026-11-22T12:00:00Z",
        "2026-11-22T12:00:00.000Z",
        "2026-11-22T21:00:00+09:00",
        "2026-11-22 21:00:00",
        "2026-11-22 21:00:00.0",
    ],
)
def test_times(told: object) -> None:
    assert instant({"began": told}, "began", zone=SEOUL) == NOON


@pytest.mark.parametrize("told", [None, 0, "0", "", -1, "soon", "0000-00-00 00:00:00", [], True, 10**18])
def test_what_is_no_time(told: object) -> None:
    assert instant({"began": told}, "began") is None
