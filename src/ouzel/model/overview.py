"""What a running daemon is doing at one moment, as people and programs see it: `ouzel serve`, `ouzel status`, the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self, TypeAlias, cast

from ouzel.base.errors import BadResponse
from ouzel.model.ledger import stamp
from ouzel.model.live import State
from ouzel.model.ownership import TaskState
from ouzel.model.standing import UNKNOWN
from ouzel.model.states import RecordingState

UNWATCHED = "unwatched"
"""Nobody asks about the channel: its user has switched that off."""
TRIED_AGAIN = "tried_again"
"""It is on air, its recorder ended with an error, and is run again in a moment."""
CHANNEL_STATES: tuple[str, ...] = (
    *State, *(each for each in RecordingState if each is not RecordingState.DONE), UNKNOWN, UNWATCHED, TRIED_AGAIN,
)  # fmt: skip
TaskStateName: TypeAlias = Literal["queued", "running", "completed", "failed", "shutdown"]
TaskKind: TypeAlias = Literal["process", "recording", "download", "job", "other"]
TASK_STATES: tuple[TaskStateName, ...] = ("queued", "running", "completed", "failed", "shutdown")
TASK_KINDS: tuple[TaskKind, ...] = ("process", "recording", "download", "job", "other")
_RECORDED: frozenset[str] = frozenset({*RecordingState})
_ON_AIR = frozenset({State.LIVE, TRIED_AGAIN, *RecordingState} - {RecordingState.WAITING})
_TROUBLED = frozenset(
    {
        State.BLOCKED, State.NEEDS_LOGIN, State.REGION_LOCKED, State.BROKEN, State.GONE, TRIED_AGAIN,
        RecordingState.PARKED, RecordingState.PAUSED,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error: its stable code, and what it says, in English and redacted."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One channel. Of one that is not being recorded, everything after `since` is zero or empty."""

    id: str
    name: str
    platform: str
    state: str
    """Of its recording while there is one (`RecordingState`), else what is known of it (`State`, `unknown`, `unwatched`,
    `tried_again`)."""
    since: datetime | None = None
    """When the state became this one, as far as that is known. Aware UTC."""
    title: str = ""
    not_recorded: str = ""
    """Why what is on air is not recorded, as a code; empty: it is, or nothing is on air."""
    quality: str = ""
    time_s: float = 0.0
    """Media that was kept of this broadcast."""
    bytes: int = 0
    bitrate_bps: int = 0
    """From the network, over the last seconds."""
    gaps: int = 0
    missing_s: float = 0.0
    file: str = ""
    """Path of what is being written."""
    last_error: Trouble | None = None

    @property
    def is_recording(self) -> bool:
        """Whether a recorder is at work on it."""
        return self.state in _RECORDED

    @property
    def is_on_air(self) -> bool:
        return self.state in _ON_AIR

    @property
    def is_troubled(self) -> bool:
        """Whether somebody should look at it."""
        return self.state in _TROUBLED or (self.is_recording and self.last_error is not None)


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A body of the supervisor, or one that waits for its turn."""

    kind: TaskKind
    """`process`: asks a platform; `recording`: records a channel."""
    key: str
    name: str
    """Of the platform or the channel."""
    state: TaskStateName
    since_s: float = 0.0
    restarts: int = 0
    last_error: Trouble | None = None


@dataclass(frozen=True, slots=True)
class RootLine:
    """A storage root."""

    name: str
    folder: str
    free_bytes: int | None
    """None: it cannot be asked."""
    min_free_bytes: int

    @property
    def is_low(self) -> bool:
        return self.free_bytes is None or self.free_bytes < self.min_free_bytes


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """What somebody should know."""

    code: str
    severity: str
    """`info`, `warning`, `error`."""
    message: str
    since: datetime
    channel_id: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all channels together."""

    channels: int = 0
    on_air: int = 0
    recording: int = 0
    troubled: int = 0
    bitrate_bps: int = 0
    bytes: int = 0
    gaps: int = 0

    @classmethod
    def of(cls, channels: Sequence[ChannelLine]) -> Self:
        return cls(
            channels=len(channels),
            on_air=sum(each.is_on_air for each in channels),
            recording=sum(each.is_recording for each in channels),
            troubled=sum(each.is_troubled for each in channels),
            bitrate_bps=sum(each.bitrate_bps for each in channels),
            bytes=sum(each.bytes for each in channels),
            gaps=sum(each.gaps for each in channels),
        )


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that is shown of a daemon."""

    at: datetime
    """Aware UTC."""
    version: str
    address: str
    """Of its web page and API; empty while it does not listen."""
    started_at: datetime
    channels: tuple[ChannelLine, ...] = ()
    tasks: tuple[TaskLine, ...] = ()
    roots: tuple[RootLine, ...] = ()
    notices: tuple[NoticeLine, ...] = ()

    @property
    def totals(self) -> Totals:
        return Totals.of(self.channels)

    def fields(self) -> dict[str, Any]:
        """As JSON has it: instants are texts, an error is an object or null."""
        return {**_plain(self), "totals": _plain(self.totals)}

    @classmethod
    def parse(cls, doc: object) -> Self:
        """What `fields` gave. Names that are not known are left out: they are a newer version's. Raises: BadResponse."""
        try:
            values = _known(cls, _as_map(doc))
            for name in ("at", "started_at"):
                values[name] = datetime.fromisoformat(values[name])
            for name, make in (("channels", _channel), ("tasks", _task), ("roots", _root), ("notices", _notice)):
                values[name] = tuple(make(_as_map(each)) for each in values[name])
            return cls(**values)
        except (KeyError, TypeError, ValueError) as exc:
            raise BadResponse("what answers is no Ouzel that this one understands") from exc


