"""What the supervisor runs: a body for each kind of key, and what it is told of its work."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import anyio

from ouzel.base.backoff import Backoff
from ouzel.base.errors import OuzelError, Retry
from ouzel.base.urls import redact_text
from ouzel.model.happening import Happening
from ouzel.model.ownership import Grant, Ownership, Spec, StopReason
from ouzel.store.db import Tx

T = TypeVar("T")
_FIRST_S, _LONGEST_S = 1.0, 300.0
_LATER_S = 30.0
_SETTLED_S = 60.0
"""A body that has run for so long begins its back-off anew."""


class Context:
    """The `RunContext` of one body, for one grant."""

    def __init__(self, grant: Grant, ownership: Ownership[Tx]) -> None:
        self.grant = grant
        self.stopping = anyio.Event()
        self.hold_s: float | None = None
        """How long the key is to be left alone when the body has ended, if it or its `ended` knows better."""
        self._ownership = ownership
        self._reason: StopReason | None = None

    @property
    def key(self) -> str:
        return self.grant.key

    @property
    def epoch(self) -> int:
        return self.grant.epoch

    @property
    def spec(self) -> Spec:
        return self.grant.spec

    @property
    def reason(self) -> StopReason | None:
        return self._reason

    def owned(self) -> bool:
        return self._reason is not StopReason.FENCED and self._ownership.owned(self.grant)

    async def commit(self, write: Callable[[Tx], Awaitable[T]]) -> T:
        return await self._ownership.commit(self.grant, write)

    async def emit(self, *happened: Happening) -> None:
        async def tell(tx: Tx) -> None:
            tx.emit(*happened)

        await self.commit(tell)

    def stop(self, reason: StopReason) -> None:
        """The first reason stands, but for the fence: that one says that nothing can be committed."""
        if self._reason is None or reason is StopReason.FENCED:
            self._reason = reason
        self.stopping.set()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a body came to its end."""

    error: Exception | None
    """None: it returned, or was stopped."""
    reason: StopReason | None
    """Why it was to stop, if it was."""


@dataclass(frozen=True, slots=True)
class Body:
    """What runs for a key of one kind."""

    run: Callable[[Context], Awaitable[None]]
    """It ends when `stopping` is set. A body that returns while it is wanted is run again."""
    slots: int
    """How many at once."""
    patience_s: float = 0.0
    """Between `stopping` and its cancellation."""
    ended: Callable[[Context, Ending], Awaitable[bool]] | None = None
    """Called when `run` is over, however it went, unless it was fenced; not cancelled.

    Returns: whether it has given back the grant itself, and decided when it is to run again."""


@dataclass(slots=True)
class Pauses:
    """How long a key is left alone after its body has ended, though it is wanted."""

    restarts: int = 0
    """After errors."""
    _backoff: Backoff = field(default_factory=lambda: Backoff(_FIRST_S, _LONGEST_S))

    def after(self, error: Exception | None, *, lasted_s: float) -> float:
        """Seconds."""
        if lasted_s >= _SETTLED_S:
            self._backoff.attempt = 0
        pause_s = self._backoff.next_s()
        if error is None:
            return pause_s
        self.restarts += 1
        match error.retry if isinstance(error, OuzelError) else Retry.SOON:
            case Retry.SOON:
                return pause_s
            case Retry.LATER:
                return max(_LATER_S, pause_s)
            case Retry.NEVER:  # somebody has to change something, and whoever does, wants it anew
                return _LONGEST_S


def alone(exc: Exception) -> Exception:
    """What stands alone in a group, without it."""
    if not isinstance(exc, ExceptionGroup):
        return exc
    group = cast("ExceptionGroup[Exception]", exc)
    return alone(group.exceptions[0]) if len(group.exceptions) == 1 else group


def said(exc: Exception) -> str:
    """In a line, as it may be logged and shown."""
    return str(exc) if isinstance(exc, OuzelError) else redact_text(f"{type(exc).__name__}: {exc}")


def place_of(exc: Exception) -> str:
    """Where in the code it was raised."""
    frames = traceback.extract_tb(exc.__traceback__)
    return f"{type(exc).__name__} {frames[-1].filename}:{frames[-1].lineno}" if frames else type(exc).__name__
