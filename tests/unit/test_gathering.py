"""How much the kernel gathers before it wakes us."""

from __future__ import annotations

import pytest

from ouzel.system.http.gathering import LOOK_S, Gathering
from ouzel.system.http.links import NOBODY, Receiver


class Link:
    open = True
    receiver: Receiver = NOBODY

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def send(self, data: bytes) -> None: ...

    def gather(self, size: int) -> None:
        self.sizes.append(size)

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def abort(self) -> None: ...


def looks(*received: int, wait_s: float = 0.25) -> list[int]:
    """What the link is told when so many bytes have come at each look."""
    link = Link()
    gathering = Gathering(link, wait_s)
    for number, count in enumerate(received):
        now = 100.0 + number * LOOK_S
        assert gathering.due <= now
        gathering.look(now, count)
    gathering.end()
    return link.sizes


def test_a_stream_is_gathered_for_a_share_of_its_own_speed() -> None:
    assert looks(0, 250_000) == [125_000, 1]


def test_it_is_known_only_after_a_while() -> None:
    assert looks(500_000) == []


def test_small_changes_of_speed_change_nothing() -> None:
    assert looks(0, 250_000, 550_000, 750_000, 1_400_000) == [125_000, 196_608, 1]


@pytest.mark.parametrize("then", [0, 1_000, 30_000])
def test_what_has_come_of_a_stream_that_falters_is_not_kept_waiting(then: int) -> None:
    assert looks(0, 250_000, 250_000 + then) == [125_000, 1]


def test_a_slow_stream_is_not_gathered() -> None:
    assert looks(0, 4_000, 8_000, 12_000) == []


def test_there_is_an_upper_limit() -> None:
    assert looks(0, 10**9) == [192 * 1024, 1]


def test_after_a_blocked_loop_the_speed_is_not_known() -> None:
    link = Link()
    gathering = Gathering(link, 0.25)
    gathering.look(100.0, 0)
    gathering.look(100.5, 250_000)
    gathering.look(110.0, 5_000_000)
    assert link.sizes == [125_000, 1]
