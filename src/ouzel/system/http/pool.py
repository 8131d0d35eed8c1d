"""Connections between requests: the one used last is used next, so that the others grow old and go."""

from __future__ import annotations

from collections import OrderedDict
from math import inf
from typing import NamedTuple

from ouzel.system.guard import Scope
from ouzel.system.http.links import NOBODY, Conduit


class LinkKey(NamedTuple):
    """Requests with equal keys can share a connection."""

    scheme: str
    host: str
    port: int
    proxy: str | None
    verify_tls: bool
    scope: Scope
    """A connection that one channel may have is not lent to another that may not."""


class _Idle:
    """A link at rest. Bytes, or its end, put it out of the pool: nobody asked for them."""

    __slots__ = ("_pool", "key", "link", "since")

    def __init__(self, pool: Pool, key: LinkKey, link: Conduit, since: float) -> None:
        self._pool = pool
        self.key = key
        self.link = link
        self.since = since

    def received(self, data: memoryview) -> None:  # noqa: ARG002 - a receiver's signature
        self._pool.drop(self)

    def closed(self, exc: Exception | None) -> None:  # noqa: ARG002 - a receiver's signature
        self._pool.drop(self)


class Pool:
    """Links at rest.

    Args:
        idle_s: how long a link may rest; most servers close theirs after 60 s or 75 s.
        max_idle: how many may rest at a time; the oldest goes first.
    """

    def __init__(self, *, idle_s: float = 30.0, max_idle: int = 256) -> None:
        self._idle_s = idle_s
        self._max_idle = max_idle
        self._idle: OrderedDict[_Idle, None] = OrderedDict()  # oldest first
        self._by_key: dict[LinkKey, list[_Idle]] = {}
        self.due = inf

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, key: LinkKey) -> Conduit | None:
        """The link used last; None when none rests."""
        while resting := self._by_key.get(key):
            idle = resting[-1]
            self._forget(idle)
            idle.link.receiver = NOBODY
            if idle.link.open:
                return idle.link
        return None

    def put(self, key: LinkKey, link: Conduit, now: float) -> None:
        idle = _Idle(self, key, link, now)
        link.receiver = idle
        self._idle[idle] = None
        self._by_key.setdefault(key, []).append(idle)
        if len(self._idle) > self._max_idle:
            self.drop(next(iter(self._idle)))
        self._plan()

    def drop(self, idle: _Idle) -> None:
        """Close a link that rests."""
        if idle in self._idle:
            self._forget(idle)
            idle.link.receiver = NOBODY
            idle.link.abort()

    def close(self) -> None:
        for idle in tuple(self._idle):
            self.drop(idle)

    def check(self, now: float) -> None:
        """Called by the sweep: close what has rested too long."""
        for idle in tuple(self._idle):
            if now - idle.since < self._idle_s:
                break
            self.drop(idle)
        self._plan()

    def forgive(self, seconds: float) -> None:
        """A blocked loop changes nothing here."""

    def _forget(self, idle: _Idle) -> None:
        del self._idle[idle]
        resting = self._by_key[idle.key]
        resting.remove(idle)
        if not resting:
            del self._by_key[idle.key]

    def _plan(self) -> None:
        self.due = next((idle.since + self._idle_s for idle in self._idle), inf)
