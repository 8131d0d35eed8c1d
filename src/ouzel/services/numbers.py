"""What is counted for the page of metrics, as plain numbers, and as families of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from ouzel.model.jobs import JobState
from ouzel.model.live import State
from ouzel.model.notices import Severity
from ouzel.model.standing import UNKNOWN
from ouzel.model.states import RecordingState
from ouzel.services.storage import RootState, RootView, Storage
from ouzel.services.watching import PlatformLoad
from ouzel.store.counts import CountRepo
from ouzel.store.db import Db

_CHANNELS = (*State, UNKNOWN, "unwatched")


@dataclass(frozen=True, slots=True)
class Numbers:
    """At one moment."""

    channels: Mapping[str, int] = field(default_factory=dict[str, int])
    recordings: Mapping[str, int] = field(default_factory=dict[str, int])
    jobs: Mapping[str, int] = field(default_factory=dict[str, int])
    notices: Mapping[str, int] = field(default_factory=dict[str, int])
    """That are open, by severity."""
    kept_bytes: int = 0
    kept_media_s: float = 0.0
    reconnects: int = 0
    gaps: Mapping[str, tuple[int, float]] = field(default_factory=dict[str, tuple[int, float]])
    """By code: how many, and the seconds that are missing."""
    loads: Sequence[PlatformLoad] = ()
    roots: Sequence[RootView] = ()
    writes: int = 0


class Counting:
    """Reads them. Args: loads: `Watching.loads`."""

    def __init__(self, db: Db, storage: Storage, loads: Callable[[], Sequence[PlatformLoad]]) -> None:
        self._db = db
        self._repo = CountRepo(db)
        self._storage = storage
        self._loads = loads

    async def read(self) -> Numbers:
        """As they are now. Raises: StorageError."""
        kept = await self._repo.kept()
        return Numbers(
            channels=await self._repo.channels(), recordings=await self._repo.recordings(),
            jobs=await self._repo.jobs(), notices=await self._repo.notices(), kept_bytes=kept["bytes"],
            kept_media_s=kept["media_s"], reconnects=kept["reconnects"], gaps=await self._repo.gaps(),
            loads=self._loads(), roots=await self._storage.views(), writes=self._db.writes,
        )  # fmt: skip


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
