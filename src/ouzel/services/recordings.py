"""Recordings: the body `rec:CHANNEL`, which records a broadcast for as long as it is wanted, and what users ask of it.

One broadcast is one recording, however often its recorder was stopped: each time it goes on in the next file, with a gap for
what went by, or with the very next segment where the stream still has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from ouzel.base.errors import (
    DiskFull,
    InputError,
    NotFound,
    NotOnAir,
    OuzelError,
    ReadOnly,
    Refused,
    ToolMissing,
    Unsupported,
)
from ouzel.base.urls import redact
from ouzel.engine.disk import DiskGate
from ouzel.engine.finish import FormatWish
from ouzel.engine.names import NotedNames, Target
from ouzel.engine.parts import Broken
from ouzel.engine.workshop import Page, Workshop, build_recorder
from ouzel.model.broadcast import Broadcast
from ouzel.model.channel import DIRECT, Channel
from ouzel.model.channel_settings import ChannelSettings
from ouzel.model.flow import EndReason
from ouzel.model.happening import Happening, StoredEvent
from ouzel.model.live import Live
from ouzel.model.ownership import RunContext, StopReason
from ouzel.model.recording import FileRole, Recording
from ouzel.model.report import Report
from ouzel.model.schedule import next_change
from ouzel.model.states import RecordingState
from ouzel.model.stream import Resolver, Stream
from ouzel.platforms.chain import Told
from ouzel.services.bodies import Context, Ending
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.broken_off import broken_off
from ouzel.services.channels import Channels
from ouzel.services.file_log import FileLog
from ouzel.services.recording_rows import RecordingRows, Sizes
from ouzel.services.resolving import ChannelResolver, InTurn
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.db import Db, Tx
from ouzel.store.recordings import RecordingRepo
from ouzel.system.http.cookie_files import parse_cookies
from ouzel.system.http.cookies import CookieJar
from ouzel.system.zones import zone_of

if TYPE_CHECKING:
    from ouzel.engine.recorder import Recorder
    from ouzel.engine.tape import Tape

_SEEN_S = 60.0
_FIRST_S, _LONGEST_S = 5.0, 120.0
"""Between two tries for a stream that does not come, although its platform says that it is on air."""
_DISK_S = 30.0
"""Between two tries where the disk refuses: as often as those that are paused look whether it has room again."""


class Watchers(Protocol):
    """Who asks the platforms."""

    async def ask(self, channel: Channel) -> Told:
        """In its turn, within the budget; what was said is heard by all."""
        ...

    def latest(self, channel_id: str) -> Live | None:
        """What was told a moment ago, if that was that it is on air."""
        ...

    def nudge(self, channel_id: str) -> None:
        """Ask soon."""
        ...


@dataclass(frozen=True, slots=True)
class Root:
    """A storage root."""

    name: str
    folder: Path
    gate: DiskGate


@dataclass(frozen=True, slots=True)
class _Work:
    """What one stay of a body is about."""

    channel: Channel
    broadcast: Broadcast
    recording: Recording
    settings: ChannelSettings
    root: Root
    broken: Broken | None


@dataclass(frozen=True, slots=True)
class Running:
    """A recording that runs in this process."""

    channel: Channel
    settings: ChannelSettings
    recorder: Recorder
    tape: Tape
    rows: RecordingRows
    told: dict[str, str]
    """What names of files are made of, as the platform has told it last."""

    def live(self) -> dict[str, Any]:
        """Its counters as they are now, fresher than its row."""
        counters = self.rows.counters(self.recorder, self.tape)
        path, received = self.tape.current_path, self.tape.counters.received
        return {**counters, "received": received, "quality": self.rows.quality, "file": str(path or "")}


class Recordings:
    """Use cases around what is kept.

    Args:
        roots: storage roots by name.
        shop: what all recordings share; its gate and policy are replaced by those of each.
    """

    def __init__(
        self,
        db: Db,
        channels: Channels,
        broadcasts: Broadcasts,
        watchers: Watchers,
        shop: Workshop,
        roots: Mapping[str, Root],
        log: FileLog,
    ) -> None:
        self.running: dict[str, Running] = {}
        """By id of the channel."""
        self._db = db
        self._channels = channels
        self._broadcasts = broadcasts
        self._watchers = watchers
        self._shop = shop
        self._roots = roots
        self._log = log
        self._failed: dict[str, int] = {}
        """Tries in a row without anything, by key."""
        self._repo = RecordingRepo(db)
        self._sizes = Sizes(db, self._repo)
        self._aired = BroadcastRepo(db)

    def hear(self, event: StoredEvent) -> None:
        """For `Db.listen`: the running files learn what their broadcast is called now."""
        running = self.running.get(event.channel_id or "")
        if event.code != "broadcast.changed" or running is None or "why_not" in event.data:
            return
        running.told.update({name: event.data[name] for name in ("title", "category") if event.data[name]})
        if running.settings.split_on_title:
            running.tape.split()

    # -- what users ask -----------------------------------------------------------------------------------------------

    async def split(self, channel_id: str) -> None:
        """Go on in a new file at the next edge. Raises: NotFound when it is not being recorded."""
        self._running(channel_id).tape.split()

    def _running(self, channel_id: str) -> Running:
        running = self.running.get(channel_id)
        if running is None:
            raise NotFound(f"{self._channels.get(channel_id).name} is not being recorded")
        return running

    # -- the body -----------------------------------------------------------------------------------------------------

    async def run(self, ctx: RunContext[Tx]) -> None:
        """The body of `rec:CHANNEL`. Raises: OuzelError that somebody should know, after which it is tried again."""
        work = await self._prepare(ctx)
        if work is None:
            return
        last_gap = await self._repo.last_gap(work.recording.id)
        rows = RecordingRows(
            ctx, self._repo, work.recording, work.root.name, work.root.folder, self._log, self._sizes, last_gap=last_gap
        )
        told = _told(work.channel, work.broadcast)
        recorder, tape = self._build(work, rows, told)
        self.running[work.channel.id] = running = Running(work.channel, work.settings, recorder, tape, rows, told)
        ended_by: list[str] = []
        report: Report | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(rows.run, recorder, tape)
                tasks.start_soon(self._stop_when_told, ctx, recorder)
                tasks.start_soon(self._keep_seen, ctx, running, work)
                if work.settings.schedule and not work.broadcast.forced:
                    tasks.start_soon(self._stop_at_closing, work, recorder, ended_by)
                report = await recorder.run()
                tasks.cancel_scope.cancel()
        finally:
            if self.running.get(work.channel.id) is running:
                del self.running[work.channel.id]
        assert report is not None
        with anyio.CancelScope(shield=True):
            await rows.write(recorder, tape)
            rows.close()
            await self._conclude(ctx, work, recorder, report, ended_by)

    async def _prepare(self, ctx: RunContext[Tx]) -> _Work | None:
        """None where what was wanted is not there any more."""
        spec = ctx.spec
        recording = await self._repo.get(spec["recording"])
        broadcast = await self._aired.get(spec["broadcast"])
        try:
            channel = self._channels.get(spec["channel"])
        except NotFound:
            channel = None
        if recording is None or broadcast is None or channel is None:
            await ctx.commit(lambda tx: self._broadcasts.forget_in(tx, spec["channel"]))
            return None
        settings = self._channels.effective(channel).settings
        root = self._roots.get(settings.root)
        if root is None:
            raise NotFound(f"there is no storage root {settings.root[:40]}; there is {', '.join(self._roots)}")
        await anyio.to_thread.run_sync(root.gate.check)  # before any folder is made in it
        files = (await self._repo.files([recording.id]))[recording.id]
        files = [each for each in files if each.role is FileRole.ORIGINAL]
        folders = {name: each.folder for name, each in self._roots.items()}
        broken = await anyio.to_thread.run_sync(broken_off, recording, files, folders) if files else None
        return _Work(channel, broadcast, recording, settings, root, broken)

    def _build(self, work: _Work, rows: RecordingRows, told: Mapping[str, str]) -> tuple[Recorder, Tape]:
        from ouzel.engine.tape import TapeLimits

        settings, channel = work.settings, work.channel
        policy = replace(self._shop.policy, park_s=settings.park_s)
        names = NotedNames(self._shop.names, rows.will_open)
        shop = replace(self._shop, gate=work.root.gate, policy=policy, names=names)
        jar = _jar(channel, settings)
        stream = Stream(
            channel.address, settings.headers, _proxy(settings), settings.verify_tls, quality=settings.quality[0],
            title=work.broadcast.title,
        )  # fmt: skip
        if settings.user_agent:
            stream = replace(stream, headers=(("User-Agent", settings.user_agent), *stream.headers))
        resolver = self._resolver(channel, settings, stream)
        limits = TapeLimits(
            split_after_s=settings.split_after_s or None,
            split_bytes=settings.split_bytes or None,
            duration_s=max(1.0, settings.max_duration_s - work.recording.media_s) if settings.max_duration_s else None,
        )
        numbered = limits.split_after_s is not None or limits.split_bytes is not None
        return build_recorder(
            shop,
            stream,
            cookies=lambda url: jar.header(url, datetime.now(UTC)),
            target=Target(work.root.folder, None, settings.template, numbered),
            wish=FormatWish(settings.format or None, settings.keep_original),
            limits=limits,
            listener=rows.listen,
            wait=False,
            from_start=settings.from_start and (work.broken is None or work.broken.sequence is None),
            keep_ads=settings.keep_ads,
            page=Page(resolver, lambda: told, has_others=channel.platform != DIRECT or len(channel.addresses) > 1),
            broken=work.broken,
            recording=work.recording.id,
        )

    def _resolver(self, channel: Channel, settings: ChannelSettings, stream: Stream) -> Resolver:
        if channel.platform == DIRECT:
            return InTurn([replace(stream, url=address) for address in channel.addresses])

        async def ask() -> Told:
            return await self._watchers.ask(channel)

        resolver = ChannelResolver(ask, settings, self._shop.clock)
        if (live := self._watchers.latest(channel.id)) is not None:
            resolver.knows(live)
        return resolver

    async def after(self, ctx: Context, ending: Ending) -> bool:
        """How long a recorder that brought nothing is left alone: what is on air is not waited for as long as for other work."""
        if ending.error is None or ending.reason is not None:
            self._failed.pop(ctx.key, None)
            return False
        tries = self._failed[ctx.key] = self._failed.get(ctx.key, 0) + 1
        longest_s = _DISK_S if isinstance(ending.error, (DiskFull, ReadOnly)) else _LONGEST_S
        hopeless = isinstance(ending.error, (InputError, Refused, Unsupported, ToolMissing))
        ctx.hold_s = _LONGEST_S if hopeless else min(_FIRST_S * 2 ** (tries - 1), longest_s)
        return False

    # -- beside the recorder ------------------------------------------------------------------------------------------

    async def _stop_when_told(self, ctx: RunContext[Tx], recorder: Recorder) -> None:
        await ctx.stopping.wait()
        recorder.stop(goes_on=ctx.reason is not StopReason.UNWANTED)

    async def _stop_at_closing(self, work: _Work, recorder: Recorder, ended_by: list[str]) -> None:
        clock = self._shop.clock
        closing = next_change(work.settings.schedule, clock.now(), zone_of(work.settings.time_zone))
        if closing is None:
            return
        while (left_s := (closing - clock.now()).total_seconds()) > 0:  # noqa: ASYNC110 - the clock may be set meanwhile
            await anyio.sleep(min(left_s, 60.0))
        ended_by.append("schedule")
        recorder.stop()

    async def _keep_seen(self, ctx: RunContext[Tx], running: Running, work: _Work) -> None:
        """A broadcast whose media flow is on air, whoever says what."""
        before = 0
        while True:
            await anyio.sleep(_SEEN_S)
            chunks, now = before, running.tape.counters.chunks
            before = now
            if now > chunks:
                await ctx.commit(lambda tx: self._broadcasts.seen_in(tx, work.broadcast.id))

    # -- its end ------------------------------------------------------------------------------------------------------

    async def _conclude(
        self, ctx: RunContext[Tx], work: _Work, recorder: Recorder, report: Report, ended_by: list[str]
    ) -> None:
        """What becomes of recording and broadcast. Raises: the error after which it is tried again."""
        reason, error = report.end_reason, None
        if ctx.reason is StopReason.SHUTDOWN:
            await ctx.commit(lambda tx: self._rest_in(tx, work, report))
        elif ctx.reason is StopReason.UNWANTED:
            await ctx.commit(lambda tx: self._done_in(tx, work, report))
        elif ended_by:
            await ctx.commit(lambda tx: self._enough_in(tx, work, report, ended_by[0]))
        elif reason is EndReason.DURATION:
            await ctx.commit(lambda tx: self._enough_in(tx, work, report, "max_duration"))
        elif reason is EndReason.ENDED:
            await ctx.commit(lambda tx: self._over_in(tx, work, report))
        elif reason is EndReason.GONE or (report.error is not None and report.error[0] == NotOnAir.code):
            await ctx.commit(lambda tx: self._gone_in(tx, work, report))
        else:
            await ctx.commit(lambda tx: self._rest_in(tx, work, report))
            error = recorder.error or OuzelError(f"it ended: {reason.value}")
        self._watchers.nudge(work.channel.id)
        if error is not None:
            raise error

    async def _rest_in(self, tx: Tx, work: _Work, report: Report) -> None:
        """It goes on later."""
        state = RecordingState.PARKED if report.files or work.broken else RecordingState.WAITING
        code, why = report.error or (None, None)
        await self._repo.change_in(tx, work.recording.id, state=state, code=code, why=why)
        data = {"state": state.value, "code": code, "why": why}
        tx.emit(Happening("recording.changed", work.recording.id, data, work.channel.id))

    async def _done_in(self, tx: Tx, work: _Work, report: Report) -> None:
        recording = await self._repo.get_in(tx, work.recording.id)
        if recording is not None:
            await self._broadcasts.finish_in(tx, recording, end_reason=report.end_reason.value)

    async def _enough_in(self, tx: Tx, work: _Work, report: Report, why: str) -> None:
        for_good = why != "schedule"  # its hours come again, and some broadcasts never end
        await self._broadcasts.enough_in(tx, work.channel, work.broadcast.id, why, for_good=for_good)
        await self._done_in(tx, work, report)

    async def _over_in(self, tx: Tx, work: _Work, report: Report) -> None:
        await self._done_in(tx, work, report)
        await self._broadcasts.closed_in(tx, work.channel, work.broadcast.id)

    async def _gone_in(self, tx: Tx, work: _Work, report: Report) -> None:
        await self._rest_in(tx, work, report)
        await self._broadcasts.parked_in(tx, work.channel, work.broadcast.id)


def _proxy(settings: ChannelSettings) -> str | None:
    return None if settings.proxy in ("", "direct") else settings.proxy


def _jar(channel: Channel, settings: ChannelSettings) -> CookieJar:
    if not settings.cookies:
        return CookieJar()
    host = urlsplit(channel.address).hostname or ""
    return parse_cookies(settings.cookies, host=host, source=f"cookies of {redact(channel.address)}")


def _told(channel: Channel, broadcast: Broadcast) -> dict[str, str]:
    return {
        "folder": channel.folder, "channel": channel.name, "id": channel.id, "platform": channel.platform,
        "name": broadcast.anchor or channel.name, "title": broadcast.title or channel.name,
        "category": broadcast.category,
    }  # fmt: skip
