"""When channels that are not on air are asked about again: early enough to miss nothing, and no oftener than that.

* Every `interval_s`, give or take `jitter`. Before an announced beginning half of the time that is left, `longest_s` at most: the
  last question comes when it is due.
* After errors less and less often, up to `longest_s`; up to `network_s` where the way there does not work, which mends by itself.
* A platform that blocks is left alone for as long, for all of its channels.
* Of a platform that tells of many channels in one answer those that are due within an interval are asked about together. Only
  who seems to be on air is asked about in full, and who nothing is said of. What such an answer says is good for waiting only.
* Questions about channels of one platform are `apart_s` apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Protocol

import anyio

from ouzel.base.errors import Blocked, NetworkError, OuzelError
from ouzel.model.live import Answer, Offline
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.registry import registry
from ouzel.system.clock import Clock


class Prober(Protocol):
    """`ResolverHost.probe`."""

    async def probe(
        self, urls: Mapping[str, str], options: Options | None = None
    ) -> Mapping[str, Peek | OuzelError | None]: ...


@dataclass(frozen=True, slots=True)
class PollRules:
    """Times in seconds."""

    interval_s: float = 30.0
    jitter: float = 0.1
    """Share of it by which it is longer or shorter."""
    apart_s: float = 0.5
    network_s: float = 60.0
    longest_s: float = 900.0


@dataclass(eq=False, slots=True)
class _Group:
    """The pages of one platform, asked for in one way."""

    options: Options
    polls: list[Poll] = field(default_factory=list["Poll"])
    probes: bool = True
    """False once it has said that it has no answer for many."""
    asking: anyio.Lock = field(default_factory=anyio.Lock)
    door: anyio.Lock = field(default_factory=anyio.Lock)
    closed_until: float = float("-inf")
    """Monotonic time before which nobody asks."""


class Polls:
    """All pages for which a process waits."""

    def __init__(
        self, prober: Prober, clock: Clock, rules: PollRules | None = None, random: Random | None = None
    ) -> None:
        self.rules = rules or PollRules()
        self.clock = clock
        self._prober = prober
        self._random = random or Random()
        self._groups: dict[tuple[str, Options], _Group] = {}

    def add(self, url: str, options: Options) -> Poll:
        """A page for which somebody waits."""
        match = registry().known(url)
        group = self._groups.setdefault((match.platform.name if match else url, options), _Group(options))
        poll = Poll(self, group, url)
        group.polls.append(poll)
        return poll

    def around(self, seconds: float) -> float:
        return seconds * (1 + self._random.uniform(-1, 1) * self.rules.jitter)

    async def probe(self, group: _Group, polls: Collection[Poll]) -> None:
        """Ask about all of them in as few questions as the platform allows."""
        told = await self._prober.probe({poll.url: poll.id for poll in polls}, group.options)
        if all(poll.id and told.get(poll.url) is None for poll in polls):
            group.probes = False
        for poll in polls:
            poll.take(told.get(poll.url))


class Poll:
    """One page. For one task."""

    def __init__(self, polls: Polls, group: _Group, url: str) -> None:
        self.url = url
        self.id = ""
        """Of its identity, as soon as that is known."""
        self._polls = polls
        self._group = group
        self._errors = 0
        self._error: OuzelError | None = None
        self._available_at: datetime | None = None
        self._due = float("-inf")
        self._begun = False
        self._seen = False
        """Something was told of it, by whatever question."""
        self._seems_off = False
        self._called: anyio.Event | None = None
        """While it rests: to be set when it is to be asked in full."""

    def heard(self, outcome: Answer | OuzelError) -> None:
        """A full answer has come."""
        self._seen = True
        self._error = outcome if isinstance(outcome, OuzelError) else None
        self._errors = self._errors + 1 if self._error else 0
        self._available_at = outcome.available_at if isinstance(outcome, Offline) else None
        if not isinstance(outcome, OuzelError):
            self.id = outcome.identity.id
        elif isinstance(outcome, Blocked):
            now = self._polls.clock.monotonic()
            self._group.closed_until = max(self._group.closed_until, now + self.patience_s())

    def take(self, peek: Peek | OuzelError | None) -> None:
        """What a question about many has told of it."""
        self._seen = True
        self._seems_off = isinstance(peek, Peek) and not peek.live
        if self._seems_off:
            self._due = self._polls.clock.monotonic() + self._polls.around(self._polls.rules.interval_s)
        elif self._called is not None:
            self._called.set()

    def patience_s(self) -> float:
        """Seconds until the next question, after what was heard last."""
        rules = self._polls.rules
        if self._error is not None:
            most_s = rules.network_s if isinstance(self._error, NetworkError) else rules.longest_s
            return min(self._polls.around(rules.interval_s) * 2 ** min(self._errors - 1, 30), most_s)
        left_s = (self._available_at - self._polls.clock.now()).total_seconds() if self._available_at else 0.0
        if left_s > 0:
            return min(left_s, max(self._polls.around(rules.interval_s), min(left_s / 2, rules.longest_s)))
        return self._polls.around(rules.interval_s)

    async def seems_off(self) -> bool:
        """To be called before the first full question. Whether there need not be one yet, since a question about all pages of the
        platform says that it is not on air."""
        group, begun = self._group, self._begun
        self._begun = True
        if begun:
            return False
        if group.probes and len(group.polls) > 1:
            async with group.asking:
                if not self._seen:
                    await self._polls.probe(group, [poll for poll in group.polls if not poll._seen])
        if not self._seems_off:
            await self._enter()
        return self._seems_off

    async def rest(self, seconds: float) -> None:
        """Return when it is time for a full question: after so long, or when it seems to be on air; later while it seems not."""
        clock, called = self._polls.clock, anyio.Event()
        self._due, self._called = clock.monotonic() + seconds, called
        try:
            while not called.is_set():
                with anyio.move_on_after(max(0.0, self._due - clock.monotonic())):
                    await called.wait()
                if self._due <= clock.monotonic():
                    await self._when_due(called)
        finally:
            self._called = None
        await self._enter()

    async def _when_due(self, called: anyio.Event) -> None:
        group, clock = self._group, self._polls.clock
        async with group.asking:
            if called.is_set() or self._due > clock.monotonic():  # another one's question has answered this one's
                return
            soon = clock.monotonic() + self._polls.rules.interval_s
            together = [poll for poll in group.polls if poll._called is not None and poll._due <= soon]
            if group.probes and len(together) > 1:
                await self._polls.probe(group, together)
            else:
                called.set()

    async def _enter(self) -> None:
        """One after the other, and not while the platform is left alone."""
        group, clock = self._group, self._polls.clock
        async with group.door:
            while (wait_s := group.closed_until - clock.monotonic()) > 0:  # noqa: ASYNC110 - it may be put off meanwhile
                await anyio.sleep(wait_s)
            group.closed_until = clock.monotonic() + self._polls.rules.apart_s
