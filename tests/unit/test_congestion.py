"""The controller of a host against simulated servers, in virtual time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ouzel.model.congestion import Congestion

PIECE = 1_000_000


@dataclass
class Simulated:
    """Fetches pieces without end through a controller. `rate_bps` of one connection, given how many there are."""

    control: Congestion
    rate_bps: Callable[[int], float]
    most: int = 1000
    """429 to whoever comes while so many are served."""
    retry_after_s: float | None = None
    now: float = 0.0
    refused: int = 0
    asked_while_resting: int = 0

    def run(self, seconds: float) -> float:
        """Returns: bytes a second over the second half."""
        flying: list[tuple[float, int]] = []
        count = done = 0
        until, half = self.now + seconds, self.now + seconds / 2
        waits_until = 0.0
        while self.now < until:
            while len(flying) < self.control.limit and self.now >= waits_until:
                if self.control.rest_s(self.now) > 0:
                    waits_until = self.now + self.control.rest_s(self.now)
                    break
                if len(flying) >= self.most:
                    self.refused += 1
                    self.control.trouble(self.now, self.retry_after_s)
                    waits_until = self.now + 0.1
                    break
                count += 1
                took_s = PIECE / self.rate_bps(len(flying) + 1) * (1 + 0.1 * (count * 7 % 5 - 2) / 5)
                heapq.heappush(flying, (self.now + took_s, count))
            if not flying:
                self.now = max(self.now, waits_until)
                continue
            busy = len(flying) >= self.control.limit
            self.now, _ = heapq.heappop(flying)
            self.control.came(PIECE)
            self.control.done(self.now, busy=busy)
            done += PIECE if self.now >= half else 0
        return done / (seconds / 2)


def test_each_connection_is_limited_all_that_are_allowed_are_used() -> None:
    simulated = Simulated(Congestion(16), lambda _count: 2e6)
    assert simulated.run(120) > 0.95 * 16 * 2e6
    assert simulated.control.limit == 16


def test_they_are_doubled_each_round_from_the_first_piece_on() -> None:
    control, seen = Congestion(16), list[int]()
    control.done(0.0, busy=True)  # the first round begins
    for number in range(1, 13):
        control.came(PIECE)
        control.done(number / 20, busy=True)
        seen.append(control.limit)
    assert seen == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
    for number in range(13, 60):
        control.came(PIECE)
        control.done(number / 20, busy=True)
        assert control.limit <= 16, "never more"


def test_what_is_not_busy_tells_nothing_and_grows_nothing() -> None:
    control = Congestion(16)
    for number in range(40):
        control.came(PIECE)
        control.done(number / 20, busy=False)
    assert control.limit == 4


def test_the_host_is_limited_few_do() -> None:
    simulated = Simulated(Congestion(16), lambda count: 8e6 / count)
    assert simulated.run(120) > 0.9 * 8e6
    assert simulated.control.limit <= 9, "the step that is being tried included"


def test_who_refuses_above_a_number_is_asked_over_about_so_many() -> None:
    simulated = Simulated(Congestion(16), lambda _count: 2e6, most=6)
    assert simulated.run(300) > 0.6 * 6 * 2e6
    assert simulated.control.limit <= 7
    assert simulated.refused < 40, "politely: it does not run against the wall again and again"


@pytest.mark.parametrize("retry_after_s", [1.0, 30.0])
def test_a_rest_is_kept_to_the_last_moment(retry_after_s: float) -> None:
    control = Congestion(16)
    control.trouble(10.0, retry_after_s)
    control.trouble(10.5, 0.1)
    assert control.rest_s(10.0) == retry_after_s
    assert control.rest_s(10 + retry_after_s) == 0


def test_answers_of_one_moment_are_one_trouble() -> None:
    control = Congestion(16, first=16)
    for number in range(8):
        control.trouble(5 + number / 10)
    assert control.limit == 8
    control.trouble(7.0)
    assert control.limit == 4


def test_it_never_falls_below_one_and_recovers() -> None:
    simulated = Simulated(Congestion(8), lambda _count: 2e6)
    for number in range(10):
        simulated.control.trouble(number * 2.0)
    assert simulated.control.limit == 1
    simulated.now = 20.0
    simulated.run(600)
    assert simulated.control.limit == 8


@given(
    st.integers(1, 16),
    st.lists(
        st.tuples(
            st.sampled_from(["done", "idle", "trouble", "reset", "rest"]),
            st.floats(0, 30),
            st.integers(0, 10**8),
            st.floats(0.1, 100),
        ),
        max_size=200,
    ),
)
def test_whatever_comes_it_keeps_its_limits_and_its_word(most: int, turns: list[tuple[str, float, int, float]]) -> None:
    control, now, free_at = Congestion(most), 0.0, 0.0
    for what, later_s, came, rest_s in turns:
        now += later_s
        before = control.limit
        control.came(came)
        match what:
            case "trouble" | "reset":
                control.trouble(now, refused=what == "trouble")
                assert control.limit in {max(1, before // 2), before}, "halved, or it is the same trouble still"
            case "rest":
                control.trouble(now, rest_s)
                free_at = max(free_at, now + rest_s)
            case _:
                control.done(now, busy=what == "done")
                assert control.limit <= 2 * before
        assert 1 <= control.limit <= most
        assert control.rest_s(now) == pytest.approx(max(0.0, free_at - now))


@pytest.mark.parametrize("refused", [True, False])
def test_a_no_and_a_reset_halve(refused: bool) -> None:
    control = Congestion(16, first=16)
    limits: list[int] = []
    for number in range(5):
        control.trouble(10.0 * number, refused=refused)
        limits.append(control.limit)
    assert limits == [8, 4, 2, 1, 1]
