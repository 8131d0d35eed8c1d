"""When the pages for which a command waits are asked about again. `model/polling.py` and `model/budget.py` have the rules.

Of a platform that tells of many channels in one answer those that are due within an interval are asked about together. Only who
seems to be on air is asked about in full, and who nothing is said of. What such an answer says is good for waiting only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import anyio

from ouzel.base.errors import Blocked, NetworkError, OuzelError
from ouzel.model.budget import Budget, BudgetRules
from ouzel.model.live import Answer
from ouzel.model.polling import PollRules, patience_s
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.registry import registry
from ouzel.system.clock import Clock


class Prober(Protocol):
    """`ResolverHost.probe`."""

    async def probe(
        self, urls: Mapping[str, str], options: Options | None = None
    ) -> Mapping[str, Peek | OuzelError | None]: ...


@dataclass(eq=False, slots=True)
class _Group:
    """The pages of one platform, asked for in one way."""

    options: Options
    budget: Budget
    polls: list[Poll] = field(default_factory=list["Poll"])
    probes: bool = True
    """False once it has said that it has no answer for many."""
    asking: anyio.Lock = field(default_factory=anyio.Lock)
    door: anyio.Lock = field(default_factory=anyio.Lock)


class Polls:
    """All pages for which a process waits."""

    def __init__(
        self,
        prober: Prober,
        clock: Clock,
        rules: PollRules | None = None,
        budget: BudgetRules | None = None,
        random: Random | None = None,
    ) -> None:
        self.rules = rules or PollRules()
        self.clock = clock
        self.random = random or Random()
        self._budget = budget or BudgetRules()
        self._prober = prober
        self._groups: dict[tuple[str, Options], _Group] = {}

    def add(self, url: str, options: Options) -> Poll:
        """A page for which somebody waits."""
        match = registry().known(url)
        key = (match.platform.name if match else url, options)
        if key not in self._groups:
            self._groups[key] = _Group(options, Budget(self._budget, self.clock.monotonic()))
        group = self._groups[key]
        poll = Poll(self, group, url)
        group.polls.append(poll)
        return poll

    async def probe(self, group: _Group, polls: Collection[Poll]) -> None:
        """Ask about all of them in as few questions as the platform allows."""
        group.budget.pay(self.clock.monotonic(), 1)
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
        self._heard: Answer | OuzelError | None = None
        self._asked = float("-inf")
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
        self._heard = outcome
        self._errors = self._errors + 1 if isinstance(outcome, OuzelError) else 0
        if not isinstance(outcome, OuzelError):
            self.id = outcome.identity.id
        if isinstance(outcome, Blocked):
            self._group.budget.blocked(self._asked, self._polls.clock.monotonic())
        elif not isinstance(outcome, NetworkError):
            self._group.budget.answered(self._asked)

    def take(self, peek: Peek | OuzelError | None) -> None:
        """What a question about many has told of it."""
        self._seen = True
        self._seems_off = isinstance(peek, Peek) and not peek.live
        if self._seems_off:
            rules = self._polls.rules
            self._due = self._polls.clock.monotonic() + rules.around(rules.interval_s, self._polls.random)
        elif self._called is not None:
            self._called.set()

    def patience_s(self) -> float:
        """Seconds until the next question, after what was heard last."""
        rules, random = self._polls.rules, self._polls.random
        if self._heard is None:
            return rules.around(rules.interval_s, random)
        return patience_s(rules, random, self._heard, now=self._polls.clock.now(), errors=self._errors)

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
            while (wait_s := group.budget.wait_s(clock.monotonic())) > 0:  # noqa: ASYNC110 - it may be put off meanwhile
                await anyio.sleep(wait_s)
            self._asked = clock.monotonic()
            group.budget.take(self._asked)
