"""Everything that records in the daemon, without its watchers: a test says what platforms say."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import anyio.abc

from ouzel.engine.disk import DiskGate
from ouzel.engine.policy import Policy
from ouzel.engine.workshop import Workshop
from ouzel.model.broadcast import Broadcast
from ouzel.model.channel import Channel
from ouzel.model.live import Answer, Identity, Live, Offline
from ouzel.model.ownership import RECORD
from ouzel.model.recording import RecordedFile, Recording
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.services.bodies import Body
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.channel_forms import NewChannel
from ouzel.services.channels import Channels
from ouzel.services.file_log import FileLog
from ouzel.services.recordings import Recordings, Root
from ouzel.services.recovery import Recovery
from ouzel.services.supervisor import Supervisor
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.db import Db, open_db
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.recordings import Chapter, RecordingRepo
from ouzel.system.clock import SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client

QUICK = replace(
    Policy(),
    retry_base_s=0.05,
    retry_cap_s=0.2,
    frozen_min_s=1.0,
    end_confirm_s=0.1,
    min_free_bytes=0,
    disk_probe_s=0.05,
)
ID = Identity("huya", "77")


class Box:
    """Turns secrets into something else, and back."""

    def seal(self, text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    def open(self, sealed: str) -> str:
        return base64.b64decode(sealed).decode()


@dataclass
class Watchers:
    """Say what the test wants them to say."""

    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    """By channel."""
    nudged: list[str] = field(default_factory=list[str])

    async def ask(self, channel: Channel) -> Told:
        return Told("own", self.answers[channel.id], ())

    def latest(self, channel_id: str) -> Live | None:
        answer = self.answers.get(channel_id)
        return answer if isinstance(answer, Live) else None

    def nudge(self, channel_id: str) -> None:
        self.nudged.append(channel_id)


@dataclass
class Newsroom:
    db: Db
    channels: Channels
    broadcasts: Broadcasts
    recordings: Recordings
    recovery: Recovery
    watchers: Watchers
    supervisor: Supervisor
    folder: Path

    async def channel(self, address: str = "https://www.huya.com/77", **settings: Any) -> Channel:
        known = {channel.address: channel for channel in self.channels.all()}
        if address in known:
            return known[address]
        return await self.channels.add(NewChannel((address,), settings={"park_s": 1.0, **settings}), by="test")

    async def says(self, channel: Channel, answer: Answer, *, times: int = 1) -> None:
        """The platform answers so."""
        self.watchers.answers[channel.id] = answer
        for number in range(1, times + 1):
            async with self.db.transaction() as tx:
                await self.broadcasts.heard_in(
                    tx, channel, answer, offline_in_row=number if isinstance(answer, Offline) else 0
                )

    async def until(self, test: Callable[[], Awaitable[object]], *, limit_s: float = 20.0) -> None:
        """Looked at after each event."""
        more = anyio.Event()

        def told(_event: object) -> None:
            more.set()

        end = self.db.listen(told)
        try:
            with anyio.fail_after(limit_s):
                while not await test():
                    await more.wait()
                    more = anyio.Event()
        finally:
            end()

    async def finished(self, number: int = 1) -> None:
        """So many recordings are over."""

        async def enough() -> bool:
            found = await self.all_recordings()
            return len(found) >= number and all(each.state.value == "done" for each in found)

        await self.until(enough)

    async def all_recordings(self) -> list[Recording]:
        """The oldest first."""
        from ouzel.store.recordings import RecordingFilter

        return [*reversed(await RecordingRepo(self.db).page(RecordingFilter()))]

    async def files(self, recording: Recording) -> list[RecordedFile]:
        return (await RecordingRepo(self.db).files([recording.id]))[recording.id]

    async def chapters(self, recording: Recording) -> list[Chapter]:
        return await RecordingRepo(self.db).chapters(recording.id)

    async def all_broadcasts(self) -> list[Broadcast]:
        return [*reversed(await BroadcastRepo(self.db).page(None, before=None, limit=50))]

    async def codes(self) -> list[str]:
        return [event.code for event in await self.db.events_after(0)]


def live(url: str, **known: Any) -> Live:
    return Live(ID, "小明", (Stream(url, label="原画"),), **known)


OFF = Offline(ID)


@asynccontextmanager
async def newsroom(folder: Path, *, settle: bool = True, policy: Policy = QUICK) -> AsyncGenerator[Newsroom]:
    """As after the start of a daemon; at its end as after SIGTERM."""
    clock = SystemClock()
    media = folder / "media"
    media.mkdir(exist_ok=True)
    async with open_db(folder / "ouzel.db", clock) as db, Http1Client() as http:
        channels = Channels(db, Box())
        await channels.load()
        ownership = SqliteOwnership(db)
        broadcasts = Broadcasts(db, channels, ownership)
        watchers = Watchers()
        gate = DiskGate(media, min_free_bytes=policy.min_free_bytes, probe_s=policy.disk_probe_s)
        shop = Workshop(http, clock, policy, gate, FfmpegFinder())
        roots = {"recordings": Root("recordings", media, gate)}
        log = FileLog.open(folder / "files.log")
        recordings = Recordings(db, channels, broadcasts, watchers, shop, roots, log)
        db.listen(recordings.hear)
        recovery = Recovery(db, {"recordings": media}, log)
        supervisor = Supervisor(
            ownership,
            {RECORD: Body(recordings.run, slots=100, patience_s=10.0, ended=recordings.after)},
            clock,
            settle=recovery.settle if settle else None,
        )
        room = Newsroom(db, channels, broadcasts, recordings, recovery, watchers, supervisor, media)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            try:
                yield room
            finally:
                supervisor.stop(10.0)
        log.close()
