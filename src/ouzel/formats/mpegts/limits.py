"""Where chunks end, and how much may be held."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What `TsShaper` was told, for the parts that it is made of."""

    continuous: bool
    """Chunks end in the stream itself, not with segments."""
    min_chunk_s: float
    """A key frame sooner than this after the start of a chunk does not begin another."""
    sound_chunk_s: float
    """Length of a chunk where there is no picture."""
    max_chunk_s: float
    """Without a key frame a chunk ends after this long."""
    reach: int
    """Packets that may be held while a decision is pending."""

    def least_s(self, *, sound: bool, key: bool) -> float:
        """Length from which a chunk may end in front of a unit of the leading track."""
        if sound:
            return self.sound_chunk_s
        return self.min_chunk_s if key else self.max_chunk_s
