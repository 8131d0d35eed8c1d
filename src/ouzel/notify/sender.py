"""What goes out, and how a service says no."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from ouzel.model.notices import Severity


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it is sent."""

    id: str
    """Stays the same from one attempt to the next."""
    title: str
    """One line."""
    text: str
    at: datetime
    severity: Severity = Severity.INFO
    code: str = ""
    url: str = ""
    picture: str = ""
    """Address of one; empty: none."""
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """For programs."""

    @property
    def whole(self) -> str:
        """For services that know no title."""
        return f"{self.title}\n{self.text}".strip()


Settings: TypeAlias = Mapping[str, Any]
"""Of a target, in the clear, as `model.targets.check_settings` gives them."""
Send: TypeAlias = Callable[[Outgoing, Settings], Awaitable[None]]
"""Raises: OuzelError, whose class says whether trying again can help; `retry_after_s` where the service asks for a pause."""


def fitted(text: str, most: int, *, size: Callable[[str], int] = len) -> str:
    """What a service takes of a text: what is left out is seen by its end. Args: most: in characters, or as `size` counts."""
    if size(text) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle]) + size("…") <= most else (low, middle - 1)
    return text[:low].rstrip() + "…"


def utf8(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
