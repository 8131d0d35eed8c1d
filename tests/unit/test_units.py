"""Durations, sizes and waits as people write and read them."""

import random

import pytest

from ouzel.base.backoff import Backoff
from ouzel.base.errors import BadOption
from ouzel.base.units import format_clock, format_duration, format_rate, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90), ("90s", 90), ("1.5h", 5400), ("1h30m", 5400), ("500ms", 0.5), ("01:02:03", 3723), ("02:03.5", 123.5),
        ("2 h 3 min", 7380), ("1d", 86400),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "1x", "1h-2m", "1:2:3:4", "a:b", "1:", "--", "1h 30", "nan", "1e9s!", "9" * 13, "1:" + "9" * 400]
)
def test_what_is_no_duration(text: str) -> None:
    if text == "1h 30":
        assert parse_duration(text) == 3630
        return
    with pytest.raises(BadOption, match="write it as"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("500", 500), ("500M", 500_000_000), ("2GB", 2 * 10**9), ("2GiB", 2 * 2**30), ("1.5k", 1500), ("1KiB", 1024)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "2PB", "1 2", "9" * 400])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(BadOption, match="write it as"):
        parse_size(text)


def test_what_people_read() -> None:
    assert format_clock(3723.44) == "01:02:03.4"
    assert format_clock(59.96) == "00:01:00.0"
    assert format_duration(0.84) == "840 ms"
    assert format_duration(12.52) == "12.5 s"
    assert format_duration(185) == "3 min 05 s"
    assert format_duration(7400) == "2 h 03 min"
    assert [format_size(n) for n in (0, 998, 999_600, 1_234_000, 5e12)] == ["0 B", "998 B", "1 MB", "1.23 MB", "5 TB"]
    assert format_rate(4_123_000) == "4.1 Mb/s"
    assert format_rate(64_000) == "64 kb/s"


def test_the_first_attempt_after_a_drop_waits_nothing_and_the_rest_stays_under_the_cap() -> None:
    backoff = Backoff(base_s=0.5, cap_s=4.0, rng=random.Random(1))
    waits = [backoff.next_s() for _ in range(40)]
    assert waits[0] == 0.0
    assert all(0.25 <= wait <= 4.0 for wait in waits[1:])
    assert max(waits) > 2.0


@pytest.mark.parametrize(
    ("lasted_s", "gained_s", "least", "most"),
    [
        (60.0, 75.0, 0.0, 0.0),  # live, with what the server had in store
        (1.0, 0.9, 0.0, 0.0),
        (0.5, 0.5, 0.25, 0.5),  # live, but it ended at once
        (0.1, 20.0, 2.0, 4.0),  # a file, handed out in no time
        (10.0, 600.0, 2.0, 4.0),
    ],
)
def test_after_a_success_the_wait_is_short_unless_it_came_too_fast(
    lasted_s: float, gained_s: float, least: float, most: float
) -> None:
    backoff = Backoff(base_s=0.5, cap_s=4.0)
    for _ in range(6):
        backoff.next_s()
    backoff.ease(lasted_s, gained_s)
    assert least <= backoff.next_s() <= most


def test_a_success_never_makes_the_wait_longer() -> None:
    backoff = Backoff()
    backoff.ease(0.5, 0.5)
    assert backoff.next_s() == 0.0
