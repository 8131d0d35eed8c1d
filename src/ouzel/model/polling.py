"""When a channel is asked about next: early enough to miss nothing, and no oftener than that. Pure.

* Every `interval_s`, give or take `jitter`; oftener near the hours at which it usually goes live, less often far from them.
* Before an announced beginning half of the time that is left, `longest_s` at most: the last question comes when it is due.
* What is on air is asked about its title less often; when it seems to be over, `confirmations` times in short order.
* After errors less and less often, up to `longest_s`; up to `network_s` where the way there does not work, which mends by itself;
  up to `gone_s` where there is no such channel.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime
from random import Random

from ouzel.base.errors import NetworkError, OuzelError
from ouzel.model.hours import Pace
from ouzel.model.live import Answer, Live, Offline, State, Vod, state_of


@dataclass(frozen=True, slots=True)
class PollRules:
    """Times in seconds."""

    interval_s: float = 30.0
    jitter: float = 0.1
    """Share of it by which it is longer or shorter."""
    network_s: float = 60.0
    longest_s: float = 900.0
    gone_s: float = 6 * 3600.0
    live_s: float = 90.0
    live_jitter: float = 1 / 3
    confirm_s: float = 20.0
    confirmations: int = 3
    """Answers that say "offline" before a broadcast is over."""
    near_share: float = 0.5
    near_s: float = 10.0
    """At least, near its hours."""
    far_times: float = 5.0
    far_s: float = 300.0
    """At most, far from them."""

    def around(self, seconds: float, random: Random) -> float:
        return seconds * (1 + random.uniform(-1, 1) * self.jitter)

    def paced_s(self, interval_s: float, pace: Pace) -> float:
        """The interval at such an hour."""
        if pace is Pace.NEAR:
            return min(interval_s, max(interval_s * self.near_share, self.near_s))
        return max(interval_s, min(interval_s * self.far_times, self.far_s)) if pace is Pace.FAR else interval_s


def patience_s(
    rules: PollRules,
    random: Random,
    outcome: Answer | OuzelError,
    *,
    now: datetime,
    errors: int = 0,
    interval_s: float = 0.0,
    pace: Pace = Pace.PLAIN,
    on_air: bool = False,
    offline_in_row: int = 0,
) -> float:
    """Seconds until the next question.

    Args:
        outcome: what was heard last.
        errors: in a row, with this one.
        interval_s: what the user wishes; 0: what the rules say, by the hour.
        on_air: a broadcast of it is held to go on.
        offline_in_row: answers that said "offline", with this one.
    """
    wished_s = interval_s or rules.interval_s
    plain_s = interval_s or rules.paced_s(rules.interval_s, pace)
    if isinstance(outcome, OuzelError):
        most_s = _most_s(rules, outcome)
        if on_air:
            most_s = min(most_s, rules.live_s)
        return min(rules.around(wished_s, random) * 2 ** min(errors - 1, 30), max(most_s, wished_s))
    if on_air and isinstance(outcome, Live):
        return max(interval_s, rules.live_s * (1 + random.uniform(-1, 1) * rules.live_jitter))
    if on_air and offline_in_row < rules.confirmations:
        return rules.confirm_s
    if isinstance(outcome, Vod):
        return rules.around(max(plain_s, rules.far_s), random)
    around_s = rules.around(plain_s, random)
    announced = outcome.available_at if isinstance(outcome, Offline) else None
    left_s = (announced - now).total_seconds() if announced else 0.0
    return min(left_s, max(around_s, min(left_s / 2, rules.longest_s))) if left_s > 0 else around_s


def _most_s(rules: PollRules, error: OuzelError) -> float:
    if state_of(error) is State.GONE:
        return rules.gone_s
    return rules.network_s if isinstance(error, NetworkError) else rules.longest_s


@dataclass(frozen=True, slots=True)
class Turn:
    """It is somebody's turn."""

    id: str
    late_s: float
    interval_s: float


class Turns:
    """Who is asked next, of many: of those that are due, who has waited longest by its own interval. Monotonic seconds."""

    def __init__(self) -> None:
        self._set: dict[str, tuple[float, float]] = {}
        self._heap: list[tuple[float, str]] = []
        self._ready: set[str] = set()

    def __len__(self) -> int:
        return len(self._set)

    def put(self, id_: str, due_s: float, interval_s: float) -> None:
        """Also to set it anew. `interval_s`: > 0."""
        self._set[id_] = (due_s, interval_s)
        self._ready.discard(id_)
        heapq.heappush(self._heap, (due_s, id_))
        if len(self._heap) > 4 * len(self._set) + 64:  # most of it was set anew since
            self._heap = [(due, each) for each, (due, _) in self._set.items() if each not in self._ready]
            heapq.heapify(self._heap)

    def drop(self, id_: str) -> None:
        self._set.pop(id_, None)
        self._ready.discard(id_)

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until somebody is due; None: nobody ever is."""
        self._settle(now_s)
        if self._ready:
            return 0.0
        return self._heap[0][0] - now_s if self._heap else None

    def take(self, now_s: float) -> Turn | None:
        """Whose turn it is. It has none any more until it is put again."""
        self._settle(now_s)
        if not self._ready:
            return None

        def waited(id_: str) -> tuple[float, str]:
            due_s, interval_s = self._set[id_]
            return (now_s - due_s) / interval_s, id_

        chosen = max(self._ready, key=waited)
        due_s, interval_s = self._set[chosen]
        self.drop(chosen)
        return Turn(chosen, now_s - due_s, interval_s)

    def due_within(self, now_s: float, share: float) -> list[str]:
        """Whose turn comes within this share of its own interval, the earliest first."""
        found = sorted((due, each) for each, (due, interval) in self._set.items() if due <= now_s + share * interval)
        return [each for _, each in found]

    def _settle(self, now_s: float) -> None:
        while self._heap and (self._heap[0][0] <= now_s or self._is_old(self._heap[0])):
            entry = heapq.heappop(self._heap)
            if not self._is_old(entry):
                self._ready.add(entry[1])

    def _is_old(self, entry: tuple[float, str]) -> bool:
        due_s, id_ = entry
        return id_ in self._ready or self._set.get(id_, (None,))[0] != due_s
