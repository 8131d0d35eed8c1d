"""How far somebody has watched a video, and what they think of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

_END_S, _END_SHARE = 30.0, 0.95


@dataclass(frozen=True, slots=True)
class Watch:
    """Of one user and one video."""

    position_s: float = 0.0
    """Where to go on; 0: at the beginning."""
    watched: bool = False
    plays: int = 0
    """How often it was watched to its end."""
    seen_at: datetime | None = None
    """When last; None: never, or taken out of the history."""
    favourite_at: datetime | None = None


def reached(watch: Watch, position_s: float, *, duration_s: float, is_over: bool, at: datetime) -> Watch:
    """They have come so far. At the end of what is over it is watched, and begins anew the next time.

    Args:
        duration_s: 0 where nobody knows.
        is_over: it does not grow any more: of what is on air nobody has seen the end.
    """
    position_s = min(max(0.0, position_s), duration_s) if duration_s else max(0.0, position_s)
    end_s = max(duration_s / 2, min(duration_s * _END_SHARE, duration_s - _END_S))  # of a short one not before its half
    if is_over and duration_s and position_s >= end_s:
        return replace(watch, position_s=0.0, watched=True, plays=watch.plays + 1, seen_at=at)
    return replace(watch, position_s=position_s, seen_at=at)
