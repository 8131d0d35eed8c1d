"""The composition root of the daemon: the only place where its concrete objects are made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread

from ouzel.api.services import ApiRules, Recorders, Roots, Services, Watchers
from ouzel.config.roots import USUAL
from ouzel.config.settings import Settings
from ouzel.config.tables import RecordSettings
from ouzel.daemon.downloading import Doors, RootedDownloading, download_rules, make_downloading
from ouzel.daemon.roots import make_gates
from ouzel.engine.policy import Policy
from ouzel.engine.transfer.transport import TransferRules
from ouzel.engine.transfer.transports import Transports
from ouzel.engine.workshop import Workshop
from ouzel.model.budget import BudgetRules, Budgets
from ouzel.model.channel import DIRECT
from ouzel.model.ownership import DOWNLOAD, POLL, RECORD, TaskView
from ouzel.model.polling import PollRules
from ouzel.notify.host import open_apprise
from ouzel.notify.senders import Senders
from ouzel.platforms.host import ResolverHost, open_host
from ouzel.services.afterwards import Afterwards
from ouzel.services.asking import PlatformAsker
from ouzel.services.audit import Audit
from ouzel.services.auth import Auth, AuthRules
from ouzel.services.bodies import Body
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.channels import Channels
from ouzel.services.downloads import Downloads
from ouzel.services.events import EventBus
from ouzel.services.file_jobs import file_jobs
from ouzel.services.file_log import FileLog
from ouzel.services.health import Health
from ouzel.services.hearing import Desk, Heard, Trouble
from ouzel.services.hooks import Hooks
from ouzel.services.housekeeping import Housekeeping
from ouzel.services.jobs import Jobs
from ouzel.services.labels import ChannelLabels
from ouzel.services.library import Library
from ouzel.services.messages import Messages
from ouzel.services.metrics import Metrics
from ouzel.services.notices import Notices
from ouzel.services.noticing import Noticing
from ouzel.services.numbers import Counting, Tally
from ouzel.services.overview import Overviews
from ouzel.services.passwords import Passwords
from ouzel.services.pipelines import Pipelines
from ouzel.services.places import Places
from ouzel.services.policies import Policies
from ouzel.services.reconciling import Reconciler
from ouzel.services.recordings import Recordings
from ouzel.services.recovery import Recovery
from ouzel.services.remotes import Remotes
from ouzel.services.retention import Retention, RetentionRules
from ouzel.services.revisions import Revisions
from ouzel.services.roster import Roster
from ouzel.services.routes import Routes
from ouzel.services.secrets import Secrets, load_secrets
from ouzel.services.step_jobs import StepJobs
from ouzel.services.step_kinds import command_kind
from ouzel.services.step_media import media_kinds
from ouzel.services.step_move import move_kind
from ouzel.services.step_upload import upload_kind
from ouzel.services.steps import Steps
from ouzel.services.storage import Storage
from ouzel.services.supervisor import Supervisor
from ouzel.services.targets import Targets
from ouzel.services.telling import Telling, TellingRules
from ouzel.services.telling_out import Outbox
from ouzel.services.telling_stories import Say
from ouzel.services.uploads import Uploads
from ouzel.services.users import Users
from ouzel.services.video_imports import VideoImports
from ouzel.services.video_words import VideoWords
from ouzel.services.videos import Videos
from ouzel.services.watching import Watching
from ouzel.store.db import Db, Tx, open_db
from ouzel.store.downloads import DownloadRepo
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.recordings import RecordingRepo
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client

_POLLS = 10_000
"""More platforms than there will ever be."""
_RECORDINGS = 100_000
"""As many as there are."""
_DIRECT_PER_MINUTE = 6000
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
    storage: Storage
    notices: Notices
    noticing: Noticing
    hooks: Hooks
    telling: Telling
    overviews: Overviews
    retention: Retention
    words: VideoWords
    services: Services

    @property
    def tasks(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What runs beside the supervisor, by name, until cancelled."""
        return {
            "reconciler": self.reconciler.run, "storage": self.storage.run, "noticing": self.noticing.run,
            "hooks": self.hooks.run, "telling": self.telling.run, "overview": self.overviews.run,
            "housekeeping": Housekeeping(self.db).run, "retention": self.retention.run,
            "words": self.words.run,
        }  # fmt: skip


