"""Hours of the week, over midnight and over changes to summer time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ouzel.base.errors import BadOption
from ouzel.model.schedule import Window, is_open, next_change

_BERLIN, _SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
_EVENING = Window.parse({"days": ["sat", "Sunday"], "from": "20:00", "to": "02:00"})


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-21 11:59", False),  # Saturday 19:59 in Shanghai
        ("2026-11-21 12:00", True),
        ("2026-11-21 17:59", True),  # Sunday 01:59
        ("2026-11-21 18:00", False),
        ("2026-11-22 17:00", True),  # Monday 01:00, of the window that began on Sunday
        ("2026-11-23 13:00", False),  # Monday evening
    ],
)
def test_a_window_goes_on_over_midnight(at: str, expected: bool) -> None:
    assert is_open([_EVENING], _at(at), _SHANGHAI) is expected


def test_without_windows_it_is_always_open() -> None:
    assert is_open([], _at("2026-11-21 12:00"), UTC)
    assert next_change([], _at("2026-11-21 12:00"), UTC) is None


def test_the_next_change_is_the_nearest_edge() -> None:
    assert next_change([_EVENING], _at("2026-11-18 00:00"), _SHANGHAI) == _at("2026-11-21 12:00")
    assert next_change([_EVENING], _at("2026-11-21 12:00"), _SHANGHAI) == _at("2026-11-21 18:00")


def test_two_windows_that_touch_are_one() -> None:
    windows = [Window.parse({"from": "08:00", "to": "12:00"}), Window.parse({"from": "12:00", "to": "20:00"})]
    assert next_change(windows, _at("2026-11-21 09:00"), UTC) == _at("2026-11-21 20:00")


def test_a_whole_day_is_written_24_00_and_does_not_end() -> None:
    every = Window.parse({})
    assert every.doc() == {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00"}
    assert next_change([every], _at("2026-11-21 09:00"), UTC) is None


def test_summer_time_moves_the_instant_and_not_the_hour() -> None:
    window = [Window.parse({"from": "20:00", "to": "22:00"})]
    assert next_change(window, _at("2026-03-28 12:00"), _BERLIN) == _at("2026-03-28 19:00")
    assert next_change(window, _at("2026-03-29 12:00"), _BERLIN) == _at("2026-03-29 18:00")


@pytest.mark.parametrize(
    ("doc", "words"),
    [
        ("20:00-22:00", "is written"),
        ({"days": ["someday"]}, "'someday' is no day"),
        ({"days": []}, "days are a list"),
        ({"from": "25:00"}, "no time of day"),
        ({"from": "24:00"}, "23:59"),
        ({"to": "8"}, "no time of day"),
        ({"until": "22:00"}, "no until"),
    ],
)
def test_what_is_no_window_is_told(doc: object, words: str) -> None:
    with pytest.raises(BadOption, match=words):
        Window.parse(doc)
