"""Finite work: durable, queued, tried again. An illegal move of its state raises; `docs/reference/jobs.md` draws the table.

A job carries ids and choices only. What they name is read when it runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from ouzel.base.errors import OuzelError, Retry, StorageError
from ouzel.model.ownership import Grant

Tx_contra = TypeVar("Tx_contra", contravariant=True)

ATTEMPTS = 5
"""Unless the job says otherwise."""
_FIRST_S: Mapping[Retry, float] = MappingProxyType({Retry.SOON: 5.0, Retry.LATER: 60.0})
_LONGEST_S = 3600.0
DISK_S = 30.0
"""Where the disk takes nothing: as often as a full disk is looked at."""
_ARGS_CHARS = 4000


class JobState(StrEnum):
    WAITING = "waiting"  # not before a certain time
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S = JobState
MOVES: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        _S.WAITING: frozenset({_S.QUEUED, _S.RUNNING, _S.CANCELLED}),
        _S.QUEUED: frozenset({_S.RUNNING, _S.CANCELLED}),
        _S.RUNNING: frozenset({_S.DONE, _S.FAILED, _S.WAITING, _S.QUEUED, _S.CANCELLED}),
        _S.DONE: frozenset(),
        _S.FAILED: frozenset({_S.QUEUED}),
        _S.CANCELLED: frozenset({_S.QUEUED}),
    }
)
OPEN = frozenset({_S.WAITING, _S.QUEUED, _S.RUNNING})
"""Not over."""


def move(now: JobState, then: JobState) -> JobState:
    """`then`, if it may follow `now`. Raises: ValueError: a bug in the caller."""
    if then not in MOVES[now]:
        raise ValueError(f"a job cannot go from {now} to {then}")
    return then


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the queue."""

    id: str
    kind: str
    queue: str
    args: Mapping[str, Any]
    dedupe: str | None
    prio: int
    state: JobState
    not_before: datetime | None
    attempts: int
    """Begun, the running one included."""
    max_attempts: int
    epoch: int
    fraction: float | None
    """Of this attempt, 0 to 1; None: not known."""
    eta_s: float | None
    message: str
    result: Mapping[str, Any] | None
    code: str | None
    """Of the error of the last attempt."""
    why: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is to be done."""

    kind: str
    args: Mapping[str, Any]
    """JSON: ids and choices."""
    queue: str
    dedupe: str | None = None
    """While a job with the same one is not over, it is that job."""
    prio: int = 0
    """Greater is more urgent."""
    not_before: datetime | None = None
    max_attempts: int = ATTEMPTS

    def __post_init__(self) -> None:
        if len(json.dumps(self.args)) > _ARGS_CHARS:
            raise ValueError("a job carries ids, and nothing large")


@dataclass(frozen=True, slots=True)
class Progress:
    fraction: float | None
    eta_s: float | None = None
    message: str = ""


def eta_s(fraction: float | None, elapsed_s: float) -> float | None:
    """Seconds that are left, if it goes on as it went."""
    return elapsed_s * (1 - fraction) / fraction if fraction else None


def is_of_the_disk(error: Exception) -> bool:
    """Whether the disk may take it later: that is nobody's failure, and is tried as long as it takes."""
    return isinstance(error, StorageError) and error.retry is Retry.LATER


def retry_in_s(error: Exception, attempts: int, max_attempts: int) -> float | None:
    """Seconds until the next attempt; None: there is none. What is no error of ours is a bug, and may have been a passing one.

    Args:
        attempts: begun, that which failed included.
    """
    if is_of_the_disk(error):
        return DISK_S
    retry = error.retry if isinstance(error, OuzelError) else Retry.SOON
    if retry is Retry.NEVER or attempts >= max_attempts:
        return None
    return min(_LONGEST_S, _FIRST_S[retry] * 2 ** min(attempts - 1, 30))


class Heeder(Protocol[Tx_contra]):
    """Who has to know what becomes of jobs, in the transaction in which it becomes so."""

    async def over_in(self, tx: Tx_contra, job: Job, state: JobState, code: str | None, why: str | None) -> None:
        """It is done, has failed for good, or was cancelled. `job`: as it was before."""
        ...

    async def again_in(self, tx: Tx_contra, job: Job) -> None:
        """Somebody wants it again. Raises: Conflict."""
        ...


class JobQueue(Protocol[Tx_contra]):
    """The port. Who runs a job owns `job:ID` (`model.ownership`); its commits are held against that grant."""

    async def put(self, new: NewJob) -> Job:
        """The new job, or that which is the same."""
        ...

    async def put_in(self, tx: Tx_contra, new: NewJob) -> Job:
        """The same, in a transaction of the caller."""
        ...

    async def get(self, job_id: str) -> Job:
        """Raises: NotFound."""
        ...

    async def page(
        self,
        *,
        states: frozenset[JobState] = frozenset(),
        queue: str | None = None,
        kind: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Job]:
        """The newest first.

        Args:
            states: all when there is none.
            before: `created_at` and id of the last one that was read.
        """
        ...

    async def abort(self, job_id: str) -> Job:
        """Cancel it: at once when it does not run, else as soon as whoever runs it has heard.

        Raises: NotFound, Conflict when it is done or failed.
        """
        ...

    async def retry(self, job_id: str) -> Job:
        """From the beginning, with all its attempts. Raises: NotFound, Conflict: it is not failed or cancelled."""
        ...

    async def stats(self) -> Mapping[str, Mapping[JobState, int]]:
        """How many jobs are in each state, by queue."""
        ...

    async def settle(self) -> int:
        """Put back what was running when its process ended. Returns: how many."""
        ...

    # for whoever runs a job

    async def begin(self, grant: Grant) -> Job | None:
        """An attempt is begun, and counted. None: it is over already. Raises: StaleOwner."""
        ...

    async def tell(self, grant: Grant, progress: Progress) -> None:
        """Raises: StaleOwner."""
        ...

    async def done_in(self, tx: Tx_contra, grant: Grant, result: Mapping[str, Any] | None) -> None:
        """It is done when the transaction is committed. Raises: StaleOwner."""
        ...

    async def failed(self, grant: Grant, error: Exception, why: str) -> None:
        """Tried again after a while, if that can help and attempts are left. Raises: StaleOwner."""
        ...

    async def cancelled(self, grant: Grant) -> None:
        """Raises: StaleOwner."""
        ...

    async def put_back(self, grant: Grant) -> None:
        """The attempt was broken off by us, and does not count. Raises: StaleOwner."""
        ...
