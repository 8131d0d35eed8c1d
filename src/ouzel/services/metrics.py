"""Numbers for Prometheus, in a registry of our own."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ouzel import __version__

_SECONDS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)


class Metrics:
    """Other rooms register collectors of their own with `registry`. Made once."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
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

    def page(self) -> bytes:
        return generate_latest(self.registry)
