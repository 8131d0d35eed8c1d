"""When a video is watched, and where it goes on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ouzel.model.watches import Watch, reached

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("position_s", "duration_s", "is_over", "position", "watched"),
    [
        (0.0, 7200, True, 0.0, False),
        (6000, 7200, True, 6000, False),
        (6839, 7200, True, 6839, False),
        (6840, 7200, True, 0.0, True),  # 95 %
        (290, 300, True, 0.0, True),  # the last 30 s
        (269, 300, True, 269, False),
        (4, 20, True, 4, False),
        (10, 20, True, 0.0, True),
        (9.9, 20, True, 9.9, False),
        (1e9, 300, True, 0.0, True),
        (1e9, 300, False, 300, False),
        (55, 0, True, 55, False),
        (-3, 300, True, 0.0, False),
    ],
)
def test_the_end_is_near(position_s: float, duration_s: float, is_over: bool, position: float, watched: bool) -> None:
    after = reached(Watch(plays=2), position_s, duration_s=duration_s, is_over=is_over, at=START)
    assert (after.position_s, after.watched, after.plays, after.seen_at) == (position, watched, 2 + watched, START)


def test_what_was_watched_once_stays_so_while_it_is_watched_again() -> None:
    again = reached(Watch(watched=True, plays=1), 50, duration_s=300, is_over=True, at=START)
    assert (again.watched, again.position_s, again.plays) == (True, 50, 1)
