"""Where segments are missing in a DASH show that is over, by its own clock. Pure.

ffmpeg says that it went past a segment, but not which. A segment begins with a key frame, and so does a chunk: what is missing is
by how much the show's clock has run ahead of the recorded media at the beginning of a chunk.
"""

from __future__ import annotations

from ouzel.formats.shape import Span

HOLE_S = 0.5
"""Tracks do not end together, and durations are rounded: less is no hole."""


class Holes:
    """Follows the show's clock over all connections."""

    def __init__(self) -> None:
        self.found = 0
        self._first_s: float | None = None
        self._ahead_s = 0.0

    def take(self, span: Span, media_s: float) -> float:
        """A chunk that is about to be recorded, when there is so much media. Returns: seconds that are missing in front of it.

        A hole of one track only stays in the file, so that the media catches up with the clock inside this chunk; one of all
        tracks is closed.
        """
        if span.source_s is None:
            return 0.0
        ahead_s = span.source_s - media_s
        if self._first_s is None:
            self._first_s = self._ahead_s = ahead_s
        missing_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        if missing_s < HOLE_S:
            return 0.0
        self.found += 1
        return missing_s

    def rest_s(self, length_s: float, media_s: float) -> float:
        """What is missing of the show's length without being one of these holes; 0 where that is too little to be a segment."""
        rest_s = length_s - media_s - self._ahead_s + (self._first_s or 0.0)
        return rest_s if rest_s >= HOLE_S else 0.0
