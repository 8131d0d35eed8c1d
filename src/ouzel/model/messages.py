"""Messages: what is to be told to one target, until it is told or given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from ouzel.model.notices import Severity

_ATTEMPTS, _LEAST_ATTEMPTS = 24, 3
_KEPT = timedelta(days=1)
_FIRST_S, _LONGEST_S = 10.0, 3600.0
_MOST_ASKED_S = 86_400.0
"""How long a service may ask to be left alone."""


class MessageState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"  # a repetition, or its target is gone


_S = MessageState
MESSAGE_MOVES: dict[MessageState, frozenset[MessageState]] = {
    _S.WAITING: frozenset({_S.SENT, _S.FAILED, _S.DROPPED}),
    _S.SENT: frozenset(),
    _S.FAILED: frozenset({_S.WAITING}),  # somebody says so
    _S.DROPPED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Message:
    """Instants are aware UTC."""

    id: str
    number: int
    """Of the event."""
    route: str
    target: str
    code: str
    severity: Severity
    about: str
    """What it is about: of repetitions the same."""
    at: datetime
    """When it happened."""
    title: str
    text: str
    channel_id: str | None = None
    url: str = ""
    """Where more is to be seen."""
    picture: str = ""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """For programs: JSON values, redacted."""
    language: str = "en"
    state: MessageState = MessageState.WAITING
    joined: bool = False
    """It is sent together with others that wait for the same target."""
    not_before: datetime | None = None
    attempts: int = 0
    """That failed."""
    error: str | None = None
    """Code of the last error."""
    why: str | None = None
    created_at: datetime | None = None
    ended_at: datetime | None = None


def is_given_up(since: datetime, now: datetime, failed: int) -> bool:
    """Whether a message has failed for good: after half a day of attempts, or when it is a day old. `failed`: attempts."""
    return failed >= _ATTEMPTS or (failed >= _LEAST_ATTEMPTS and now - since >= _KEPT)


def pause_s(failed: int, random: Random, asked_s: float | None = None) -> float:
    """Seconds until the next attempt. Args: failed: attempts so far, > 0; asked_s: what the service asks for."""
    ceiling = min(_LONGEST_S, _FIRST_S * 2 ** min(failed - 1, 20))
    own_s = random.uniform(ceiling / 2, ceiling)
    return own_s if asked_s is None else max(own_s if failed > 1 else 0.0, min(asked_s, _MOST_ASKED_S))
