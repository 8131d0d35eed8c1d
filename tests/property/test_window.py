"""Thousands of live sessions played through, against a simple account of what could be seen.

The server writes the true number of each segment into its name, and may do everything else that servers do: slide by any
step, show an older state, change tokens and hosts with every answer, number everything 0, begin again, list gaps, give the
answer twice, say that this was the end.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ouzel.formats.m3u8 import MediaPlaylist, Segment
from ouzel.model.flow import GapCode
from ouzel.model.window import Fetch, Missed, NewTimeline, Refresh, Window

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
DURATION_S = 4.0


@dataclass
class Server:
    """A live list of a given size."""

    rnd: random.Random
    size: int
    counted: bool = True
    """Gives media sequence numbers; otherwise says 0 for ever."""
    clock: bool = False
    run: int = 0
    first: int = 0
    """True number of the first segment of this run …"""
    sequence: int = 0
    """… and the media sequence number that it has."""
    head: int = 0
    """True number of the newest listed segment."""
    gaps: set[int] = field(default_factory=set[int])
    breaks: set[int] = field(default_factory=set[int])
    folder: str = "live"
    tokens: bool = False

    def grow(self, by: int) -> None:
        for _ in range(by):
            self.head += 1
            if self.rnd.random() < 0.05:
                self.gaps.add(self.head)
            if self.rnd.random() < 0.05:
                self.breaks.add(self.head)

    def restart(self) -> None:
        """Goes on with other names, and numbers of its own choice."""
        self.run += 1
        self.head += 1
        self.first, self.sequence = self.head, self.rnd.choice((0, 0, 1, self.rnd.randint(0, 10**9)))

    def listed(self, *, lag: int = 0) -> range:
        """True numbers of an answer that is `lag` segments old."""
        head = max(self.first, self.head - lag)
        return range(max(self.first, head - self.size + 1), head + 1)

    def answer(self, numbers: range, *, end: bool = False) -> MediaPlaylist:
        token = f"?token={self.rnd.randrange(10**6)}" if self.tokens else ""
        host = f"https://edge{self.rnd.randrange(3)}.example.com" if self.tokens else "https://example.com"
        declared = numbers[0] - self.first + self.sequence if self.counted else 0
        segments = tuple(
            Segment(
                f"{host}/{self.folder}/r{self.run}/{number}.ts{token}",
                DURATION_S,
                declared + at,
                starts_at=NOON + timedelta(seconds=DURATION_S * number) if self.clock else None,
                discontinuity=number in self.breaks,
                gap=number in self.gaps,
            )
            for at, number in enumerate(numbers)
        )
        return MediaPlaylist(f"{host}/{self.folder}/index.m3u8", DURATION_S, segments, declared, end_list=end)


@dataclass
class Account:
    """What a recorder can have of it: told by true numbers, so with nothing to recognise."""

    expected: int | None = None
    told: list[str] = field(default_factory=list[str])
    whole: bool = True
    """Nothing is missing right before what comes next."""

    def see(self, numbers: range, server: Server, *, new_run: bool = False) -> None:
        if self.expected is None:
            self.expected = numbers[0]
        if new_run:
            self.told.append("new")
            self.expected, self.whole = numbers[0], False
        if numbers[-1] < self.expected:
            return  # an older state
        if numbers[0] > self.expected:
            self.told += [f"slid {number}" for number in range(self.expected, numbers[0])]
            self.expected, self.whole = numbers[0], False
        for number in range(self.expected, numbers[-1] + 1):
            if number in server.gaps:
                self.told.append(f"gap {number}")
                self.whole = False
                continue
            anything = any(each.startswith(("fetch", "splice")) for each in self.told)
            spliced = anything and (not self.whole or number in server.breaks)
            self.told.append(f"{'splice' if spliced else 'fetch'} {number}")
            self.whole = True
        self.expected = max(self.expected, numbers[-1] + 1)


class Recorder:
    """The window, and what it planned in the same words as the account."""

    def __init__(self) -> None:
        self.window = Window(from_start=True)
        self.told: list[str] = []
        self.numbers: list[int] = []

    def see(self, playlist: MediaPlaylist, first: int, *, renewed: bool = False) -> None:
        """`first`: the true number of the first listed segment."""
        twin = self.window.copy() if len(self.told) % 8 == 0 else None
        plan = self.window.rebase(playlist) if renewed else self.window.advance(playlist)
        assert twin is None or plan == (twin.rebase(playlist) if renewed else twin.advance(playlist)), (
            "a copy plans the same"
        )
        assert plan.ended == (playlist.end_list and not plan.stale)
        offset = first - playlist.media_sequence
        for action in plan.actions:
            match action:
                case Fetch(segment, number, expected):
                    word = "splice" if expected == "spliced" else "fetch"
                    self.told.append(f"{word} {true_number(segment)}")
                    self.numbers.append(number)
                case Missed(number, sequence, count, duration_s, reason):
                    assert abs(duration_s - count * DURATION_S) < 0.01
                    word = "slid" if reason is GapCode.WINDOW_SLID else "gap"
                    self.told += [f"{word} {sequence + offset + at}" for at in range(count)]
                    self.numbers += range(number, number + count)
                case NewTimeline():
                    self.told.append("new")
                case Refresh(segment):
                    assert segment in playlist.segments


def true_number(segment: Segment) -> int:
    return int(segment.uri.rpartition("/")[2].partition(".")[0])


def sessions(server: Server, polls: int, *, longest: int) -> Iterator[range]:
    """What is listed at each poll; now and then that is an older state."""
    for _ in range(polls):
        server.grow(server.rnd.choice((0, 1, 1, 1, 2, server.rnd.randint(0, longest))))
        lag = server.rnd.randint(1, server.size - 1) if server.size > 1 and server.rnd.random() < 0.15 else 0
        yield server.listed(lag=lag)


def some_server(rnd: random.Random, *, smallest: int = 1) -> Server:
    first = rnd.choice((0, 1, rnd.randint(2, 10**6)))
    server = Server(rnd, rnd.randint(smallest, 12), clock=rnd.random() < 0.5, tokens=rnd.random() < 0.5)
    server.first = server.head = first
    server.sequence = rnd.choice((first, 0, 7))
    server.grow(rnd.randint(0, 15))
    return server


def check(recorder: Recorder, account: Account) -> None:
    assert recorder.told == account.told
    assert recorder.numbers == list(range(recorder.numbers[0], recorder.numbers[0] + len(recorder.numbers)))


@settings(max_examples=800, deadline=None)
@given(st.integers(min_value=0))
def test_everything_listed_is_fetched_once_and_everything_else_is_missed_once(seed: int) -> None:
    rnd = random.Random(seed)
    server, recorder, account = some_server(rnd), Recorder(), Account()
    for numbers in sessions(server, 25, longest=20):
        account.see(numbers, server)
        recorder.see(server.answer(numbers, end=rnd.random() < 0.05), numbers[0])
    check(recorder, account)


@settings(max_examples=250, deadline=None)
@given(st.integers(min_value=0))
def test_the_same_where_numbers_are_always_0_as_long_as_lists_overlap(seed: int) -> None:
    rnd = random.Random(seed)
    server, recorder, account = some_server(rnd, smallest=2), Recorder(), Account()
    server.counted = False
    server.grow(server.size)  # the list slides from the beginning on
    for numbers in sessions(server, 25, longest=0):
        if account.expected is not None and numbers[0] > account.expected - 1:
            continue  # nothing in common with what was seen: nobody can tell how much is missing
        account.see(numbers, server)
        recorder.see(server.answer(numbers), numbers[0])
    check(recorder, account)


@settings(max_examples=350, deadline=None)
@given(st.integers(min_value=0))
def test_a_server_that_begins_again_costs_nothing_of_what_it_lists(seed: int) -> None:
    rnd = random.Random(seed)
    server, recorder, account = some_server(rnd, smallest=3), Recorder(), Account()
    for _ in range(4):
        new_run = account.expected is not None
        for numbers in sessions(server, 6, longest=2):
            account.see(numbers, server, new_run=new_run)
            recorder.see(server.answer(numbers), numbers[0])
            new_run = False
        server.restart()
    check(recorder, account)


@settings(max_examples=400, deadline=None)
@given(st.integers(min_value=0))
def test_renewed_addresses_go_on_where_the_old_ones_stopped(seed: int) -> None:
    rnd = random.Random(seed)
    server, recorder, account = some_server(rnd, smallest=2), Recorder(), Account()
    for renewal in range(4):
        renewed = renewal > 0
        if renewed:
            server.folder = rnd.choice(("live", "live/token/abc123", "hdntl=exp=1~acl=*~hmac=77/live"))
            if server.clock and rnd.random() < 0.5:  # another server altogether, which only the time of day connects
                server.folder, server.sequence = f"session-{renewal}", rnd.randint(0, 10**6)
        for numbers in sessions(server, 6, longest=15):
            account.see(numbers, server)
            recorder.see(server.answer(numbers), numbers[0], renewed=renewed)
            renewed = False
    check(recorder, account)
