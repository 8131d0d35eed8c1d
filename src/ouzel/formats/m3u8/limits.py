"""How much of a stranger's playlist is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Security limits: a playlist beyond one of them is refused with `TooLarge`, it is never cut.

    The defaults leave room for a day of two-second segments with signed addresses of 700 bytes each.
    """

    size_bytes: int = 32 * _MIB
    lines: int = 500_000
    line_length: int = 128 * 1024
    """In characters."""
    segments: int = 100_000
    variants: int = 2_000
    """Variants, renditions and session tags of a master playlist together."""
    expansion: int = 4 * _MIB
    """Characters that putting in variables may produce in all: a short text with many references grows without bound."""
    warnings: int = 100
    """How many are listed; one more then tells how many there were."""


DEFAULT_LIMITS = Limits()
