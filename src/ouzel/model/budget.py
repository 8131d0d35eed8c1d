"""How many questions a platform is asked. Pure: monotonic seconds are handed in.

A bucket of tokens that fills by `requests_per_minute`, a pause between two questions, and, when the platform blocks, a time in
which nobody asks anything: twice as long each further time, until something is answered again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_BURST_MINUTES = 1 / 6
"""Of its requests may be made at once after a quiet time."""
_INSTANT_S = 1e-6
"""What is shorter comes from rounding, and no clock would pass it."""
_EASE = 0.05
_STRAINED, _EASED = 1.0, 0.25
_STRAINED_S = 600.0
"""The first questions after a start take a while, too."""


@dataclass(frozen=True, slots=True)
class BudgetRules:
    """For one platform. Times in seconds."""

    requests_per_minute: float = 60.0
    apart_s: float = 0.5
    """Between the beginnings of two questions."""
    cool_s: float = 30.0
    """The first time that it blocks."""
    cool_at_most_s: float = 900.0

    @property
    def burst(self) -> float:
        """Requests."""
        return max(1.0, self.requests_per_minute * _BURST_MINUTES)


class Budget:
    """Of one platform, for all who ask it."""

    def __init__(self, rules: BudgetRules, now_s: float) -> None:
        self.rules = rules
        self.requests = 0
        """Made so far."""
        self._tokens = rules.burst
        self._at_s = now_s
        self._next_s = now_s
        self._closed_at_s = self._closed_until_s = now_s
        self._closures = 0
        self._late = 0.0
        self._strained_s = now_s
        """Until then it was not."""

    def wait_s(self, now_s: float, *, urgent: bool = False) -> float:
        """Seconds until the next question may be asked.

        Args:
            urgent: a recording waits for it. It goes before its turn, on credit of one burst; but not while the platform is
                left alone.
        """
        self._fill(now_s)
        lacking = (-self.rules.burst if urgent else 0.0) + 1.0 - self._tokens
        filled_s = max(0.0, lacking) * 60.0 / self.rules.requests_per_minute
        apart_s = 0.0 if urgent else self._next_s - now_s
        wait_s = max(filled_s, apart_s, self._closed_until_s - now_s)
        return wait_s if wait_s >= _INSTANT_S else 0.0

    def take(self, now_s: float, requests: int = 1) -> None:
        """A question is asked."""
        self._next_s = now_s + self.rules.apart_s
        self.pay(now_s, requests)

    def pay(self, now_s: float, requests: int) -> None:
        """It took more requests than were reckoned with."""
        self._fill(now_s)
        self._tokens -= requests
        self.requests += requests

    def tokens(self, now_s: float) -> float:
        """Questions that may be asked at once; below zero: on credit."""
        self._fill(now_s)
        return self._tokens

    def is_closed(self, now_s: float) -> bool:
        """Whether the platform is left alone because it blocks."""
        return self._closed_until_s > now_s

    def blocked(self, asked_s: float, now_s: float) -> float:
        """It blocks. Questions that were on their way when that was heard first do not count again.

        Returns: for how many seconds it is left alone from now on; 0: that was known.
        """
        if self._closures and asked_s <= self._closed_at_s:
            return 0.0
        rules = self.rules
        for_s = min(rules.cool_s * 2 ** min(self._closures, 30), rules.cool_at_most_s)
        self._closures += 1
        self._closed_at_s, self._closed_until_s = now_s, now_s + for_s
        return for_s

    def answered(self, asked_s: float) -> bool:
        """It answered a question. Returns: whether it had blocked until then."""
        if not self._closures or asked_s <= self._closed_at_s:
            return False
        self._closures = 0
        return True

    def strained(self, late_s: float, interval_s: float, now_s: float, *, channels: int = 1) -> None:
        """A question about so many was asked so much later than it was due; a while of that means that the budget is too small,
        unless the platform was left alone."""
        late_s = min(late_s, max(0.0, now_s - self._closed_until_s))
        self._late += (1 - (1 - _EASE) ** channels) * (late_s / interval_s - self._late)

    def is_strained(self, before: bool, now_s: float) -> bool:
        """Whether channels are asked half as often as they should be, or less, and have been for long. `before`: what this said
        the last time."""
        if self._late <= (_EASED if before else _STRAINED):
            self._strained_s = now_s
        return now_s - self._strained_s >= _STRAINED_S or (before and self._strained_s < now_s)

    def _fill(self, now_s: float) -> None:
        gained = (now_s - self._at_s) * self.rules.requests_per_minute / 60.0
        self._tokens, self._at_s = min(self.rules.burst, self._tokens + gained), now_s


class Budgets:
    """Of all platforms, made when they are first asked."""

    def __init__(self, rules_for: Callable[[str], BudgetRules]) -> None:
        self._rules_for = rules_for
        self._budgets: dict[str, Budget] = {}

    def of(self, platform: str, now_s: float) -> Budget:
        if platform not in self._budgets:
            self._budgets[platform] = Budget(self._rules_for(platform), now_s)
        return self._budgets[platform]
