"""Numbers for Prometheus, in a registry of our own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from ouzel import __version__
from ouzel.services.numbers import Numbers, families

_SECONDS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
_ASKING_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class _Counted(Collector):
    """The numbers that were read last: nothing is read while a page is made."""

    def __init__(self) -> None:
        self.numbers = Numbers()

    def collect(self) -> Iterator[Metric]:
        return families(self.numbers)


class Metrics:
    """Other rooms register collectors of their own with `registry`. Made once.

    Args:
        read: `Counting.read`; None: nothing of that is shown.
        process: whether memory, descriptors and processor time of this process are shown.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, read: Callable[[], Awaitable[Numbers]] | None = None, *, process: bool = True) -> None:
        self.registry = CollectorRegistry()
        self._read = read
        self._counted = _Counted()
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
        if read is not None:
            self.registry.register(self._counted)
        build = Gauge("ouzel_build_info", "What runs", ["version"], registry=self.registry)
        build.labels(version=__version__).set(1)
        self.requests = Counter(
            "ouzel_http_requests", "Requests answered", ["operation", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "ouzel_http_request_seconds", "Until the answer began", ["operation"], buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.listeners = Gauge("ouzel_event_listeners", "Open event streams", registry=self.registry)

        self.polls = Counter(
            "ouzel_polls", "Answers of platforms, by what they say", ["platform", "outcome"], registry=self.registry
        )
        self.poll_seconds = Histogram(
            "ouzel_poll_seconds", "From a question to its answer", ["platform"], buckets=_ASKING_S,
            registry=self.registry,
        )  # fmt: skip

    async def page(self) -> bytes:
        """As Prometheus reads it. Raises: StorageError when the database cannot be read."""
        if self._read is not None:
            self._counted.numbers = await self._read()
        return generate_latest(self.registry)
