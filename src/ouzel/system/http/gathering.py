"""Fewer, larger pieces: the kernel wakes us only when enough has arrived (SO_RCVLOWAT).

What one piece costs beyond its bytes is the same for 5 KB and for 200 KB, and a live stream comes in small ones. The kernel keeps
the connection's receive buffer twice as large as it is told to gather, wakes us earlier when that runs full, and at once when
the connection ends. (Linux, `tcp_set_rcvlowat`; where the option is not known nothing is gathered.)

Only for bodies without a known end: a segment comes as fast as the line allows, in large pieces anyway, and the limit that
gathering sets to the receive window costs more there than it saves.
"""

from __future__ import annotations

from ouzel.system.http.links import Conduit

LOOK_S = 0.5
"""Between two looks at how fast the body comes; nothing that has arrived waits for longer than this."""
_LEAST_BYTES = 16 * 1024
"""Not worth gathering less."""
_MOST_BYTES = 192 * 1024
_STEP = 0.5
"""Share by which a speed must differ from the one before to count as another."""


class Gathering:
    """Of one body. Its bytes are counted by whoever receives them.

    Args:
        link: where the body comes from; after the body it wakes us for every byte again.
        wait_s: how much of the stream is gathered, at the speed at which it was found to come.
    """

    __slots__ = ("_link", "_seen", "_seen_at", "_size", "_wait_s", "due")

    def __init__(self, link: Conduit, wait_s: float) -> None:
        self._link = link
        self._wait_s = wait_s
        self._size = 1
        self._seen = 0
        self._seen_at = 0.0
        self.due = 0.0

    def look(self, now: float, received: int) -> None:
        """Adapt to the speed. `received`: bytes since the body began, or a little before."""
        self.due = (now // LOOK_S + 1) * LOOK_S  # the same moments for all bodies: one sweep of the watch serves them
        came, time_s = received - self._seen, now - self._seen_at
        if time_s < LOOK_S / 2:
            return
        self._seen, self._seen_at = received, now
        size = min(_MOST_BYTES, int(came / time_s * self._wait_s)) if time_s < 4 * LOOK_S else 1
        if size < _LEAST_BYTES:
            self._set(1)
        elif abs(size - self._size) > _STEP * self._size:
            self._set(size)

    def end(self) -> None:
        """The body is complete, and the link may serve another."""
        self._set(1)

    def _set(self, size: int) -> None:
        if size != self._size:
            self._size = size
            self._link.gather(size)