def task_state(state: TaskState, *, failed: bool) -> TaskStateName:
    """How a state of the supervisor is shown."""
    match state:
        case TaskState.RUNNING:
            return "running"
        case TaskState.STOPPING:
            return "shutdown"
        case TaskState.HELD:
            return "failed" if failed else "completed"


def by_urgency(line: ChannelLine) -> tuple[int, str]:
    """Sort key: who is on air and in trouble, then who is recorded, then others on air, other trouble, the rest; by name."""
    if line.is_recording or line.state in {State.LIVE, TRIED_AGAIN}:
        return (0 if line.is_troubled else 1 if line.is_recording else 2), line.name
    return (3 if line.is_troubled else 4), line.name


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in cast("tuple[object, ...]", value)]
    if hasattr(value, "__dataclass_fields__"):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value


def _as_map(doc: object) -> Mapping[str, Any]:
    if not isinstance(doc, Mapping):
        raise TypeError("no object")
    return cast("Mapping[str, Any]", doc)


def _known(kind: type[Any], doc: Mapping[str, Any]) -> dict[str, Any]:
    return {each.name: doc[each.name] for each in fields(kind) if each.name in doc}


def _with_trouble(values: dict[str, Any]) -> dict[str, Any]:
    if (trouble := values.get("last_error")) is not None:
        values["last_error"] = Trouble(**_known(Trouble, trouble))
    return values


def _channel(doc: Mapping[str, Any]) -> ChannelLine:
    values = _with_trouble(_known(ChannelLine, doc))
    if values.get("since") is not None:
        values["since"] = datetime.fromisoformat(values["since"])
    return ChannelLine(**values)


def _task(doc: Mapping[str, Any]) -> TaskLine:
    return TaskLine(**_with_trouble(_known(TaskLine, doc)))


def _root(doc: Mapping[str, Any]) -> RootLine:
    return RootLine(**_known(RootLine, doc))


def _notice(doc: Mapping[str, Any]) -> NoticeLine:
    values = _known(NoticeLine, doc)
    values["since"] = datetime.fromisoformat(values["since"])
    return NoticeLine(**values)
