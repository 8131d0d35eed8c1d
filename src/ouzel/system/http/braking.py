"""A consumer that is slower than the network, or wants to be: what arrives stays in the kernel meanwhile, and the server waits.

Source of the idea: TCP's own flow control (RFC 9293 section 3.8.6); there is nothing to queue here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ouzel.system.http.links import Conduit

Brake = Callable[[int], float]
"""Told how many bytes have come since it was asked last. Returns: for how many seconds to read nothing more; 0: go on."""


class Braking:
    """Of one body.

    Args:
        forgive: told of each rest as it begins, in seconds: it is ours, and not the server's.
    """

    __slots__ = ("_brake", "_forgive", "_link", "_timer")

    def __init__(self, link: Conduit, brake: Brake, forgive: Callable[[float], None]) -> None:
        self._link = link
        self._brake = brake
        self._forgive = forgive
        self._timer: asyncio.TimerHandle | None = None

    def came(self, size: int) -> None:
        if self._timer is None and (rest_s := self._brake(size)) > 0:
            self._link.pause()
            self._rest(rest_s)

    def end(self) -> None:
        """The body is complete, and the link may serve another."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._link.resume()

    def _rest(self, rest_s: float) -> None:
        self._forgive(rest_s)
        self._timer = asyncio.get_running_loop().call_later(rest_s, self._look)

    def _look(self) -> None:
        if (rest_s := self._brake(0)) > 0:
            self._rest(rest_s)
            return
        self._timer = None
        self._link.resume()
