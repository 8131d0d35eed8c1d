"""Rules by which recordings are deleted: what they say. Pinned ones, and those that are not over, no rule touches."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from ouzel.base.errors import BadOption
from ouzel.base.units import format_size


class Per(StrEnum):
    """In what bytes and count are counted."""

    CHANNEL = "channel"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is kept; None: no limit. A recording goes when one of the limits says so, the oldest first."""

    keep_days: float | None = None
    """Since it ended."""
    keep_bytes: int | None = None
    keep_count: int | None = None
    per: Per = Per.CHANNEL
    keep_free: int | None = None
    """Bytes: while a storage root has less room, the oldest on it go, and at once."""


def check_rule(rule: Rule, most_room: int | None = None) -> None:
    """Args: most_room: bytes of the largest disk; None: nobody knows. Raises: BadOption, whose context has `pointer`."""
    if rule.keep_days is not None and not (math.isfinite(rule.keep_days) and 0 < rule.keep_days <= 36_500):
        raise BadOption("recordings are kept for more than 0, and for 36500 days at most", pointer="/keep_days")
    if rule.keep_bytes is not None and not 0 < rule.keep_bytes <= 1 << 60:
        raise BadOption("so many bytes cannot be kept: more than 0, and 1 EiB at most", pointer="/keep_bytes")
    if rule.keep_count is not None and not 0 < rule.keep_count <= 1_000_000:
        raise BadOption("so many recordings cannot be kept: 1 to 1000000", pointer="/keep_count")
    if rule.keep_free is not None and not 0 < rule.keep_free <= 1 << 60:
        raise BadOption("so many bytes cannot be kept free: more than 0, and 1 EiB at most", pointer="/keep_free")
    if most_room is not None and (rule.keep_free or 0) >= most_room:
        raise BadOption(
            f"so much cannot be kept free: the largest disk of all storage roots has {format_size(most_room)}",
            pointer="/keep_free",
        )
    if (rule.keep_days, rule.keep_bytes, rule.keep_count, rule.keep_free) == (None, None, None, None):
        raise BadOption(
            "a rule without any limit deletes nothing: give days, bytes, a count, or room that it keeps free",
            pointer="/keep_days",
        )
