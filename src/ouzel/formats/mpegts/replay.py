"""Recognising what a server sends again after a reconnect: often from the start of the group in which the connection broke,
sometimes from further back.

A group is known by the decode time stamp of its key frame, as it came, and the first bytes of that picture. Neither alone would
do: an encoder that begins again may count from where it did before, and a still picture looks the same each time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ouzel.formats.mpegts.counters import pid_at, starts_of
from ouzel.formats.mpegts.keys import is_key, packet_end, print_of
from ouzel.formats.mpegts.lanes import Lane
from ouzel.formats.mpegts.packets import SIZE
from ouzel.formats.mpegts.units import unit_at

_MAX_AHEAD = 32
"""Units of sound in front of a key frame; with more, the chunk does not begin with it."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The key frame with which a chunk begins."""

    dts: int
    digest: int | None
    """None when too little of it is there; there is no harm then in taking it for any picture with this time stamp."""
    ahead: tuple[tuple[int, int], ...] = ()
    """PID and decode time stamp of the units of other tracks in front of it."""
    at: int = 0
    """Packets in front of it; 0: the chunk begins with it, and what was sent before it is in the chunk before."""

    def is_same(self, other: Opening | None) -> bool:
        """Whether it is the same picture, whatever is in front of it."""
        if other is None or self.dts != other.dts:
            return False
        return self.digest is None or other.digest is None or self.digest == other.digest

    def is_whole_again(self, other: Opening | None) -> bool:
        """Whether a chunk that begins like the other has all that one with this opening has."""
        return other is not None and self.is_same(other) and (self.at == 0 or self.ahead == other.ahead)


def opening_of(dts: int, digest: int | Literal["none"], ahead: Sequence[tuple[int, int]] = (), at: int = 0) -> Opening:
    return Opening(dts, None if digest == "none" else digest, tuple(ahead), at)


Sight: TypeAlias = Opening | Literal["more", "none"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A whole chunk of the past."""

    opening: Opening
    frames: int
    following: Opening
    """With which the next one began."""

    def is_all_of(self, frames: int, following: Opening | None) -> bool:
        """Whether a chunk with the same opening is the same up to its end."""
        return self.frames == frames and self.following.is_same(following)


class ReplayMemory:
    """The last chunks that were kept. `size`: how many; 0 switches recognition off."""

    def __init__(self, size: int) -> None:
        self._kept: deque[Kept] = deque(maxlen=size)

    @property
    def enabled(self) -> bool:
        return self._kept.maxlen != 0

    def keep(self, opening: Opening | None, frames: int, following: Opening | None) -> None:
        """A chunk was kept. One that cannot be recognised is not remembered."""
        if opening is not None and following is not None:
            self._kept.append(Kept(opening, frames, following))

    def find(self, opening: Opening | None) -> Kept | None:
        """The chunk that began with this picture."""
        return next((kept for kept in reversed(self._kept) if kept.opening.is_same(opening)), None)


def first_sight(
    block: memoryview, headers: bytes, lanes: Mapping[int, Lane], lead: int, reach: int, *, final: bool
) -> Sight:
    """With which key frame these packets begin. `none`: not with one; `more`: more packets are needed.

    Args:
        lead: PID of the picture.
        reach: packets that may be looked at.
        final: no more packets will come.
    """
    ahead: list[tuple[int, int]] = []
    marks = starts_of(headers)
    number = marks.find(1)
    while number >= 0 and len(ahead) <= _MAX_AHEAD:
        pid = pid_at(headers, number)
        lane = lanes.get(pid)
        unit = unit_at(block, number * SIZE) if lane is not None and lane.kind != "other" else None
        if lane is not None and unit is not None and unit.dts is not None:
            if pid == lead:
                if lane.kind != "video" or not is_key(lane, block, unit, packet_end(number)):
                    return "none"
                digest = print_of(block, headers, number, unit, reach - number, final=final)
                return "more" if digest == "more" else opening_of(unit.dts, digest, ahead, number)
            ahead.append((pid, unit.dts))
        number = marks.find(1, number + 1)
    return "none" if final or len(headers) // 4 >= reach or len(ahead) > _MAX_AHEAD else "more"
