"""The API in process: services over a real database, and clients that have signed in."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
from anyio.streams.memory import MemoryObjectReceiveStream
from fastapi import FastAPI

from ouzel.api.app import make_app
from ouzel.api.services import ApiRules, Services
from ouzel.base.errors import NotFound, OuzelError
from ouzel.daemon.server import WebServer
from ouzel.model.channel import Channel
from ouzel.model.live import Answer
from ouzel.model.ownership import TaskState, TaskView
from ouzel.model.steps import SHAPES
from ouzel.model.users import Role, Via
from ouzel.platforms.chain import Told
from ouzel.services.afterwards import Afterwards
from ouzel.services.audit import Audit
from ouzel.services.auth import Auth, AuthRules
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.channels import Channels
from ouzel.services.download_forms import DownloadRules
from ouzel.services.downloads import Downloads
from ouzel.services.events import EventBus
from ouzel.services.health import Health
from ouzel.services.jobs import Jobs
from ouzel.services.labels import ChannelLabels
from ouzel.services.library import Library
from ouzel.services.messages import Messages
from ouzel.services.metrics import Metrics
from ouzel.services.notices import Notices
from ouzel.services.overview import Overviews
from ouzel.services.passwords import Passwords
from ouzel.services.pipelines import Pipelines
from ouzel.services.places import Places
from ouzel.services.policies import Policies
from ouzel.services.recordings import Running
from ouzel.services.remotes import Remotes
from ouzel.services.retention import QUEUE, Retention, RetentionRules
from ouzel.services.revisions import Revisions
from ouzel.services.roster import Roster
from ouzel.services.routes import Routes
from ouzel.services.secrets import Secrets
from ouzel.services.steps import Made, StepKind, Steps, StepWork
from ouzel.services.storage import RootGate, RootState, RootView
from ouzel.services.targets import Targets
from ouzel.services.uploads import Uploads
from ouzel.services.users import NewUser, Users
from ouzel.services.video_imports import VideoImports
from ouzel.services.video_words import VideoWords
from ouzel.services.videos import Videos
from ouzel.services.watching import PlatformLoad
from ouzel.store.db import Db, open_db
from ouzel.store.downloads import DownloadRepo
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.testing.clock import FakeClock
from ouzel.testing.downloads import FakeDownloading
from ouzel.testing.messages import FakeSending
from ouzel.testing.remotes import FakeRemote

PASSWORD = "a bird that lives in streams"
ORIGIN = "http://ouzel.test"


@dataclass
class Served:
    """An app with an administrator called `root`, once `open_served` says so."""

    services: Services
    app: FastAPI
    clock: FakeClock
    ownership: SqliteOwnership

    def client(self, address: str = "192.0.2.7", headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 1), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN, **(headers or {})})

    @asynccontextmanager
    async def signed_in(self, name: str) -> AsyncGenerator[httpx.AsyncClient]:
        """A browser."""
        async with self.client() as client:
            answer = await client.post("/api/auth/login", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            yield client

    async def bearer(self, name: str) -> dict[str, str]:
        """Headers of a program."""
        async with self.client() as client:
            body = {"name": name, "password": PASSWORD, "tokens": "body"}
            token = (await client.post("/api/auth/login", json=body)).json()["access_token"]
        return {"authorization": f"Bearer {token}"}

    def local(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.services.auth.tokens.local()}"}

    async def add(self, name: str, role: Role, *labels: str) -> str:
        """An account; its id."""
        who = await self.services.auth.identify(self.services.auth.tokens.local(), Via.LOCAL)
        new = NewUser(name, PASSWORD, role, frozenset(labels))
        return (await self.services.users.add(who, new)).id

    @asynccontextmanager
    async def listening(self, path: str, headers: Mapping[str, str]) -> AsyncGenerator[Listening]:
        """An open event stream, which httpx cannot read in process: it waits for the end."""
        url = urlsplit(path)
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": url.path, "raw_path": url.path.encode(), "query_string": url.query.encode(), "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("192.0.2.7", 1), "server": ("ouzel.test", 80),
        }  # fmt: skip
        sent_in, sent_out = anyio.create_memory_object_stream[dict[str, Any]](100)
        gone = anyio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def run() -> None:
            async with sent_in:
                await self.app(scope, receive, sent_in.send)  # type: ignore[arg-type]

        async with anyio.create_task_group() as tasks, sent_out:
            tasks.start_soon(run)
            yield Listening(sent_out)
            gone.set()


class Listening:
    """Frames of an event stream."""

    def __init__(self, sent: MemoryObjectReceiveStream[dict[str, Any]]) -> None:
        self._sent = sent
        self.status = 0

    async def next(self) -> dict[str, str] | None:
        """Fields of the next frame; a comment is under ``. None: the stream is over."""
        with anyio.fail_after(10):
            async for message in self._sent:
                if message["type"] == "http.response.start":
                    self.status = message["status"]
                elif message["body"]:
                    lines = message["body"].decode().strip().splitlines()
                    return {name: value.removeprefix(" ") for name, _, value in (line.partition(":") for line in lines)}
        return None

    async def codes(self, count: int) -> list[str]:
        """Of the next events; comments do not count."""
        found: list[str] = []
        while len(found) < count and (each := await self.next()) is not None:
            found += [each["event"]] if "event" in each else []
        return found


@asynccontextmanager
async def open_served(
    folder: Path, rules: ApiRules | None = None, auth_rules: AuthRules | None = None, *, empty: bool = False
) -> AsyncGenerator[Served]:
    clock = FakeClock()
    async with open_db(folder / "ouzel.db", clock) as db:
        ownership = SqliteOwnership(db, lease_clock=clock.monotonic)
        services = make_services(db, rules or ApiRules(), auth_rules or AuthRules(), folder, ownership)
        await services.channels.load()
        served = Served(services, make_app(services), clock, ownership)
        if not empty:
            await served.add("root", Role.ADMIN)
        yield served
        services.events.close()
        services.auth.close()
        services.labels.close()


@dataclass
class Idle:
    """Watchers, recorders, roots and tasks that have nothing to do, unless a test says what."""

    answer: Answer | OuzelError | None = None
    nudged: list[str] = field(default_factory=list[str])
    splits: list[str] = field(default_factory=list[str])
    running: dict[str, Running] = field(default_factory=dict[str, Running])

    def nudge(self, channel_id: str) -> None:
        self.nudged.append(channel_id)

    async def ask(self, channel: Channel) -> Told:
        assert self.answer is not None
        return Told("own", self.answer, ())

    def loads(self) -> list[PlatformLoad]:
        return [PlatformLoad("huya", 1, 7, 60.0, closed=False, strained=False, tokens=10.0)]

    async def split(self, channel_id: str) -> None:
        if channel_id not in self.running:
            raise NotFound("it is not being recorded")
        self.splits.append(channel_id)

    async def views(self) -> list[RootView]:
        return [RootView("recordings", Path("/media"), RootState.OPEN, "", 100, 50, 10, 0, 0, 0.0, None)]

    def snapshot(self) -> list[TaskView]:
        return [TaskView("poll:huya", "poll", TaskState.RUNNING, 1.0, 1, 0)]


async def nothing_made(_work: StepWork) -> Made:
    return Made()


def make_services(db: Db, rules: ApiRules, auth_rules: AuthRules, folder: Path, ownership: SqliteOwnership) -> Services:
    keys, passwords, audit = Secrets(b"k" * 32), Passwords(cheap=True), Audit(db)
    idle, channels, policies = Idle(), Channels(db, keys.box), Policies(db)
    sending = FakeSending()
    targets, routes = Targets(db, keys.box, sending), Routes(db)
    remotes = Remotes(db, keys.box, FakeRemote())
    bus, fetched = EventBus(db), DownloadRules(folder / "downloads")
    downloads = Downloads(db, DownloadRepo(db, ownership), bus, keys.box, fetched, FakeDownloading)
    notices, queue, places = Notices(db), SqliteJobQueue(db, ownership), Places({"recordings": folder})
    pipelines = Pipelines(db, Steps(StepKind(name, nothing_made) for name in SHAPES).check)
    retention = Retention(db, channels, {}, notices, RetentionRules())
    videos = Videos(db, VideoWords(db))
    imports = VideoImports(db, places, [folder / "data"])
    jobs = Jobs(queue, [*retention.kinds(), *imports.kinds()], {QUEUE: 1}, db.clock)
    retention.serve(jobs)
    imports.serve(jobs)
    uploads = Uploads(db, {"recordings": RootGate("recordings", folder, min_free_bytes=0, probe_s=1.0)}, imports)
    return Services(
        db=db, secrets=keys, auth=Auth(db, keys, passwords, audit, auth_rules), users=Users(db, passwords), audit=audit,
        events=bus, labels=ChannelLabels(db), health=Health(db), metrics=Metrics(), channels=channels,
        roster=Roster(db, channels), revisions=Revisions(db, channels, [policies, pipelines, targets, routes, remotes, videos]),
        broadcasts=Broadcasts(db, channels, ownership), recordings=idle, library=Library(db), videos=videos, imports=imports,
        uploads=uploads, watching=idle, jobs=queue, notices=notices, storage=idle, policies=policies, tasks=idle,
        pipelines=pipelines, afterwards=Afterwards(db, queue, channels, notices, places), targets=targets, routes=routes,
        messages=Messages(db), overviews=Overviews(db, channels, idle, idle, {}), downloads=downloads,
        retention=retention, remotes=remotes, rules=rules,
    )  # fmt: skip


@asynccontextmanager
async def listening_server(app: FastAPI) -> AsyncGenerator[str]:
    """The app over HTTP, as the daemon runs it; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = WebServer(app, [listener])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.run)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.stop()
