"""Who works on what. Desired state is rows; whoever works on a key owns it, with an epoch that grows at each change of hands.

The ports below favour no engine; `store/ownership.py` is the adapter for one node. `Tx` is what a transaction is to an adapter.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeAlias, TypeVar

from ouzel.model.happening import Happening

T = TypeVar("T")
Tx = TypeVar("Tx")
Tx_co = TypeVar("Tx_co", covariant=True)

Spec: TypeAlias = Mapping[str, Any]
"""What a body is to do: a JSON object. Ids and what was decided with the wish; everything else is read from the tables."""

RECORD, POLL, RELAY, JOB, DOWNLOAD = "rec", "poll", "relay", "job", "dl"
"""The first words of keys: `rec:CHANNEL`, `poll:PLATFORM`, `relay:ID`, `job:ID`, `dl:ID`."""
_SURE_SHARE = 0.8


def key_of(word: str, name: str) -> str:
    return f"{word}:{name}"


def name_of(key: str) -> str:
    """What stands behind the first word of a key."""
    return key.partition(":")[2]


@dataclass(frozen=True, slots=True)
class NodeLease:
    """A process may work, as long as nobody fences it."""

    node: str
    """Its lasting name."""
    incarnation: int
    """Of this registration: grows, and is never given twice."""
    labels: frozenset[str]
    cap: int
    """Bodies at once. 0: it drains."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A key is ours, until it is released or the node fenced."""

    key: str
    kind: str
    """Which body it is for. The first word of the key; for jobs with their queue: `job/QUEUE`."""
    epoch: int
    """How often the key was claimed by anybody, this time included."""
    spec: Spec
    """As it stood when it was claimed. A wish that is changed later counts from the next claim."""


@dataclass(frozen=True, slots=True)
class Beat:
    """The answer to a sign of life."""

    stops: tuple[str, ...] = ()
    """Keys of ours that nobody wants any more."""
    waiting: bool = False
    """Something is wanted, now or later, and is nobody's: only then there may be something to claim."""
    fenced: bool = False
    """This incarnation is over: all its bodies must end, and none of their commits is taken."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a lease lasts without a beat. Seconds."""

    beat_s: float = 5.0
    ttl_s: float = 30.0
    """After that, others may fence the node."""
    grace_s: float = 120.0
    """How much longer bodies go on when nobody answers: of live video a gap cannot be mended, and a duplicate is cheap."""


ALONE = Terms(beat_s=10.0, ttl_s=60.0, grace_s=math.inf)
"""One node: nobody else can take over, so that a database that takes nothing (a full disk) ends no recording."""


class Hold(StrEnum):
    SURE = "sure"
    DOUBTFUL = "doubtful"  # somebody may have taken over; work goes on, in grace
    LOST = "lost"


def hold_at(age_s: float, terms: Terms) -> Hold:
    """How sure a node may be of what it owns.

    Args:
        age_s: since the last beat that was answered was *sent*, on a clock that also counts while the machine sleeps.
    """
    sure_s = _SURE_SHARE * terms.ttl_s
    if age_s < sure_s:
        return Hold.SURE
    return Hold.DOUBTFUL if age_s < sure_s + terms.grace_s else Hold.LOST


class Ownership(Protocol[Tx]):
    """The port. One object for each process; what it raises is of `base.errors`."""

    terms: Terms

    async def register(self, name: str, *, labels: frozenset[str] = frozenset(), cap: int) -> NodeLease:
        """Become a new incarnation. Raises: StaleOwner when this process was fenced, and may not come back."""
        ...

    async def beat(self) -> Beat:
        """A sign of life; it also extends the lease."""
        ...

    async def claim(self, free: Mapping[str, int]) -> list[Grant]:
        """Take what is wanted, is nobody's, and carries no label that the node has not; the most urgent first.

        Args:
            free: kinds for which there are bodies, with how many more may run.
        Returns: a small batch. Others may follow at once, unless it is empty.
        """
        ...

    async def due_in_s(self, kinds: frozenset[str]) -> float | None:
        """Seconds until something that is held back may be claimed; None: nothing is held back."""
        ...

    async def release(self, grant: Grant, *, hold_s: float = 0.0) -> None:
        """Give it back; it is left alone for `hold_s`. Nothing happens when it is not ours any more."""
        ...

    async def leave(self) -> None:
        """Give everything back, and end the incarnation."""
        ...

    async def drain(self) -> None:
        """Claim nothing more; what runs goes on."""
        ...

    async def want(
        self, key: str, spec: Spec, *, kind: str = "", label: str = "", prio: int = 0, anew: bool = False
    ) -> None:
        """It shall run. The same wish again changes nothing; another one takes its place, and ends what holds the key back.

        Args:
            kind: the first word of `key` unless given.
            prio: greater is more urgent.
            anew: end what holds it back in any case: somebody has mended what was wrong.
        """
        ...

    async def want_in(
        self, tx: Tx, key: str, spec: Spec, *, kind: str = "", label: str = "", prio: int = 0, anew: bool = False
    ) -> None:
        """The same, in a transaction of the caller: the wish is there with the rows that it comes from, or not at all."""
        ...

    async def unwant(self, key: str) -> None:
        """It shall not run any more."""
        ...

    async def unwant_in(self, tx: Tx, key: str) -> None: ...

    def owned(self, grant: Grant) -> bool:
        """By what is known here, without asking: to be looked at before each write."""
        ...

    async def guard(self, tx: Tx, grant: Grant) -> None:
        """Hold what follows in the transaction against the epoch. Raises: StaleOwner."""
        ...

    async def commit(self, grant: Grant, write: Callable[[Tx], Awaitable[T]]) -> T:
        """`write`, in a transaction that is committed only while the grant stands. Raises: StaleOwner."""
        ...

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """`wake` is called when this process has committed a wish that changes something. Returns: what ends that."""
        ...


class StopReason(StrEnum):
    UNWANTED = "unwanted"
    SHUTDOWN = "shutdown"
    FENCED = "fenced"  # somebody else owns it now


class Stopping(Protocol):
    """An event of anyio."""

    def is_set(self) -> bool: ...

    async def wait(self) -> Any: ...


class RunContext(Protocol[Tx_co]):
    """What a body sees of whoever runs it."""

    @property
    def key(self) -> str: ...

    @property
    def epoch(self) -> int:
        """Stands in paths and rows, so that a late owner overwrites nothing."""
        ...

    @property
    def spec(self) -> Spec: ...

    @property
    def stopping(self) -> Stopping:
        """Set when the body is to end; it is cancelled when it takes too long."""
        ...

    @property
    def reason(self) -> StopReason | None:
        """Why it is stopping."""
        ...

    def owned(self) -> bool:
        """Whether to go on writing. No I/O."""
        ...

    async def commit(self, write: Callable[[Tx_co], Awaitable[T]]) -> T:
        """Raises: StaleOwner: nothing of it was written; the body is to end."""
        ...

    async def emit(self, *happened: Happening) -> None:
        """Store events. Raises: StaleOwner."""
        ...


class TaskState(StrEnum):
    RUNNING = "running"
    STOPPING = "stopping"
    HELD = "held"  # it ended, and is run again after a while


@dataclass(frozen=True, slots=True)
class TaskView:
    """One body, as `ouzel status` shows it."""

    key: str
    kind: str
    state: TaskState
    since_s: float
    """How long it has been in this state."""
    epoch: int
    restarts: int
    """After errors; since the process began."""
    last_error: str = ""
    code: str = ""
    """Of that error."""
