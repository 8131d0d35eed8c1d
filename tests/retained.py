"""A library with real files, rules, and who keeps them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
from tests.component.library import Library, library

from ouzel.model.broadcast import BroadcastState
from ouzel.model.jobs import OPEN, Job
from ouzel.model.ledger import render
from ouzel.model.ledger_lines import Opening
from ouzel.model.policies import Rule
from ouzel.model.recording import Recording
from ouzel.model.states import RecordingState
from ouzel.services.channels import Channels
from ouzel.services.jobs import Jobs
from ouzel.services.library import Library as Owners
from ouzel.services.notices import Notices
from ouzel.services.policies import Policies
from ouzel.services.retention import QUEUE, Retention, RetentionRules
from ouzel.services.secrets import load_secrets
from ouzel.services.storage import MARKER, RootGate
from ouzel.services.supervisor import Supervisor
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.recordings import RecordingFilter

DAY_S = 86400.0
ROOT = "recordings"
_ALL, _TRASH = RecordingFilter(), RecordingFilter(deleted=True)


class Gate(RootGate):
    """A disk whose room a test says; what goes makes more of it."""

    room: int | None = None
    has_snapshots = False
    is_silent = False

    def space(self) -> tuple[int, int]:
        if self.is_silent:
            return 0, 0
        if self.room is None:
            return super().space()
        if self.has_snapshots:
            return 1 << 40, self.room
        held = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return 1 << 40, self.room - held


@dataclass
class Keeper:
    lib: Library
    channels: Channels
    gates: dict[str, Gate]
    retention: Retention
    queue: SqliteJobQueue
    notices: Notices
    used: set[str] = field(default_factory=set[str])
    """Recordings that a job works on."""

    @property
    def gate(self) -> Gate:
        return self.gates[ROOT]

    async def channel(self, channel_id: str, **settings: Any) -> None:
        await self.lib.channel(channel_id, settings=settings)
        await self.channels.load()

    async def rule(self, name: str, rule: Rule) -> None:
        await Policies(self.lib.db).add(name, rule, by="me")

    async def recording(
        self,
        path: str,
        *,
        channel: str = "c1",
        days: float = 0,
        size: int = 10_000,
        on_air: bool = False,
        root: str = ROOT,
        **values: Any,
    ) -> Recording:
        """That ended so many days ago, with its file and ledger."""
        state = BroadcastState.LIVE if on_air else BroadcastState.ENDED
        broadcast = await self.lib.broadcast(channel, state=state)
        at = self.lib.clock.now() - timedelta(days=days)
        known: dict[str, Any] = {"state": RecordingState.DONE, "ended_at": at}
        made = await self.lib.recording(broadcast, **(known | values))
        await self.file(made, path, size, root=root)
        return made

    async def file(
        self, recording: Recording, path: str, size: int = 10_000, *, root: str = ROOT, part: int = 1
    ) -> Path:
        media = self.gates[root].folder / path
        media.parent.mkdir(parents=True, exist_ok=True)
        media.write_bytes(bytes(size))
        at = self.lib.clock.now()
        opening = Opening(media.name, "ts", at, "http://h/", part, "test", recording=recording.id)
        media.with_suffix(".ledger").write_bytes(render(opening))
        await self.lib.file(recording, path, root=root, bytes=size, part=part)
        return media

    async def run(self, job: Job | None = None) -> Mapping[str, Any]:
        """Keep the rules, or wait for another job. Returns: its result."""
        job = job or await self.retention.start()
        with anyio.fail_after(20):
            while (found := await self.queue.get(job.id)).state in OPEN:
                assert found.code is None, found.why
                await anyio.lowlevel.checkpoint()
        assert found.result is not None, found
        return {key: value for key, value in found.result.items() if value}

    def there(self) -> list[str]:
        """Media files."""
        return sorted(path.relative_to(self.gate.folder).as_posix() for path in self.gate.folder.rglob("*.ts"))

    def all_files(self) -> list[str]:
        found = (path.relative_to(self.gate.folder).as_posix() for path in self.gate.folder.rglob("*"))
        return sorted(path for path in found if path != MARKER)

    async def kept(self) -> list[str]:
        """Ids of rows that are not in the trash."""
        return [each.id for each in await self.owners.page(_ALL)]

    async def trashed(self) -> list[str]:
        return [each.id for each in await self.owners.page(_TRASH)]

    @property
    def owners(self) -> Owners:
        return Owners(self.lib.db)

    async def open_notices(self) -> dict[str, Mapping[str, Any]]:
        return {notice.code: notice.data for notice in (await self.notices.not_over()).values()}


@asynccontextmanager
async def keeper(folder: Path, rules: RetentionRules | None = None) -> AsyncGenerator[Keeper]:
    async with library(folder) as lib:
        secrets = load_secrets(folder / "secret.key")
        channels = Channels(lib.db, secrets.box)
        await channels.load()
        gates = {ROOT: Gate(ROOT, folder / "media", min_free_bytes=0, probe_s=0.01)}
        gates[ROOT].mark([])
        ownership = SqliteOwnership(lib.db, lease_clock=lib.clock.monotonic)
        queue = SqliteJobQueue(lib.db, ownership)
        notices = Notices(lib.db)
        used: set[str] = set()

        async def in_use() -> set[str]:
            return used

        retention = Retention(lib.db, channels, gates, notices, rules or RetentionRules(), in_use=in_use)
        jobs = Jobs(queue, retention.kinds(), {QUEUE: 1}, lib.clock)
        retention.serve(jobs)
        made = Keeper(lib, channels, gates, retention, queue, notices, used)
        supervisor = Supervisor(ownership, jobs.bodies(), lib.clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            yield made
            supervisor.stop(0)
