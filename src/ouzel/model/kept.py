"""From when to when the programme of a file is kept, or told to be missing, as its ledger has it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from ouzel.model.ledger import Ledger

_ROUNDING_S = 0.001
"""Of places in a ledger."""


def kept_since(ledger: Ledger) -> datetime | None:
    """Of its first chunk, or of what is missing before it. None: it has no chunk."""
    if not ledger.chunks:
        return None
    at_start = (gap.wall_start for gap in ledger.gaps if gap.at_s <= _ROUNDING_S and gap.is_dated)
    return min([ledger.chunks[0].wall, *at_start])


def kept_until(ledger: Ledger) -> datetime | None:
    """The end of its last chunk, or of what is missing behind it. None: it has no chunk."""
    if not ledger.chunks:
        return None
    last = ledger.chunks[-1]
    at_end = (gap.wall_end for gap in ledger.gaps if gap.at_s >= ledger.media_s - _ROUNDING_S)
    return max([last.wall + timedelta(seconds=last.duration_s), *at_end])
