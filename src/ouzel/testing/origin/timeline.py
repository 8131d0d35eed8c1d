"""What a channel shows when: clips in a loop, joined by changes, as a function of the running number of the group.

Pure arithmetic, so that any group can be made at any time, by any viewer's request, in any container, and is always the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ouzel.testing.clips import Clip
from ouzel.testing.origin.pieces import TICKS


@dataclass(frozen=True, slots=True)
class Stretch:
    """Groups in which nothing changes but the picture."""

    first: int
    """Running number of its first group."""
    clip: Clip
    start_90k: int
    """Show time of its first group: 0 at the start of the channel, rising without a break."""
    phase: int
    """Position of its first group in the endless loop of the clip."""
    zero_90k: int
    """Time stamp at which the loop began (would have begun)."""
    init: int = 0
    """Number of the init segment; another number is another address."""
    discontinuity: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """One group of pictures of a channel."""

    number: int
    stretch: Stretch
    loop: int
    """Position in the endless loop of the clip."""

    @property
    def start_90k(self) -> int:
        """Show time."""
        return self.stretch.start_90k + (self.number - self.stretch.first) * self.stretch.clip.gop_90k

    @property
    def duration_90k(self) -> int:
        return self.stretch.clip.gop_90k

    @property
    def discontinuity(self) -> bool:
        return self.stretch.discontinuity and self.number == self.stretch.first

    def place(self, clip: Clip | None = None) -> tuple[int, int]:
        """Which piece of the clip (or of another one with groups of the same length), and what is added to its time stamps."""
        shown = clip or self.stretch.clip
        turns, index = divmod(self.loop, shown.gops)
        return index, self.stretch.zero_90k + turns * shown.length_90k


class Timeline:
    """The stretches of one channel.

    Args:
        clip: shown first.
        zero_s: time stamp of the first picture; at least 1, because decoding begins a little earlier.
    """

    def __init__(self, clip: Clip, *, zero_s: float) -> None:
        if zero_s < 1:
            raise ValueError("time stamps begin at 1 s or later")
        self.stretches = [Stretch(0, clip, 0, 0, round(zero_s * TICKS))]

    def at(self, number: int) -> Slot:
        """The group with this running number, which is >= 0."""
        stretch = self.stretches[bisect_right(self.stretches, number, key=lambda s: s.first) - 1]
        return Slot(number, stretch, stretch.phase + number - stretch.first)

    def number_at(self, show_90k: int) -> int:
        """The group that is on at this show time; below 0 before the start."""
        stretch = self.stretches[max(bisect_right(self.stretches, show_90k, key=lambda s: s.start_90k) - 1, 0)]
        return stretch.first + (show_90k - stretch.start_90k) // stretch.clip.gop_90k

    def breaks(self) -> Iterator[int]:
        """Numbers of the groups before which a discontinuity is declared."""
        return (stretch.first for stretch in self.stretches if stretch.discontinuity)

    def change_clip(self, number: int, clip: Clip, *, discontinuity: bool) -> None:
        """From `number` on another clip, from its beginning, with time stamps that go on."""
        now = self._next(number)
        declared = discontinuity or now.discontinuity
        changed = replace(now, clip=clip, phase=0, zero_90k=self._stamp(now), init=now.init + 1, discontinuity=declared)
        self.stretches.append(changed)

    def shift_stamps(self, number: int, by_90k: int, *, discontinuity: bool) -> None:
        """From `number` on time stamps that are larger by `by_90k` (or smaller)."""
        now = self._next(number)
        if self._stamp(now) + by_90k < TICKS:
            raise ValueError("time stamps would fall below 1 s")
        declared = discontinuity or now.discontinuity
        self.stretches.append(replace(now, zero_90k=now.zero_90k + by_90k, discontinuity=declared))

    def restart_stamps(self, number: int, *, zero_s: float, discontinuity: bool) -> None:
        """From `number` on time stamps that begin anew."""
        now = self._next(number)
        self.shift_stamps(number, round(zero_s * TICKS) - self._stamp(now), discontinuity=discontinuity)

    def new_init(self, number: int) -> None:
        """From `number` on the init segment has another address."""
        now = self._next(number)
        self.stretches.append(replace(now, init=now.init + 1))

    def _next(self, number: int) -> Stretch:
        """What is on at `number`, as a stretch that begins there; it takes the place of one that did so already."""
        if number < self.stretches[-1].first or number <= 0:
            raise ValueError(f"group {number} does not come after what is settled already")
        slot = self.at(number)
        now = replace(
            slot.stretch, first=number, start_90k=slot.start_90k, phase=slot.loop, discontinuity=slot.discontinuity
        )
        if self.stretches[-1].first == number:
            self.stretches.pop()
        return now

    @staticmethod
    def _stamp(stretch: Stretch) -> int:
        return stretch.zero_90k + stretch.phase * stretch.clip.gop_90k
