"""The hours of the week at which a channel usually goes live, learned from when its broadcasts began. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import Enum

KEPT = timedelta(days=180)
"""Broadcasts that began longer ago say nothing any more."""
_FADE_DAYS = 60.0
"""After so long a beginning counts a third."""
_LEAST = 5
"""Beginnings, before anything is learned from them."""
_SLOTS_A_DAY = 48
_SLOTS = 7 * _SLOTS_A_DAY
_NEAR_SHARE = 0.1
_OWN_SHARE = 0.03
"""Of them on that day of the week itself."""
_FAR_SLOTS = 4
"""Half-hours from the nearest beginning on any day."""


class Pace(Enum):
    PLAIN = "plain"  # nothing is known
    NEAR = "near"  # it usually goes live about now
    FAR = "far"  # it never does within two hours of this time of day


@dataclass(frozen=True, slots=True)
class Hours:
    """Local half-hours of the week, from Monday on, as the bits of two numbers."""

    zone: tzinfo | None
    """None: the machine's."""
    near: int
    far: int

    @classmethod
    def learn(cls, starts: Iterable[datetime], now: datetime, zone: tzinfo | None) -> Hours | None:
        """None: too little is known. Args: starts, now: aware.

        A half-hour is near when the beginnings in it and in those beside it are a tenth of all, where one at the same time of
        another day counts a seventh; and far when there are none within two hours of that time on any day.
        """
        weights = defaultdict[int, float](float)
        known = [at for at in starts if now - at < KEPT]
        if len(known) < _LEAST:
            return None
        for at in known:
            weights[_slot(at, zone)] += 3 ** (-max(0.0, (now - at) / timedelta(days=1)) / _FADE_DAYS)
        daily = defaultdict[int, float](float)
        for slot, weight in weights.items():
            daily[slot % _SLOTS_A_DAY] += weight
        total = sum(weights.values())
        near = far = 0
        for slot in range(_SLOTS):
            weekly = sum(weights[(slot + off) % _SLOTS] for off in (-1, 0, 1))
            others = sum(daily[(slot + off) % _SLOTS_A_DAY] for off in (-1, 0, 1)) - weekly
            if weekly >= _OWN_SHARE * total and weekly + others / 7 >= _NEAR_SHARE * total:
                near |= 1 << slot
            elif not any(daily[(slot + off) % _SLOTS_A_DAY] for off in range(-_FAR_SLOTS, _FAR_SLOTS + 1)):
                far |= 1 << slot
        return cls(zone, near, far)

    def pace(self, at: datetime) -> Pace:
        bit = 1 << _slot(at, self.zone)
        return Pace.NEAR if self.near & bit else Pace.FAR if self.far & bit else Pace.PLAIN


def _slot(at: datetime, zone: tzinfo | None) -> int:
    local = at.astimezone(zone)
    return local.weekday() * _SLOTS_A_DAY + local.hour * 2 + local.minute // 30
