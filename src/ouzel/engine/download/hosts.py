"""How many connections each host has: shared by all downloads of a process, so that they do not crowd each other out."""

from __future__ import annotations

from bisect import insort
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import anyio

from ouzel.base.errors import RateLimited
from ouzel.model.congestion import Congestion
from ouzel.model.downloads import MOST_CONNECTIONS
from ouzel.system.clock import Clock

_FORGOTTEN = 256
"""Hosts that are remembered."""


MOST_PATIENCE_S = 120.0
"""Who wants to be left alone for longer is not waited for."""
Urgent = Callable[[], bool]
"""Whether everybody else waits for this one, so that it may not wait for them."""


@dataclass(slots=True, order=True)
class _Waiting:
    rank: int
    number: int
    urgent: Urgent = field(compare=False)
    turn: anyio.Event = field(compare=False, default_factory=anyio.Event)


class Host:
    """The turns at one host. The lowest rank is served first."""

    def __init__(self, clock: Clock, name: str) -> None:
        self._name = name
        self.congestion = Congestion(MOST_CONNECTIONS)
        self.active = 0
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._count = 0

    @asynccontextmanager
    async def slot(self, rank: int, urgent: Urgent) -> AsyncGenerator[None]:
        """Wait until one more connection is allowed, and the host may be asked at all; hold it. Raises: RateLimited."""
        while True:
            await self._turn(rank, urgent)
            if (rest_s := self.congestion.rest_s(self._clock.monotonic())) <= 0:
                break
            self._leave()
            self.be_patient(rest_s)
            await anyio.sleep(rest_s)
        try:
            yield
        finally:
            self._leave()

    def be_patient(self, rest_s: float) -> None:
        """Raises: RateLimited when it wants to be left alone for longer than anybody would wait."""
        if rest_s > MOST_PATIENCE_S:
            words = f"{self._name} wants to be left alone for {rest_s / 60:.0f} minutes"
            raise RateLimited(words, status=429, retry_after_s=rest_s)

    async def _turn(self, rank: int, urgent: Urgent) -> None:
        self._count += 1
        mine = _Waiting(rank, self._count, urgent)
        insort(self._waiting, mine)
        self.look()
        try:
            await mine.turn.wait()
        except BaseException:
            if mine in self._waiting:
                self._waiting.remove(mine)
            else:
                self._leave()
            raise

    def look(self) -> None:
        """Let in whoever may come in by now."""
        for each in [*self._waiting]:
            if self.active < self.congestion.limit or each.urgent():
                self._waiting.remove(each)
                self.active += 1
                each.turn.set()

    def _leave(self) -> None:
        self.active -= 1
        self.look()

    def done(self) -> None:
        """A piece came whole."""
        self.congestion.done(self._clock.monotonic(), busy=self.active >= self.congestion.limit)
        self.look()

    def trouble(self, retry_after_s: float | None, *, refused: bool) -> None:
        """As `Congestion.trouble`."""
        self.congestion.trouble(self._clock.monotonic(), retry_after_s, refused=refused)


class Hosts:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hosts: dict[str, Host] = {}

    def look(self) -> None:
        """Something has changed that makes a piece urgent."""
        for host in self._hosts.values():
            host.look()

    def of(self, url: str) -> Host:
        """By scheme, name and port."""
        parts = urlsplit(url)
        name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
        host = self._hosts.pop(name, None) or Host(self._clock, parts.hostname or name)
        self._hosts[name] = host
        if len(self._hosts) > _FORGOTTEN:
            idle = next((each for each, it in self._hosts.items() if not it.active), None)
            if idle is not None:
                del self._hosts[idle]
        return host