@asynccontextmanager
async def open_daemon(
    settings: Settings, clock: Clock | None = None, *, say: Say | None = None, language: str = "en"
) -> AsyncGenerator[Daemon]:
    """Args: say: sentences of notices, for messages; language: of messages, where nobody says another.

    Whoever calls holds the data folder. Raises: DatabaseTooNew, DatabaseDamaged, SecretUnreadable, StorageError, BadConfig."""
    clock = clock or SystemClock()
    data = settings.storage.data
    secrets = await anyio.to_thread.run_sync(load_secrets, data / "secret.key")
    gates = make_gates(settings)
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_db(data / "ouzel.db", clock))
        log = FileLog.open(data / "files.log")
        stack.callback(log.close)
        http = await stack.enter_async_context(Http1Client())
        host = await stack.enter_async_context(open_host())
        senders = Senders(http, await stack.enter_async_context(open_apprise()))
        channels = Channels(db, secrets.box, settings.platforms, _usual(settings), [*gates])
        await channels.load()
        ownership = SqliteOwnership(db)
        folders = {name: gate.folder for name, gate in gates.items()}
        notices, events, places = Notices(db), EventBus(db), Places(folders, lambda name: gates[name].require())
        queue, own = SqliteJobQueue(db, ownership), settings.download.pipeline
        afterwards = Afterwards(db, queue, channels, notices, places, own)
        broadcasts = Broadcasts(db, channels, ownership, on_finished=afterwards.recorded_in)
        ffmpeg = FfmpegFinder()
        storage = Storage(db, gates, named=channels.roots)
        watching, metrics = _watching(settings, db, channels, broadcasts, notices, storage, (host, http, ffmpeg))
        shop = Workshop(http, clock, _policy(settings), gates[USUAL], ffmpeg)
        recordings = Recordings(db, channels, broadcasts, watching, shop, storage.roots, log)
        recovery = Recovery(
            db, folders, log, is_there=lambda name: gates[name].has_marker(), on_finished=afterwards.recorded_in
        )
        downloads = Downloads(
            db, DownloadRepo(db, ownership), events, secrets.box, download_rules(settings),
            lambda: RootedDownloading(
                make_downloading(settings, Doors(http, host, ffmpeg), shop, channels, clock), gates.values()
            ),
            afterwards=afterwards,
        )  # fmt: skip
        hooks = Hooks(db, events, channels, notices, settings.hooks, folders)
        remotes = Remotes(db, secrets.box, Transports(_transfer(settings)))
        own_kinds = [
            command_kind(hooks, clock), move_kind(places, gates, afterwards.held), upload_kind(db, channels, remotes),
        ]  # fmt: skip
        steps = Steps([*media_kinds(ffmpeg, clock), *own_kinds])

        def check_room(root: str) -> None:
            if root in gates:
                gates[root].check()

        of_steps = StepJobs(db, steps, afterwards, downloads.repo, places, check_room)
        retention = Retention(db, channels, gates, notices, _retention(settings), in_use=afterwards.in_use)
        words = VideoWords(db)
        videos = Videos(db, words)
        imports = VideoImports(db, places, [settings.storage.data])
        uploads = Uploads(db, gates, imports)
        kinds = [
            *file_jobs(recovery, RecordingRepo(db), folders), *of_steps.kinds(), *retention.kinds(), *imports.kinds(),
        ]  # fmt: skip
        jobs = Jobs(queue, kinds, asdict(settings.jobs), clock, bus=events)
        retention.serve(jobs)
        imports.serve(jobs)

        async def on_crash(view: TaskView) -> None:
            await notices.crashed(view)
            await overviews.crashed(view)

        async def settle() -> None:
            await storage.look()
            settled = await recovery.settle()
            await queue.settle()
            await downloads.settle()
            await afterwards.settle()
            await of_steps.settle()
            await uploads.settle()
            if settled.files:
                data = {"files": len(settled.files)}
                await notices.raise_notice("files.recovered", "files.recovered", data=data)

        bodies = _bodies(settings, recordings, watching) | jobs.bodies()
        bodies[DOWNLOAD] = downloads.body(settings.download.at_once)
        supervisor = Supervisor(ownership, bodies, clock, settle=settle, on_crash=on_crash)
        overviews = Overviews(db, channels, recordings, supervisor, storage.roots)
        noticing = Noticing(
            db, notices, sources=(storage.troubles, downloads.troubles, afterwards.troubles), tasks=supervisor.snapshot
        )
        reconciler = Reconciler(db, channels, broadcasts, ownership)
        for listener in (
            recordings.hear, reconciler.hear, watching.on_event, noticing.hear, overviews.hear, retention.hear, words.hear,
        ):  # fmt: skip
            stack.callback(db.listen(listener))
        policies, routes = Policies(db, storage.most_room), Routes(db)
        pipelines = Pipelines(db, steps.check, downloads=own)
        targets = Targets(db, secrets.box, senders, language)
        apart_s = settings.watch.notify_interval.total_seconds()
        outbox = Outbox(db, targets, senders, notices)
        telling = Telling(db, channels, outbox, TellingRules(language, apart_s), say)
        stack.callback(db.listen(telling.hear))
        services = _services(
            settings, db, secrets, events=events, metrics=metrics, channels=channels, roster=Roster(db, channels),
            revisions=Revisions(db, channels, [policies, pipelines, targets, routes, remotes, videos]), broadcasts=broadcasts,
            recordings=recordings, library=Library(db), videos=videos, imports=imports, uploads=uploads,
            watching=watching, jobs=queue,
            notices=notices, storage=storage,
            policies=policies, pipelines=pipelines, afterwards=afterwards, tasks=supervisor, overviews=overviews,
            downloads=downloads, retention=retention, targets=targets, routes=routes, messages=Messages(db),
            remotes=remotes,
        )  # fmt: skip
        stack.callback(services.labels.close)
        stack.callback(services.auth.close)
        stack.callback(services.events.close)
        yield Daemon(
            settings=settings, db=db, channels=channels, broadcasts=broadcasts, recordings=recordings, watching=watching,
            supervisor=supervisor, reconciler=reconciler, recovery=recovery, jobs=jobs,
            storage=storage, notices=notices, noticing=noticing,
            hooks=hooks, telling=telling, overviews=overviews, retention=retention, words=words,
            services=services,
        )  # fmt: skip


