"""What the playlists of a channel say about its show, rightly or wrongly."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from ouzel.testing.origin.hls import View
from ouzel.testing.origin.options import Hls
from ouzel.testing.origin.rendition import Rendition
from ouzel.testing.origin.show import Show

_GRACE = 2
"""Segments are still there for so long after they left the playlist."""


@dataclass(slots=True)
class _Passing:
    """A fault of the next few answers."""

    times: int = 0
    by: int = 0

    def take(self) -> int:
        if self.times <= 0:
            return 0
        self.times -= 1
        return self.by


class Edge:
    """Turns the show into views of it, in segments."""

    def __init__(self, show: Show, hls: Hls) -> None:
        self._show = show
        self._hls = hls
        self._frozen: int | None = None
        self._back = _Passing()
        self._early_end = _Passing()
        self._eras = [(0, hls.first_sequence, 0)]  # first segment, its media sequence, first segment of the names
        self.gaps: set[int] = set()
        self.ads: set[int] = set()
        self.parts = 0
        """Parts of the next segment that a test has published by hand."""

    @property
    def segments(self) -> int:
        """How many segments are complete: they have the numbers below this."""
        return self._show.groups // self._hls.gops_per_segment

    def freeze(self) -> None:
        self._frozen = self.segments

    def thaw(self) -> None:
        self._frozen = None

    def step_back(self, segments: int, times: int) -> None:
        self._back = _Passing(times, segments)

    def end_early(self, times: int) -> None:
        self._early_end = _Passing(times, 1)

    def restart(self, *, sequence: int, reuse_names: bool) -> None:
        first = self.segments
        self._eras.append((first, sequence, first if reuse_names else self._eras[-1][2]))

    def is_there(self, number: int) -> bool:
        """Whether a segment can be fetched."""
        shown = self._shown()
        oldest = 0 if self._hls.keeps_all else shown - self._hls.window - _GRACE
        return max(oldest, 0) <= number < self.segments and number not in self.gaps

    def name(self, number: int) -> str:
        return f"seg{number - self._era(number)[2]}"

    def number(self, name: int) -> int:
        """The segment that has this number in its name today; a reused name means the newer one."""
        return name + self._era(max(self.segments - 1, 0))[2]

    def sequence(self, number: int) -> int:
        """Media sequence number."""
        first, sequence, _ = self._era(number)
        return sequence + number - first

    def find(self, sequence: int) -> int:
        """The segment with this media sequence number today."""
        first, start, _ = self._era(max(self.segments - 1, 0))
        return first + sequence - start

    def running_parts(self, rendition: Rendition) -> int:
        """Published parts of the segment that is not complete yet."""
        if not self._hls.part_s or self._show.ended:
            return 0
        if self._show.speed is None:
            return self.parts
        running = rendition.segment(self.segments)
        elapsed, count = self._show.now_90k - running.start_90k, 0
        for part in running.parts:
            elapsed -= part.duration_90k
            if elapsed < 0:
                break
            count += 1
        return count

    def has_part(self, rendition: Rendition, number: int, index: int) -> bool:
        """Whether a part (or with index -1 the whole segment) is published."""
        if number < self.segments:
            return True
        return number == self.segments and 0 <= index < self.running_parts(rendition)

    def view(self, rendition: Rendition) -> View:
        """What the next answer lists. Uses up faults that were scripted for so many answers."""
        shown = self._shown()
        era = self._era(max(shown - 1, 0))[0]
        stop = max(shown - self._back.take(), era)
        first = era if self._hls.keeps_all else max(stop - self._hls.window, era)
        ended = bool(self._early_end.take()) or (self._show.ended and stop >= self.segments)
        breaks = [group // self._hls.gops_per_segment for group in self._show.timeline.breaks()]
        live = self._hls.part_s > 0 and stop == self.segments and not self._show.ended
        return View(
            [rendition.segment(number) for number in range(first, stop)],
            self.sequence(first),
            bisect_left(breaks, first) - bisect_left(breaks, era),
            ended,
            frozenset(self.gaps),
            frozenset(self.ads),
            rendition.segment(stop) if live else None,
            self.running_parts(rendition) if live else 0,
        )

    def _shown(self) -> int:
        return self.segments if self._frozen is None else min(self._frozen, self.segments)

    def _era(self, number: int) -> tuple[int, int, int]:
        return next(era for era in reversed(self._eras) if era[0] <= number)
