"""What is counted for the page of metrics, as plain numbers. `services.families` shows them to Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from ouzel.services.storage import RootView, Storage
from ouzel.services.watching import PlatformLoad
from ouzel.store.counts import CountRepo
from ouzel.store.db import Db

_ANSWER_S = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
_POLL_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Numbers:
    """At one moment."""

    channels: Mapping[str, int] = field(default_factory=dict[str, int])
    recordings: Mapping[str, int] = field(default_factory=dict[str, int])
    jobs: Mapping[str, int] = field(default_factory=dict[str, int])
    notices: Mapping[str, int] = field(default_factory=dict[str, int])
    """That are open, by severity."""
    kept_bytes: int = 0
    kept_media_s: float = 0.0
    reconnects: int = 0
    gaps: Mapping[str, tuple[int, float]] = field(default_factory=dict[str, tuple[int, float]])
    """By code: how many, and the seconds that are missing."""
    loads: Sequence[PlatformLoad] = ()
    roots: Sequence[RootView] = ()
    writes: int = 0


class Counting:
    """Reads them. Args: loads: `Watching.loads`."""

    def __init__(self, db: Db, storage: Storage, loads: Callable[[], Sequence[PlatformLoad]]) -> None:
        self._db = db
        self._repo = CountRepo(db)
        self._storage = storage
        self._loads = loads

    async def read(self) -> Numbers:
        """As they are now. Raises: StorageError."""
        kept = await self._repo.kept()
        return Numbers(
            channels=await self._repo.channels(), recordings=await self._repo.recordings(),
            jobs=await self._repo.jobs(), notices=await self._repo.notices(), kept_bytes=kept["bytes"],
            kept_media_s=kept["media_s"], reconnects=kept["reconnects"], gaps=await self._repo.gaps(),
            loads=self._loads(), roots=await self._storage.views(), writes=self._db.writes,
        )  # fmt: skip


class Durations:
    """How long something took, many times: how often it took at most each of `limits_s`, which grow."""

    def __init__(self, limits_s: Sequence[float]) -> None:
        self.limits_s = limits_s
        self.sum_s = 0.0
        self._counts = [0] * (len(limits_s) + 1)

    def add(self, took_s: float) -> None:
        self._counts[bisect_left(self.limits_s, took_s)] += 1
        self.sum_s += took_s

    def within(self) -> list[int]:
        """For each limit how many took no longer; the last one is all."""
        return [*accumulate(self._counts)]


class Tally:
    """What is counted from the start of the process on."""

    def __init__(self) -> None:
        self.listeners = 0
        """Event streams that are open."""
        self.answers: Counter[tuple[str, str]] = Counter()
        """By operation and status."""
        self.answer_s = defaultdict[str, Durations](lambda: Durations(_ANSWER_S))
        """Until the answer began, by operation."""
        self.polls: Counter[tuple[str, str]] = Counter()
        """By platform and what it said."""
        self.poll_s = defaultdict[str, Durations](lambda: Durations(_POLL_S))
        """By platform."""

    def answered(self, operation: str, status: int, took_s: float) -> None:
        self.answers[operation, str(status)] += 1
        self.answer_s[operation].add(took_s)

    def polled(self, platform: str, outcome: str, took_s: float) -> None:
        self.polls[platform, outcome] += 1
        self.poll_s[platform].add(took_s)
