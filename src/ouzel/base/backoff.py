"""How long to wait before trying again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


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

    def reset(self) -> None:
        self.attempt = 0
