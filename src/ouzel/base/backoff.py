"""How long to wait before trying again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_AT_ONCE_S = 1.0  # a connection that ended sooner has ended at once
_HASTE = 2.0  # seconds of media in a second; what comes faster was there before, and will be there in a while


@dataclass(slots=True)
class Backoff:
    """Exponential with full jitter: attempt n waits a random time in [0, min(cap, base * 2^n)].

    The first attempt after a success waits nothing: after a drop every second without a connection is a second lost.
    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    base_s: float = 0.5
    cap_s: float = 15.0
    rng: random.Random = field(default_factory=random.Random)
    attempt: int = 0

    def next_s(self) -> float:
        """Seconds to wait before the next attempt; >= 0."""
        n, self.attempt = self.attempt, self.attempt + 1
        if n == 0:
            return 0.0
        ceiling = min(self.cap_s, self.base_s * 2 ** min(n - 1, 30))
        return self.rng.uniform(ceiling / 2, ceiling)

    def ease(self, lasted_s: float, gained_s: float) -> None:
        """A connection brought something new: the less one waits, the less is lost of what is on air now.

        That it was on air just now is seen from the time it took. Of a server that hands out a file and closes, over and over,
        nothing is lost by waiting; and connections that end at once never follow each other without a pause.

        Args:
            lasted_s: how long the connection lasted, seconds.
            gained_s: media that it brought, seconds.
        """
        if gained_s <= _HASTE * lasted_s:
            self.attempt = min(self.attempt, 0 if lasted_s >= _AT_ONCE_S else 1)
