"""What is measured: cases of a few entries that take turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["hls", "flv"]
Group = Literal["hls", "flv", "tls", "follow", "faults", "shapers"]
GROUPS: tuple[Group, ...] = ("hls", "flv", "tls", "follow", "faults", "shapers")
SIZES = (1, 10, 50, 100, 400)
START_S = 1.5
"""What a run takes besides its seconds, at least: the origin's start, the end of the recordings, reading the marks."""
PER_CHANNEL_S = 0.05
MOST_FFMPEG = 100
"""One ffmpeg per channel at 400 channels asks for more than two cores: it would measure the machine."""
MOST_STREAMLINK = 10
"""Its start alone costs about a CPU second each."""


@dataclass(frozen=True)
class Entry:
    """One contestant on one kind of source."""

    tool: str
    """ouzel, ffmpeg, streamlink, or one of the copies (see `contestants.launches`)."""
    kind: Kind
    tls: bool = False
    from_zero: bool | None = None
    """The lean FLV origin, whose time stamps begin at 0 (True) or not (False) on each connection; None: the project's own."""
    faults: bool = False

    @property
    def label(self) -> str:
        stamps = {None: "", True: ", stamps from 0", False: ", stamps not from 0"}[self.from_zero]
        return f"{self.tool}{' over TLS' if self.tls else ''}{stamps}"


@dataclass(frozen=True)
class Case:
    """Entries that take turns, round after round. The first entry is the one that others are compared with."""

    group: Group
    kind: Kind
    channels: int
    seconds: float
    rounds: int
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """Also the name of the file with its results."""
        return f"{self.group}-{self.kind}-{self.channels}"

    @property
    def estimate_s(self) -> float:
        if self.group == "shapers":
            return 10.0 * self.rounds
        return self.rounds * len(self.entries) * (self.seconds + START_S + PER_CHANNEL_S * self.channels)


def standard_cases() -> Iterator[Case]:
    """What the goals need, in half an hour."""
    for kind in KINDS:
        yield comparison(kind, 100, seconds=60, rounds=3)
    yield comparison("hls", 10, seconds=20, rounds=3)
    for kind in KINDS:
        yield comparison(kind, 400, seconds=60, rounds=1)
    yield from special_cases()


def full_cases() -> Iterator[Case]:
    """Every size, 60 s, three rounds: an hour and a half."""
    for kind in KINDS:
        for size in SIZES:
            yield comparison(kind, size, seconds=60, rounds=3)
    yield from special_cases()


def special_cases() -> Iterator[Case]:
    for kind in KINDS:
        clear, tls = Entry("ouzel", kind), Entry("ouzel", kind, tls=True)
        yield Case("tls", kind, 100, 20, 3, (clear, tls))
    copies = (Entry("copy", "flv", from_zero=True), Entry("bare copy", "flv", from_zero=True))
    stamps = (Entry("ouzel", "flv", from_zero=True), Entry("ouzel", "flv", from_zero=False))
    yield Case("follow", "flv", 100, 20, 3, copies + stamps)
    for kind in KINDS:
        yield Case("faults", kind, 40, 40, 1, (Entry("ouzel", kind, faults=True),))
    yield Case("shapers", "flv", 1, 0, 5, ())


def comparison(kind: Kind, size: int, *, seconds: float, rounds: int) -> Case:
    """Ouzel and its peers, as far as they can be run at this size."""
    tools = ["ouzel"]
    if size <= MOST_FFMPEG:
        tools.append("ffmpeg")
    if size <= MOST_STREAMLINK:
        tools.append("streamlink")
    return Case(kind, kind, size, seconds, rounds, tuple(Entry(tool, kind) for tool in tools))


def resized(case: Case, *, seconds: float | None, rounds: int | None, size: int | None) -> Case:
    """The case with other numbers, where they are given. `size` is for the special cases: the others are chosen by it."""
    return replace(
        case,
        seconds=seconds or case.seconds,
        rounds=rounds or case.rounds,
        channels=size or case.channels,
    )


KINDS: tuple[Kind, ...] = ("hls", "flv")
