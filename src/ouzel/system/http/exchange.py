"""One request and its answer on one link."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping

from ouzel.base.errors import ConnectionLost, OuzelError
from ouzel.system.http.bodies import Enough
from ouzel.system.http.braking import Brake, Braking
from ouzel.system.http.gathering import Gathering
from ouzel.system.http.heads import Head
from ouzel.system.http.links import NOBODY, Conduit
from ouzel.system.http.messages import Limits, Take
from ouzel.system.http.reader import AnswerReader
from ouzel.system.http.watch import Watch


class Exchange:
    """Receives for a link while its answer is under way. Nothing here waits: `over` is set from the loop's callbacks."""

    __slots__ = ("_braking", "_gather_s", "_gathering", "_link", "_reader", "_watch", "error", "over")

    def __init__(
        self,
        link: Conduit,
        on_head: Callable[[Head], Take],
        limits: Limits,
        now: float,
        deadline: float,
        *,
        gather_s: float = 0.0,
        brake: Brake | None = None,
    ) -> None:
        self._link = link
        self._gather_s = gather_s
        self._gathering: Gathering | None = None
        self._reader = AnswerReader(on_head)
        self._watch = Watch(self._reader, limits, now, deadline)
        self._braking = None if brake is None else Braking(link, brake, self._watch.forgive)
        self.error: Exception | None = None
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        link.receiver = self

    @property
    def answered(self) -> bool:
        """Whether so much as one byte came."""
        return self._reader.received > 0

    @property
    def reusable(self) -> bool:
        """Once over: whether the link can serve another request."""
        return self._reader.reusable and self.error is None and self._link.open

    @property
    def due(self) -> float:
        return self._watch.due if self._gathering is None else min(self._watch.due, self._gathering.due)

    def hurry(self, deadline: float) -> None:
        self._watch.hurry(deadline)

    def forgive(self, seconds: float) -> None:
        self._watch.forgive(seconds)

    def check(self, now: float) -> None:
        """Called by the sweep."""
        try:
            if self._watch.due <= now:
                self._watch.check(now)
        except OuzelError as exc:
            self.fail(exc)
            return
        if self._gathering is None:
            if self._gather_s and self._reader.endless:
                self._gathering = Gathering(self._link, self._gather_s)
                self._gathering.look(now, self._reader.received)
        elif self._gathering.due <= now:
            self._gathering.look(now, self._reader.received)

    def received(self, data: memoryview) -> None:
        if self.over.done():  # more than the answer: whatever it is, it must not be taken for the next one
            self._link.abort()
            return
        try:
            self._reader.feed(data)
        except Enough:
            self._finish()
        except Exception as exc:  # noqa: BLE001 - the consumer's error is its caller's, not the event loop's
            self.fail(exc)
        else:
            if self._reader.done:
                self._finish()
            elif self._braking is not None and self._reader.head_done:
                self._braking.came(len(data))

    def closed(self, exc: Exception | None) -> None:
        if self.over.done():
            return
        try:
            self._reader.close()
        except OuzelError as fault:
            self.fail(fault if exc is None else _lost(exc, self._reader.received, fault.context))
        else:
            if exc is None:
                self._finish()
            else:
                self.fail(_lost(exc, self._reader.received, {}))

    def fail(self, exc: Exception) -> None:
        """End it; `exc` is for whoever waits."""
        if not self.over.done():
            self.error = exc
            self._finish()

    def abandon(self) -> None:
        """Nobody waits any more."""
        if self._braking is not None:
            self._braking.end()
        self._link.receiver = NOBODY
        self._link.abort()

    def _finish(self) -> None:
        if self._gathering is not None:
            self._gathering.end()
        if self._braking is not None:
            self._braking.end()
        if not self.over.done():
            self.over.set_result(None)
        if not self.reusable:
            self._link.abort()


def _lost(exc: Exception, received: int, missing: Mapping[str, object]) -> ConnectionLost:
    """`missing`: what is known of the part that did not come."""
    return ConnectionLost(f"the connection was lost: {_why(exc)}", **{"received_bytes": received, **missing})


def _why(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLError):
        return f"TLS: {(exc.reason or str(exc)).replace('_', ' ').lower()}"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror.lower()
    return str(exc) or type(exc).__name__
