"""What a site answered, as far as it may be shown: the proof of what is said about a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """One request and what came of it. Redacted when it is made: it may be logged, stored and shown."""

    method: str
    url: str
    status: int | None = None
    """None: there was no answer."""
    content_type: str = ""
    first: str = ""
    """The first characters of the answer."""
    error: str = ""
    """Code of what went wrong on the way; empty when an answer came."""
    why: str = ""
    took_s: float = 0.0
    adapter: str = ""
    """Who asked; empty for what is asked before any adapter, such as where a short link leads."""

    def fields(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "url": self.url,
            "status": self.status,
            "content_type": self.content_type,
            "first": self.first,
            "error": self.error,
            "why": self.why,
            "took_s": round(self.took_s, 3),
            "adapter": self.adapter,
        }
