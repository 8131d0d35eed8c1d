"""A download: what is wanted, how far it is, what came of it. Times in seconds, sizes in bytes, rates in bytes a second."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol

from ouzel.model.flow import Gap

Stage = Literal["resolving", "fetching", "checking", "muxing"]
ProfileName = Literal["fast", "stable", "low_bandwidth"]


class DownloadState(StrEnum):
    """The spelling is a promise: API, exit codes and metrics key on it."""

    PENDING = "pending"
    DOWNLOADING = "downloading"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S = DownloadState
MOVES: Mapping[DownloadState, frozenset[DownloadState]] = MappingProxyType(
    {
        _S.PENDING: frozenset({_S.DOWNLOADING, _S.PAUSED, _S.CANCELLED}),
        _S.DOWNLOADING: frozenset({_S.PENDING, _S.PAUSED, _S.COMPLETED, _S.FAILED, _S.CANCELLED}),
        _S.PAUSED: frozenset({_S.PENDING, _S.CANCELLED}),
        _S.COMPLETED: frozenset(),
        _S.FAILED: frozenset({_S.PENDING, _S.CANCELLED}),
        _S.CANCELLED: frozenset({_S.PENDING}),
    }
)
OPEN = frozenset({_S.PENDING, _S.DOWNLOADING, _S.PAUSED})
"""Not over."""


def move(now: DownloadState, then: DownloadState) -> DownloadState:
    """`then`, if it may follow `now`. Raises: ValueError: a bug in the caller."""
    if then not in MOVES[now]:
        raise ValueError(f"a download cannot go from {now} to {then}")
    return then


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits within which the controller of a host may move, and how patient it is."""

    connections: int = 8
    """At most so many at once for one download."""
    retries: int = 3
    """Further tries for one segment after a failed one."""
    retry_delay_s: float = 1.0
    """Before the first of them; doubled with each further one, up to `RETRY_CAP_S`, with full jitter."""
    connect_s: float = 10.0
    read_s: float = 10.0
    """Without a byte."""
    rate_bps: int | None = None
    """At most so many bytes a second for one download."""

    def delay_s(self, tries: int) -> float:
        """After so many failed tries, from 1."""
        return random.uniform(0, min(RETRY_CAP_S, self.retry_delay_s * 2 ** min(tries - 1, 30)))


RETRY_CAP_S = 15.0
MOST_CONNECTIONS = 16
PROFILES: Mapping[ProfileName, Pace] = MappingProxyType(
    {
        "fast": Pace(connections=16, retries=1, retry_delay_s=0.5),
        "stable": Pace(connections=8, retries=5, retry_delay_s=2.0),
        "low_bandwidth": Pace(connections=2, retries=3),
    }
)
"""As the HLS downloader names them (COMPAT D)."""


@dataclass(frozen=True, slots=True)
class DownloadWish:
    """What is wanted of one address, and where it goes."""

    url: str
    folder: Path
    stem: str = ""
    """The name of the file without its ending; empty: made from the title, or the address."""
    quality: str = "best"
    audio: tuple[str, ...] = ()
    """Languages of alternate sound, RFC 5646; `all`; empty: the one that goes with the variant."""
    subtitles: tuple[str, ...] = ()
    """The same of subtitles; empty: none."""
    format: str | None = None
    """None: as it comes, where one file can hold it; else mp4, or mkv where MP4 cannot."""
    keep_tracks: bool = False
    """Keep what a product was made of."""
    from_s: float | None = None
    to_s: float | None = None
    """Of the programme; segments that lie wholly outside are not fetched."""
    pace: Pace = field(default_factory=Pace)
    in_order: bool = False
    """One segment after the other, so that the file can be played while it grows."""
    key: bytes | None = None
    """16 bytes, in place of what the playlist's keys name."""
    allow_gaps: bool = False
    task: str = ""
    """Its id, where there are tasks: what calls before this one have recorded of something on air is found by it."""
    on_air: bool = False
    """It was, when something of it was recorded: it is gone on with as long as that lasts."""


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far it is. Sums of counters, made when somebody looks."""

    stage: Stage
    pieces_done: int = 0
    pieces: int = 0
    bytes_done: int = 0
    media_done_s: float = 0.0
    media_s: float = 0.0
    """0: not known."""
    bytes_total: int | None = None
    """Where the length was announced."""
    speed_bps: float = 0.0
    eta_s: float | None = None
    connections: int = 0
    retries: int = 0
    gaps: int = 0
    file: str = ""
    """What is being written."""
    share: float = 0.0
    """Of the stage, 0 to 1."""


@dataclass(frozen=True, slots=True)
class DownloadOutcome:
    """What came of it. With gaps only where they are allowed; else they are an `Incomplete`."""

    path: Path
    ledger: Path | None
    format: str
    size: int
    media_s: float
    pieces: int
    fetched_bytes: int
    """In this call; the rest was there before."""
    gaps: tuple[Gap, ...] = ()
    tracks: tuple[Path, ...] = ()
    """What was kept beside it."""
    warnings: tuple[str, ...] = ()
    title: str = ""


OnDownload = Callable[[DownloadProgress], None]


class Downloading(Protocol):
    """Runs one download from where it is to its end. Called again after a kill, it goes on where the file is."""

    async def run(self, wish: DownloadWish, *, on_progress: OnDownload) -> DownloadOutcome:
        """Cancelling it leaves what is there for the next call.

        Args:
            on_progress: called at most twice a second, and at each change of stage.
        Raises: OuzelError; Incomplete when segments are missing.
        """
        ...
