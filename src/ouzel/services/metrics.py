"""The page of numbers for Prometheus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ouzel.services.numbers import Numbers, Tally


class Metrics:
    """Args:
    read: `Counting.read`; None: nothing of that is shown.
    tally: counted in by whoever is handed it.
    process: whether memory, descriptors and processor time of this process are shown.
    """

    content_type = "text/plain; version=1.0.0; charset=utf-8"

    def __init__(
        self,
        read: Callable[[], Awaitable[Numbers]] | None = None,
        tally: Tally | None = None,
        *,
        process: bool = True,
    ) -> None:
        self.tally = tally or Tally()
        self._read = read
        self._process = process

    async def page(self) -> bytes:
        """As Prometheus reads it. Raises: StorageError when the database cannot be read."""
        from ouzel.services.families import render  # and with it the library of Prometheus

        numbers = await self._read() if self._read is not None else None
        return render(numbers, self.tally, process=self._process)
