"""What follows from a failed attempt: for the host, and for the piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.downloaded import HASTE

from ouzel.base.errors import ConnectionLost, Forbidden, Gone, OuzelError, RateLimited, ServerTrouble, Stalled
from ouzel.engine.download.flight import Flight
from ouzel.engine.download.hosts import Hosts
from ouzel.engine.download.judge import Judge, Renewal
from ouzel.engine.sources.keys import Keyring
from ouzel.formats.m3u8 import Segment
from ouzel.model.pieces import Piece
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
COUNT = 8


async def no_key(_uri: str) -> bytes:
    raise AssertionError("nobody asks for a key")


def pieces(visit: int) -> list[Piece]:
    return [Piece(number, 0.0, Segment(f"http://a/{number}?visit={visit}", 1.0, number)) for number in range(COUNT)]


class Bench:
    """A judge, a clock, and a page that tells other addresses each time."""

    def __init__(self, *, pages: bool = True) -> None:
        self.clock = FakeClock()
        self.hosts = Hosts(self.clock)
        self.visits = 0
        self.renewal = Renewal(self._renew if pages else None, self.clock)
        self.judge = Judge(self.hosts, Keyring(no_key), HASTE, self.renewal)
        self.flights = [Flight(piece, 0.0) for piece in pieces(0)]

    async def _renew(self) -> Sequence[Piece]:
        self.visits += 1
        return pieces(self.visits)

    async def refused(self, number: int) -> float | None:
        """It is asked for, and refused."""
        self.renewal.ask()
        return await self.judge.wait_s(self.flights[number], Forbidden("no", status=403))

    def came(self, number: int) -> None:
        self.renewal.came(self.flights[number].piece, self.renewal.ask())


@pytest.mark.parametrize(
    "exc",
    [
        ConnectionLost("reset"),
        RateLimited("too many", status=429),
        ServerTrouble("busy", status=503),
    ],
    ids=["a reset", "429", "503"],
)
async def test_resets_and_refusals_halve_what_the_host_is_asked_over(exc: OuzelError) -> None:
    bench = Bench()
    congestion = bench.hosts.of("http://a/").congestion
    before = congestion.limit
    assert await bench.judge.wait_s(bench.flights[0], exc) is not None
    assert congestion.limit == before // 2
    assert bench.hosts.of("http://b/").congestion.limit == before


@pytest.mark.parametrize("exc", [Stalled("slow"), ServerTrouble("broken", status=500), Gone("no", status=404)])
async def test_what_says_nothing_of_how_many_are_asked_halves_nothing(exc: OuzelError) -> None:
    bench = Bench()
    before = bench.hosts.of("http://a/").congestion.limit
    await bench.judge.wait_s(bench.flights[0], exc)
    assert bench.hosts.of("http://a/").congestion.limit == before


async def test_retry_after_is_the_hosts_and_costs_no_try() -> None:
    bench = Bench()
    await bench.judge.wait_s(bench.flights[0], RateLimited("too many", status=429, retry_after_s=30.0))
    assert bench.hosts.of("http://a/other").congestion.rest_s(bench.clock.monotonic()) == 30
    assert bench.flights[0].tries == 0


async def test_a_host_that_wants_to_be_left_alone_for_an_hour_is_not_waited_for() -> None:
    bench = Bench()
    with pytest.raises(RateLimited, match="a wants to be left alone for 60 minutes"):
        await bench.judge.wait_s(bench.flights[0], RateLimited("too many", status=429, retry_after_s=3600.0))
    with pytest.raises(RateLimited, match="left alone for 60 minutes") as told:  # nor by others, who have not asked yet
        async with bench.hosts.of("http://a/other").slot(0, lambda: True):
            raise AssertionError("it was asked")
    assert told.value.retry_after_s == 3600


@pytest.mark.parametrize("pages", [True, False])
async def test_what_is_refused_for_good_is_lost_after_three_tries(*, pages: bool) -> None:
    bench = Bench(pages=pages)
    assert [await bench.refused(0) is None for _ in range(3)] == [False, False, True]
    assert bench.visits == pages


async def test_one_that_is_refused_while_others_come_does_not_ask_the_page_again() -> None:
    bench = Bench()
    await bench.refused(0)
    bench.flights[1].piece = bench.renewal.fresh(bench.flights[1].piece)
    waits: list[float | None] = []
    for _ in range(3):
        bench.came(1)
        waits.append(await bench.refused(0))
    assert waits[-1] is None
    assert bench.visits == 1


async def test_addresses_that_worked_and_are_all_refused_are_renewed_at_once() -> None:
    bench = Bench()
    for visit in range(1, 6):
        for number in range(3):
            await bench.refused(number)
        assert bench.visits == visit
        for flight in bench.flights:
            flight.piece = bench.renewal.fresh(flight.piece)
        bench.came(3)


async def test_an_old_address_is_no_news_of_the_fresh_ones() -> None:
    bench = Bench()
    old = replace(bench.flights[5])
    await bench.refused(0)
    bench.renewal.came(old.piece, bench.renewal.ask())
    assert await bench.judge.wait_s(old, Forbidden("no", status=403)) == 0
    assert (old.piece.segment.uri, bench.visits) == ("http://a/5?visit=1", 1)
