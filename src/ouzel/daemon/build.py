"""The composition root of the daemon: the only place where its concrete objects are made."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from ouzel.api.services import ApiRules, Services
from ouzel.config.settings import Settings
from ouzel.engine.disk import DiskGate
from ouzel.engine.policy import Policy
from ouzel.engine.workshop import Workshop
from ouzel.model.budget import BudgetRules, Budgets
from ouzel.model.channel import Channel
from ouzel.model.live import Live
from ouzel.model.ownership import POLL, RECORD
from ouzel.model.polling import PollRules
from ouzel.platforms.chain import Told
from ouzel.platforms.host import ResolverHost, open_host
from ouzel.services.asking import PlatformAsker
from ouzel.services.audit import Audit
from ouzel.services.auth import Auth, AuthRules
from ouzel.services.bodies import Body
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.channels import Channels
from ouzel.services.events import EventBus
from ouzel.services.file_jobs import file_jobs
from ouzel.services.file_log import FileLog
from ouzel.services.health import Health
from ouzel.services.hearing import Desk, Heard
from ouzel.services.jobs import Jobs
from ouzel.services.labels import ChannelLabels
from ouzel.services.metrics import Metrics
from ouzel.services.passwords import Passwords
from ouzel.services.reconciling import Reconciler
from ouzel.services.recordings import Recordings, Root
from ouzel.services.recovery import Recovery
from ouzel.services.secrets import Secrets, load_secrets
from ouzel.services.supervisor import Supervisor
from ouzel.services.taking_over import TakingOver
from ouzel.services.users import Users
from ouzel.services.watching import Watching
from ouzel.store.db import Db, Tx, open_db
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.recordings import RecordingRepo
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client

_ROOT = "recordings"
_POLLS = 10_000
"""More platforms than there will ever be."""
_RECORDINGS = 100_000
"""As many as there are."""
_LATEST_S = 20.0
_MARGIN_S = 1.5
"""Of the time for the end, for what comes after the files are closed."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """Everything that works, ready to run."""

    settings: Settings
    db: Db
    channels: Channels
    broadcasts: Broadcasts
    recordings: Recordings
    watching: Watching
    supervisor: Supervisor
    reconciler: Reconciler
    recovery: Recovery
    jobs: Jobs
    taking_over: TakingOver
    services: Services
    ffmpeg: FfmpegFinder


class _Watchers:
    """What recordings ask of those who watch."""

    def __init__(self, clock: Clock) -> None:
        self.watching: Watching
        self._clock = clock
        self._latest: dict[str, tuple[float, Live]] = {}

    async def ask(self, channel: Channel) -> Told:
        return await self.watching.ask(channel)

    def latest(self, channel_id: str) -> Live | None:
        at_s, live = self._latest.pop(channel_id, (0.0, None))
        return live if self._clock.monotonic() - at_s < _LATEST_S else None

    def nudge(self, channel_id: str) -> None:
        self.watching.nudge(channel_id)

    def heard(self, heard: Heard) -> None:
        if isinstance(heard.outcome, Live):
            self._latest[heard.channel.id] = (self._clock.monotonic(), heard.outcome)
        else:
            self._latest.pop(heard.channel.id, None)


@asynccontextmanager
async def open_daemon(settings: Settings, clock: Clock | None = None) -> AsyncGenerator[Daemon]:
    """Whoever calls holds the data folder. Raises: DatabaseTooNew, DatabaseDamaged, SecretUnreadable, StorageError."""
    clock = clock or SystemClock()
    data = settings.storage.data
    secrets = await anyio.to_thread.run_sync(load_secrets, data / "secret.key")
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_db(data / "ouzel.db", clock))
        http = await stack.enter_async_context(Http1Client())
        host = await stack.enter_async_context(open_host())
        channels = Channels(db, secrets.box, settings.platforms)
        await channels.load()
        ownership = SqliteOwnership(db)
        broadcasts = Broadcasts(db, channels, ownership)
        ffmpeg = FfmpegFinder()
        watchers = _Watchers(clock)
        watchers.watching = watching = _watching(settings, db, channels, broadcasts, watchers, host, http, ffmpeg)
        log = FileLog.open(data / "files.log")
        stack.callback(log.close)
        roots = {_ROOT: _root(settings.storage.recordings, settings.storage.min_free)}
        recordings = Recordings(
            db, channels, broadcasts, watchers, ownership,
            Workshop(http, clock, _policy(settings), roots[_ROOT].gate, ffmpeg), roots, log,
        )  # fmt: skip
        queue = SqliteJobQueue(db, ownership)
        recovery = Recovery(db, {name: root.folder for name, root in roots.items()}, log)
        folders = {name: root.folder for name, root in roots.items()}
        jobs = Jobs(queue, file_jobs(recovery, RecordingRepo(db), folders), {"disk": 1}, clock)

        async def settle() -> None:
            await recovery.settle()
            await queue.settle()

        bodies = _bodies(settings, recordings, watching) | jobs.bodies()
        supervisor = Supervisor(ownership, bodies, clock, settle=settle)
        taking_over = TakingOver(db, channels, folders)
        reconciler = Reconciler(db, channels, broadcasts, ownership)
        stack.callback(db.listen(reconciler.hear))
        stack.callback(db.listen(watching.on_event))
        services = _services(settings, db, secrets)
        stack.callback(services.labels.close)
        stack.callback(services.auth.close)
        stack.callback(services.events.close)
        yield Daemon(
            settings,
            db,
            channels,
            broadcasts,
            recordings,
            watching,
            supervisor,
            reconciler,
            recovery,
            jobs,
            taking_over,
            services,
            ffmpeg,
        )


def _watching(
    settings: Settings,
    db: Db,
    channels: Channels,
    broadcasts: Broadcasts,
    watchers: _Watchers,
    host: ResolverHost,
    http: Http1Client,
    ffmpeg: FfmpegFinder,
) -> Watching:
    budgets = Budgets(lambda name: BudgetRules(settings.watch_of(name).requests_per_minute))

    async def on_heard(tx: Tx, heard: Heard) -> None:
        watchers.heard(heard)
        await broadcasts.heard_in(tx, heard.channel, heard.outcome, offline_in_row=heard.offline_in_row)

    desk = Desk(
        db=db,
        channels=channels,
        asker=PlatformAsker(host, http, ffmpeg, budgets, db.clock),
        budgets=budgets,
        on_heard=on_heard,
        clock=db.clock,
        rules_for=lambda name: PollRules(interval_s=settings.watch_of(name).interval.total_seconds()),
    )
    return Watching(desk)


def _bodies(settings: Settings, recordings: Recordings, watching: Watching) -> dict[str, Body]:
    end_s = max(1.0, settings.daemon.shutdown_timeout.total_seconds() - _MARGIN_S)
    at_once = settings.record.at_once or _RECORDINGS
    return {
        RECORD: Body(recordings.run, slots=at_once, patience_s=end_s + 60.0, ended=recordings.after),
        POLL: Body(watching.body, slots=_POLLS, patience_s=5.0),
    }


def _policy(settings: Settings) -> Policy:
    end_s = max(1.0, settings.daemon.shutdown_timeout.total_seconds() - _MARGIN_S)
    return Policy(
        park_s=settings.record.park.total_seconds(), min_free_bytes=int(settings.storage.min_free), stop_s=end_s
    )


def _root(folder: Path, min_free: int) -> Root:
    folder.mkdir(parents=True, exist_ok=True)
    return Root(_ROOT, folder, DiskGate(folder, min_free_bytes=int(min_free), probe_s=Policy().disk_probe_s))


def _services(settings: Settings, db: Db, secrets: Secrets) -> Services:
    server, auth = settings.server, settings.auth
    passwords, audit = Passwords(auth.password_min), Audit(db)
    rules = AuthRules(auth.access_life.total_seconds(), auth.refresh_life.total_seconds(), auth.attempts)
    return Services(
        db=db, secrets=secrets, auth=Auth(db, secrets, passwords, audit, rules), users=Users(db, passwords), audit=audit,
        events=EventBus(db), labels=ChannelLabels(db), health=Health(db), metrics=Metrics(),
        rules=ApiRules(
            public_url=str(server.public_url), trusted_proxies=tuple(server.trusted_proxies),
            metrics_open=settings.metrics.open,
        ),
    )  # fmt: skip