def _watching(
    settings: Settings,
    db: Db,
    channels: Channels,
    broadcasts: Broadcasts,
    notices: Notices,
    storage: Storage,
    doors: tuple[ResolverHost, Http1Client, FfmpegFinder],
) -> tuple[Watching, Metrics]:
    budgets, tally = Budgets(lambda name: _budget(settings, name)), Tally()

    async def on_heard(tx: Tx, heard: Heard) -> None:
        await broadcasts.heard_in(tx, heard.channel, heard.outcome, offline_in_row=heard.offline_in_row)

    async def on_trouble(tx: Tx, trouble: Trouble) -> None:
        if trouble.code != "strained":  # what blocks is told by the standings of its channels
            return
        key = f"platform.strained:{trouble.platform}"
        if trouble.over:
            await notices.over_in(tx, key)
        else:
            await notices.raise_in(tx, key, "platform.strained", data={"platform": trouble.platform, **trouble.data})

    desk = Desk(
        db=db,
        channels=channels,
        asker=PlatformAsker(*doors, budgets, db.clock, tally.polled),
        budgets=budgets,
        on_heard=on_heard,
        on_trouble=on_trouble,
        clock=db.clock,
        rules_for=lambda name: PollRules(interval_s=settings.watch_of(name).interval.total_seconds()),
    )
    watching = Watching(desk)
    return watching, Metrics(Counting(db, storage, watching.loads).read, tally)


def _budget(settings: Settings, platform: str) -> BudgetRules:
    """Addresses of streams are of many servers: what protects a platform would only hold them up."""
    if platform == DIRECT:
        return BudgetRules(requests_per_minute=_DIRECT_PER_MINUTE, apart_s=0.0)
    return BudgetRules(settings.watch_of(platform).requests_per_minute)


def _bodies(settings: Settings, recordings: Recordings, watching: Watching) -> dict[str, Body]:
    at_once = settings.record.at_once or _RECORDINGS
    return {
        RECORD: Body(recordings.run, slots=at_once, patience_s=_end_s(settings) + 60.0, ended=recordings.after),
        POLL: Body(watching.body, slots=_POLLS, patience_s=5.0),
    }


def _usual(settings: Settings) -> dict[str, Any]:
    """What the file says of all channels, where it says something else than everybody expects."""
    return {"park_s": settings.record.park.total_seconds()} if settings.record.park != RecordSettings().park else {}


def _policy(settings: Settings) -> Policy:
    park_s, min_free = settings.record.park.total_seconds(), int(settings.storage.min_free)
    return Policy(park_s=park_s, min_free_bytes=min_free, stop_s=_end_s(settings))


def _transfer(settings: Settings) -> TransferRules:
    """The rate is of all uploads together."""
    given, at_once = settings.transfer, settings.jobs.transfer
    rate, config = int(given.limit_rate), given.rclone_config
    path = "" if config == Path() else str(settings.path_of(str(config)))
    program = str(settings.path_of(given.rclone)) if "/" in given.rclone else given.rclone
    return TransferRules(-(-rate // at_once), given.timeout.total_seconds(), program, path)


def _retention(settings: Settings) -> RetentionRules:
    given = settings.retention
    return RetentionRules(given.on, given.every.total_seconds(), given.trash)


def _end_s(settings: Settings) -> float:
    return max(1.0, settings.daemon.shutdown_timeout.total_seconds() - _MARGIN_S)


def _services(
    settings: Settings,
    db: Db,
    secrets: Secrets,
    watching: Watchers,
    recordings: Recorders,
    storage: Roots,
    **parts: Any,
) -> Services:
    """`parts`: fields of `Services` that are made already."""
    server, auth = settings.server, settings.auth
    passwords, audit = Passwords(auth.password_min), Audit(db)
    rules = AuthRules(auth.access_life.total_seconds(), auth.refresh_life.total_seconds(), auth.attempts)
    return Services(
        db=db, secrets=secrets, auth=Auth(db, secrets, passwords, audit, rules), users=Users(db, passwords), audit=audit,
        labels=ChannelLabels(db), health=Health(db), watching=watching, recordings=recordings, storage=storage, **parts,
        rules=ApiRules(
            public_url=str(server.public_url), trusted_proxies=tuple(server.trusted_proxies),
            metrics_open=settings.metrics.open,
        ),
    )  # fmt: skip
