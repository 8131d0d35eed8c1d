"""The reading end of a child's output."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Self

_BUFFER_BYTES = 256 * 1024


class Pipe:
    """Reads a pipe from the event loop's own callback: one buffer, no copy, no thread.

    Args:
        fd: non-blocking.
        now: monotonic seconds.
        take: is given each piece; the view is writable, and valid during the call only. What it raises of `expected` comes out
            of `wait`; anything else is a bug, and goes to the loop's handler.
    """

    def __init__(
        self,
        fd: int,
        take: Callable[[memoryview], None],
        *,
        now: Callable[[], float],
        expected: tuple[type[Exception], ...],
    ) -> None:
        self.ended = False
        self.last_byte: float | None = None
        """When the last piece came; None before the first."""
        self._fd = fd
        self._take = take
        self._now = now
        self._expected = expected
        self._view = memoryview(bytearray(_BUFFER_BYTES))
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        self._loop.add_reader(self._fd, self._readable)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._loop.remove_reader(self._fd)

    async def wait(self) -> None:
        """Until something has happened. Raises: what the taker raised."""
        await self._event.wait()
        self._event.clear()
        if self._error is not None:
            raise self._error

    def _readable(self) -> None:
        self._event.set()
        try:
            count = os.readv(self._fd, [self._view])
        except BlockingIOError:
            return
        if count == 0:
            self.ended = True
            self._loop.remove_reader(self._fd)
            return
        self.last_byte = self._now()
        try:
            self._take(self._view[:count])
        except self._expected as exc:
            self._error = exc
            self._loop.remove_reader(self._fd)
