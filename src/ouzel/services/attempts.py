"""How often signing in failed of late, by address and by name."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from ouzel.base.errors import TooManyAttempts
from ouzel.system.clock import Clock

_REMEMBERED = 20_000
"""Addresses and names; those that were quiet for longest are forgotten first."""


class Attempts:
    """
    Args:
        most: tries within `window_s` seconds.
    """

    def __init__(self, clock: Clock, *, most: int, window_s: float) -> None:
        self._clock = clock
        self._most = most
        self._window_s = window_s
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, keys: Sequence[str]) -> None:
        """Counted before it is known how it ends, so that a hundred at once are not one. Raises: TooManyAttempts."""
        now = self._clock.monotonic()
        for key in keys:
            tries = self._tries.get(key, deque())
            while tries and tries[0] <= now - self._window_s:
                tries.popleft()
            if len(tries) >= self._most:
                wait_s = tries[0] + self._window_s - now
                raise TooManyAttempts("signing in failed too often; wait a while", retry_after_s=wait_s)
        for key in keys:
            self._tries.setdefault(key, deque()).append(now)
            self._tries.move_to_end(key)
        while len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)

    def succeeded(self, keys: Sequence[str]) -> None:
        """The last one does not count. Those before it do: whoever has an account could else guess at others without end."""
        for key in keys:
            if tries := self._tries.get(key):
                tries.pop()


def network_of(address: str) -> str:
    """What an address is counted by: an IPv6 one by its /64, all of which one subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address  # a unix socket has none
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
