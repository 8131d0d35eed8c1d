"""Time limits by a clock that the test turns."""

from __future__ import annotations

import math

import pytest

from ouzel.base.errors import Stalled
from ouzel.system.http import Limits
from ouzel.system.http.watch import Watch

STEP_S = 0.125


class Body:
    """An exchange as far as it is watched."""

    def __init__(self, *, head_done: bool = True) -> None:
        self.received = 0
        self.head_done = head_done


def run(watch: Watch, body: Body, speed_bps, until_s: float, *, start_s: float = 0.0) -> float | None:
    """Turn the clock from look to look; `speed_bps` is a function of time. Returns: when it stalled; None when it did not."""
    now = start_s
    while watch.due <= until_s:
        assert watch.due - now <= 3.0
        while now < watch.due:
            body.received += round(speed_bps(now) * STEP_S)
            now += STEP_S
        try:
            watch.check(now)
        except Stalled:
            return now
        assert watch.due > now
    return None


def test_a_stall_is_noticed_in_time() -> None:
    body = Body()
    watch = Watch(body, Limits(stall_s=10), 0.0, math.inf)

    stalled = run(watch, body, lambda t: 1000 if t < 30 else 0, 100)

    assert stalled is not None
    assert 40 <= stalled <= 43


def test_a_single_byte_is_no_stall() -> None:
    body = Body()
    watch = Watch(body, Limits(stall_s=10), 0.0, math.inf)

    assert run(watch, body, lambda t: 8 if t % 8 == 0 else 0, 300) is None


def test_the_head_has_its_own_time() -> None:
    body = Body(head_done=False)
    watch = Watch(body, Limits(head_s=15, stall_s=10), 100.0, math.inf)

    assert run(watch, body, lambda _: 100, 200, start_s=100.0) == 115.0


@pytest.mark.parametrize(("speed", "stalls"), [(1900, True), (2100, False)])
def test_low_speed_is_an_average(speed: int, stalls: bool) -> None:
    body = Body()
    watch = Watch(body, Limits(low_speed_bps=2000, low_speed_s=30), 0.0, math.inf)

    # it comes in bursts, as segments do: half of the time nothing
    stalled = run(watch, body, lambda t: 2 * speed if t % 5 < 2.5 else 0, 300)

    assert (stalled is not None) == stalls
    assert stalled is None or stalled <= 38


def test_a_good_past_does_not_excuse_a_bad_present() -> None:
    body = Body()
    watch = Watch(body, Limits(low_speed_bps=2000, low_speed_s=30), 0.0, math.inf)

    stalled = run(watch, body, lambda t: 10**6 if t < 100 else 100, 300)

    assert stalled is not None
    assert 128 <= stalled <= 140


def test_the_deadline_holds_whatever_comes() -> None:
    body = Body()
    watch = Watch(body, Limits(), 0.0, 61.0)

    assert run(watch, body, lambda _: 10**6, 300) == 61.0


def test_hurry() -> None:
    body = Body()
    watch = Watch(body, Limits(stall_s=60), 0.0, math.inf)
    watch.hurry(2.0)

    assert run(watch, body, lambda _: 10**6, 300) == 2.0


def test_a_blocked_loop_is_nobodys_fault() -> None:
    body = Body()
    watch = Watch(body, Limits(stall_s=10, low_speed_bps=2000, low_speed_s=30), 0.0, math.inf)
    assert run(watch, body, lambda _: 5000, 60) is None

    late = watch.due + 100
    watch.forgive(100)
    watch.check(late)

    assert run(watch, body, lambda _: 5000, 300, start_s=late) is None
