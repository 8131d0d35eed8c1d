"""What the daemon is doing now: joined from those who do it, for the terminal, for `ouzel status` and for the API."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import anyio
import anyio.to_thread

from ouzel import __version__
from ouzel.base.errors import NotFound, StorageError
from ouzel.model.broadcast import Broadcast, BroadcastState
from ouzel.model.channel import Channel
from ouzel.model.happening import StoredEvent
from ouzel.model.live import State
from ouzel.model.overview import (
    TRIED_AGAIN,
    UNWATCHED,
    ChannelLine,
    NoticeLine,
    Overview,
    RootLine,
    TaskKind,
    TaskLine,
    Trouble,
    task_state,
)
from ouzel.model.ownership import DOWNLOAD, JOB, POLL, RECORD, TaskView, key_of, name_of
from ouzel.model.standing import UNKNOWN, Standing
from ouzel.services.channels import Channels
from ouzel.services.recordings import Root, Running
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.db import Db
from ouzel.store.standings import StandingRepo
from ouzel.store.wishes import unclaimed

_SAMPLE_S = 2.0
_RATE_S = 10.0
_REREAD_S = 2.0
"""What is stored is read again when something happened, and not more often than this."""
_FREE_S = 5.0
_KINDS: Mapping[str, TaskKind] = {POLL: "process", RECORD: "recording", DOWNLOAD: "download", JOB: "job"}


class Tasks(Protocol):
    """The supervisor."""

    def snapshot(self) -> list[TaskView]: ...


class Recorders(Protocol):
    """`Recordings`."""

    @property
    def running(self) -> Mapping[str, Running]: ...


class Overviews:
    """Makes an `Overview` whenever somebody wants one.

    `run` measures rates; `hear` is for `Db.listen`, `crashed` for the supervisor. Nothing is read from the database while nobody
    looks.

    Args:
        roots: storage roots by name.
        notices: those that are open, the latest first.
    """

    def __init__(
        self,
        db: Db,
        channels: Channels,
        recordings: Recorders,
        tasks: Tasks,
        roots: Mapping[str, Root],
        *,
        notices: Callable[[], Awaitable[Sequence[NoticeLine]]] | None = None,
    ) -> None:
        self.address = ""
        """Of the web page and the API, once it listens."""
        self._db = db
        self._clock = db.clock
        self._channels = channels
        self._recordings = recordings
        self._tasks = tasks
        self._roots = roots
        self._notices = notices
        self._started_at = db.clock.now()
        self._rates: dict[str, _Rate] = {}
        self._since: dict[str, tuple[str, datetime]] = {}
        """Of recordings: their state, and when it was seen first."""
        self._crashed: dict[str, TaskView] = {}
        """Bodies that ended with an error and have not done their work since, by key."""
        self._stored = _Stored(db)
        self._free: tuple[RootLine, ...] = ()
        self._free_s = float("-inf")

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            self._sample()
            await anyio.sleep(_SAMPLE_S)

    def hear(self, event: StoredEvent) -> None:
        """For `Db.listen`."""
        self._stored.hear(event)

    async def crashed(self, view: TaskView) -> None:
        """A body ended with an error."""
        self._crashed[view.key] = view

    async def look(self) -> Overview:
        """As it is now. Raises: StorageError, DatabaseDamaged."""
        await self._stored.freshen()
        self._sample()
        views = self._tasks.snapshot()
        waiting = await unclaimed(self._db)
        present = {view.key for view in views} | {key for key, _ in waiting}
        self._crashed = {key: view for key, view in self._crashed.items() if key in present}
        return Overview(
            at=self._clock.now(),
            version=__version__,
            address=self.address,
            started_at=self._started_at,
            channels=tuple(
                self._line(channel, self._crashed.get(key_of(RECORD, channel.id))) for channel in self._channels.all()
            ),
            tasks=tuple(self._task_lines(views, waiting)),
            roots=await self._root_lines(),
            notices=tuple(await self._notices()) if self._notices is not None else (),
        )

    # -- channels -----------------------------------------------------------------------------------------------------

    def _sample(self) -> None:
        """How much has come, and which state each recording is in."""
        now_s, now = self._clock.monotonic(), self._clock.now()
        running = self._recordings.running
        for channel_id in [each for each in self._rates if each not in running]:
            del self._rates[channel_id]
            self._since.pop(channel_id, None)
        for channel_id, each in running.items():
            received = each.tape.counters.received
            rate = self._rates.get(channel_id)
            if rate is None or rate.last > received:  # another recorder has begun
                rate = self._rates[channel_id] = _Rate()
            rate.add(now_s, received)
            state = each.recorder.state.value
            if self._since.get(channel_id, ("", now))[0] != state:
                self._since[channel_id] = (state, now)

    def _line(self, channel: Channel, failed: TaskView | None) -> ChannelLine:
        running = self._recordings.running.get(channel.id)
        if running is not None:
            return self._recorded(channel, running)
        standing = self._stored.standings.get(channel.id)
        broadcast = self._stored.on_air.get(channel.id)
        on_air = broadcast is not None and broadcast.state is BroadcastState.LIVE
        error = _trouble_of(standing)
        state, since = (standing.state, standing.since) if standing is not None else (UNKNOWN, None)
        if not channel.watch and not on_air:
            state, since, error = UNWATCHED, None, None
        elif on_air and failed is not None:
            state, since, error = TRIED_AGAIN, None, Trouble(failed.code, failed.last_error)
        title = broadcast.title if broadcast is not None else (standing.title if standing is not None else "")
        return ChannelLine(
            id=channel.id,
            name=channel.name,
            platform=channel.platform,
            state=state,
            since=since,
            title=title or "" if state in {State.LIVE, TRIED_AGAIN} else "",
            not_recorded=broadcast.why_not or "" if broadcast is not None and on_air else "",
            last_error=error,
        )

    def _recorded(self, channel: Channel, running: Running) -> ChannelLine:
        told: dict[str, Any] = running.live()
        state, since = self._since[channel.id]
        broadcast = self._stored.on_air.get(channel.id)
        error = Trouble(told["code"], told["why"]) if told["code"] else None
        return ChannelLine(
            id=channel.id, name=channel.name, platform=channel.platform, state=state, since=since,
            title=broadcast.title if broadcast is not None else "", quality=told["quality"], time_s=told["media_s"],
            bytes=told["bytes"], bitrate_bps=self._rates[channel.id].bps, gaps=told["gaps"],
            missing_s=told["missing_s"], file=told["file"], last_error=error,
        )  # fmt: skip

    # -- tasks --------------------------------------------------------------------------------------------------------

    def _task_lines(self, views: list[TaskView], waiting: Iterable[tuple[str, str]]) -> Iterable[TaskLine]:
        for view in views:
            yield self._task_line(view)
        seen = {view.key for view in views}
        for key, kind in waiting:
            if key in seen:
                continue
            crashed = self._crashed.get(key)  # it is left alone for a while
            yield self._task_line(crashed) if crashed else TaskLine(_kind(kind), key, self._name(key), "queued")

    def _task_line(self, view: TaskView) -> TaskLine:
        error = Trouble(view.code, view.last_error) if view.code else None
        state = task_state(view.state, failed=error is not None)
        return TaskLine(_kind(view.kind), view.key, self._name(view.key), state, view.since_s, view.restarts, error)

    def _name(self, key: str) -> str:
        if not key.startswith(f"{RECORD}:"):
            return name_of(key)
        try:
            return self._channels.get(name_of(key)).name
        except NotFound:  # it was removed a moment ago, and its recording is ending
            return name_of(key)

    # -- storage ------------------------------------------------------------------------------------------------------

    async def _root_lines(self) -> tuple[RootLine, ...]:
        now_s = self._clock.monotonic()
        if now_s - self._free_s >= _FREE_S:
            self._free = await anyio.to_thread.run_sync(_ask_roots, [*self._roots.values()])
            self._free_s = now_s
        return self._free


class _Stored:
    """What the database knows of channels, as far as it is shown."""

    def __init__(self, db: Db) -> None:
        self.standings: Mapping[str, Standing] = {}
        self.on_air: Mapping[str, Broadcast] = {}
        """Broadcasts that are not over, by channel."""
        self._clock = db.clock
        self._repo = StandingRepo(db)
        self._aired = BroadcastRepo(db)
        self._stale = True
        self._read_s = float("-inf")

    def hear(self, event: StoredEvent) -> None:
        if event.code.startswith(("channel.", "broadcast.")):
            self._stale = True

    async def freshen(self) -> None:
        now_s = self._clock.monotonic()
        if not self._stale or now_s - self._read_s < _REREAD_S:
            return
        self._stale, self._read_s = False, now_s
        self.standings = await self._repo.all()
        self.on_air = {each.channel_id: each for each in await self._aired.open()}


class _Rate:
    """Bits a second from the network, over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    @property
    def last(self) -> int:
        return self._seen[-1][1]

    def add(self, now_s: float, received: int) -> None:
        self._seen.append((now_s, received))
        while len(self._seen) > 2 and self._seen[1][0] <= now_s - _RATE_S:
            self._seen.popleft()

    @property
    def bps(self) -> int:
        (t0, b0), (t1, b1) = self._seen[0], self._seen[-1]
        return round((b1 - b0) * 8 / (t1 - t0)) if t1 > t0 else 0


def _kind(kind: str) -> TaskKind:
    return _KINDS.get(kind.partition("/")[0], "other")


def _trouble_of(standing: Standing | None) -> Trouble | None:
    if standing is None or standing.code is None:
        return None
    return Trouble(standing.code, standing.why or "")


def _ask_roots(roots: Sequence[Root]) -> tuple[RootLine, ...]:
    """Blocking: a network's disk may take its time."""
    return tuple(RootLine(root.name, str(root.folder), _free(root), root.gate.min_free_bytes) for root in roots)


def _free(root: Root) -> int | None:
    try:
        return root.gate.free_bytes()
    except StorageError:  # shown as such: it cannot be asked
        return None
