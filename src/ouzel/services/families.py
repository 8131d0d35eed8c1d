"""Numbers as families of Prometheus. Its library is loaded with this room, which is loaded when somebody asks for the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Metric, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from ouzel import __version__
from ouzel.model.jobs import JobState
from ouzel.model.live import State
from ouzel.model.notices import Severity
from ouzel.model.standing import UNKNOWN
from ouzel.model.states import RecordingState
from ouzel.services.numbers import Durations, Numbers, Tally
from ouzel.services.storage import RootState, RootView
from ouzel.services.watching import PlatformLoad

_CHANNELS = (*State, UNKNOWN, "unwatched")


class _Counted(Collector):
    def __init__(self, numbers: Numbers | None, tally: Tally) -> None:
        self._numbers = numbers
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        if self._numbers is not None:
            yield from families(self._numbers)
        yield from _since_start(self._tally)


def render(numbers: Numbers | None, tally: Tally, *, process: bool) -> bytes:
    """The page. `process`: with memory, descriptors and processor time of this one."""
    registry = CollectorRegistry()
    if process:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
    registry.register(_Counted(numbers, tally))
    return generate_latest(registry)


def _since_start(tally: Tally) -> Iterator[Metric]:
    build = GaugeMetricFamily("ouzel_build_info", "What runs", labels=["version"])
    build.add_metric([__version__], 1)
    yield build
    yield _counts("ouzel_http_requests", "Requests answered", ("operation", "status"), tally.answers)
    yield _durations("ouzel_http_request_seconds", "Until the answer began", "operation", tally.answer_s)
    yield GaugeMetricFamily("ouzel_event_listeners", "Open event streams", value=tally.listeners)
    yield _counts("ouzel_polls", "Answers of platforms, by what they say", ("platform", "outcome"), tally.polls)
    yield _durations("ouzel_poll_seconds", "From a question to its answer", "platform", tally.poll_s)


def _counts(name: str, text: str, labels: Sequence[str], found: Mapping[tuple[str, ...], int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in found.items():
        family.add_metric(values, count)
    return family


def _durations(name: str, text: str, label: str, found: Mapping[str, Durations]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=[label])
    for value, took in found.items():
        limits = [*(str(limit) for limit in took.limits_s), "+Inf"]
        family.add_metric([value], [*zip(limits, took.within(), strict=True)], took.sum_s)
    return family


def families(numbers: Numbers) -> Iterator[Metric]:
    """What has a fixed set of labels has all of them, so that a number that falls to 0 is 0, and not absent."""
    yield _by_state("ouzel_channels", "Channels, by what is known of them", _CHANNELS, numbers.channels)
    yield _by_state("ouzel_recordings", "Recordings that are not in the trash", RecordingState, numbers.recordings)
    yield _by_state("ouzel_jobs", "Jobs", JobState, numbers.jobs)
    yield _by_state("ouzel_notices", "Open notices", Severity, numbers.notices, label="severity")
    yield GaugeMetricFamily("ouzel_kept_bytes", "Media of all recordings", value=numbers.kept_bytes)
    yield GaugeMetricFamily("ouzel_kept_media_seconds", "The same, in media time", value=numbers.kept_media_s)
    yield GaugeMetricFamily("ouzel_kept_reconnects", "Connections that broke, in all of them", value=numbers.reconnects)
    gaps = GaugeMetricFamily("ouzel_kept_gaps", "Stretches that are missing in them", labels=["code"])
    missing = GaugeMetricFamily("ouzel_kept_missing_seconds", "The same, in media time", labels=["code"])
    for code, (many, missing_s) in sorted(numbers.gaps.items()):
        gaps.add_metric([code], many)
        missing.add_metric([code], missing_s)
    yield from (gaps, missing)
    yield from _platforms(numbers.loads)
    yield from _roots(numbers.roots)
    yield CounterMetricFamily("ouzel_database_writes", "Transactions that were committed", value=numbers.writes)


def _by_state(name: str, text: str, states: Iterable[str], found: Mapping[str, int], *, label: str = "state") -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    known = [str(state) for state in states]
    for state in [*known, *sorted(found.keys() - set(known))]:
        family.add_metric([state], found.get(state, 0))
    return family


def _platforms(loads: Sequence[PlatformLoad]) -> Iterator[Metric]:
    requests = CounterMetricFamily("ouzel_platform_requests", "Questions to a platform", labels=["platform"])
    tables: list[tuple[GaugeMetricFamily, Callable[[PlatformLoad], float]]] = [
        (_gauge("ouzel_platform_channels", "Channels that it is asked about"), lambda load: load.channels),
        (_gauge("ouzel_platform_budget_per_minute", "Questions at most"), lambda load: load.requests_per_minute),
        (_gauge("ouzel_platform_budget_tokens", "Questions that may be asked at once"), lambda load: load.tokens),
        (_gauge("ouzel_platform_closed", "1: it blocks, and is left alone"), lambda load: load.closed),
        (_gauge("ouzel_platform_strained", "1: its budget is too small"), lambda load: load.strained),
    ]
    for load in loads:
        requests.add_metric([load.platform], load.requests)
        for family, value in tables:
            family.add_metric([load.platform], value(load))
    yield requests
    yield from (family for family, _ in tables)


def _roots(roots: Sequence[RootView]) -> Iterator[Metric]:
    state = GaugeMetricFamily("ouzel_storage_state", "1: the root is in this state", labels=["root", "state"])
    sizes: list[tuple[GaugeMetricFamily, Callable[[RootView], float]]] = [
        (_gauge("ouzel_storage_free_bytes", "Free for us", "root"), lambda root: root.free_bytes),
        (_gauge("ouzel_storage_total_bytes", "Size of its file system", "root"), lambda root: root.total_bytes),
        (_gauge("ouzel_storage_floor_bytes", "What stays free", "root"), lambda root: root.min_free_bytes),
        (_gauge("ouzel_storage_held_bytes", "Files of recordings", "root"), lambda root: root.held_bytes),
        (_gauge("ouzel_storage_files", "The same, as a number", "root"), lambda root: root.files),
        (_gauge("ouzel_storage_growth_bytes_per_day", "Lately", "root"), lambda root: root.per_day_bytes),
    ]
    for root in roots:
        for each in RootState:
            state.add_metric([root.name, each.value], each is root.state)
        for family, value in sizes:
            family.add_metric([root.name], value(root))
    yield state
    yield from (family for family, _ in sizes)


def _gauge(name: str, text: str, label: str = "platform") -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=[label])
