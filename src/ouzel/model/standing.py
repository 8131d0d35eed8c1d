"""What is known of a channel: on air, not on air, or why nobody knows; since when, and with which proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ouzel.base.errors import OuzelError
from ouzel.model.evidence import Evidence
from ouzel.model.live import Answer, Live, Offline, Vod, state_of

UNKNOWN = "unknown"
"""The state of a channel that nobody was asked about yet."""
_MOST_EVIDENCE = 10
_MOST_WHY = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """Instants are aware UTC."""

    channel_id: str
    since: datetime
    """When the state became this one."""
    state: str = UNKNOWN
    """Of `model.live.State`, or `UNKNOWN`."""
    asked_at: datetime | None = None
    due_at: datetime | None = None
    """When it is asked next; None: nobody will."""
    code: str | None = None
    """Of the error, if it is one."""
    why: str | None = None
    errors: int = 0
    """In a row."""
    title: str | None = None
    category: str | None = None
    cover: str | None = None
    available_at: datetime | None = None
    """When it is announced to begin."""
    adapter: str | None = None
    """Who told."""
    evidence: tuple[Mapping[str, Any], ...] = ()
    """`Evidence.fields()` of the last answer."""

    def is_other(self, before: Standing) -> bool:
        """Whether a row of history is due: another state, or another reason for it."""
        return (self.state, self.code) != (before.state, before.code)

    def heard(
        self, outcome: Answer | OuzelError, *, adapter: str, evidence: tuple[Evidence, ...], at: datetime
    ) -> Standing:
        """After an answer. What is due next is not known yet."""
        error = outcome if isinstance(outcome, OuzelError) else None
        state = state_of(outcome).value
        known = replace(
            self,
            state=state,
            since=at if state != self.state else self.since,
            asked_at=at,
            code=error.code if error else None,
            why=str(error)[:_MOST_WHY] if error else None,
            errors=self.errors + 1 if error else 0,
            adapter=adapter,
            evidence=tuple(each.fields() for each in evidence[-_MOST_EVIDENCE:]),
        )
        match outcome:
            case Live():
                return replace(
                    known, title=outcome.title, category=outcome.category, cover=outcome.cover, available_at=None
                )
            case Offline():
                return replace(known, title=outcome.title or self.title, available_at=outcome.available_at)
            case Vod():
                return replace(known, title=outcome.title, available_at=None)
            case _:
                return known
