"""What routes work with. Made by `daemon.build` alone; each room adds the field of its service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Protocol, TypeAlias

from fastapi import Depends, Request

from ouzel.model.channel import Channel
from ouzel.model.ownership import TaskView
from ouzel.platforms.chain import Told
from ouzel.services.afterwards import Afterwards
from ouzel.services.audit import Audit
from ouzel.services.auth import Auth
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.channels import Channels
from ouzel.services.downloads import Downloads
from ouzel.services.events import EventBus
from ouzel.services.health import Health
from ouzel.services.labels import ChannelLabels
from ouzel.services.library import Library
from ouzel.services.messages import Messages
from ouzel.services.metrics import Metrics
from ouzel.services.notices import Notices
from ouzel.services.overview import Overviews
from ouzel.services.pipelines import Pipelines
from ouzel.services.policies import Policies
from ouzel.services.recordings import Running
from ouzel.services.remotes import Remotes
from ouzel.services.retention import Retention
from ouzel.services.revisions import Revisions
from ouzel.services.roster import Roster
from ouzel.services.routes import Routes
from ouzel.services.secrets import Secrets
from ouzel.services.storage import RootView
from ouzel.services.targets import Targets
from ouzel.services.uploads import Uploads
from ouzel.services.users import Users
from ouzel.services.video_imports import VideoImports
from ouzel.services.videos import Videos
from ouzel.services.watching import PlatformLoad
from ouzel.store.db import Db
from ouzel.store.jobs import SqliteJobQueue

Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ApiRules:
    """What the configuration says of the API."""

    public_url: str = ""
    """As browsers reach us: `https://…`, with a path if they need one. Empty: as each request says."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Prefix` are believed."""
    metrics_open: bool = False
    body_bytes: int = 1024 * 1024
    """Of a request, at most."""
    heartbeat_s: float = 15.0
    """Between signs of life on an event stream on which nothing happens."""
    send_s: float = 30.0
    """That a listener may take for one event before its connection is cut."""


class Watchers(Protocol):
    """Who asks the platforms: `services.watching.Watching`."""

    def nudge(self, channel_id: str) -> None: ...

    async def ask(self, channel: Channel) -> Told: ...

    def loads(self) -> list[PlatformLoad]: ...


class Recorders(Protocol):
    """What is being recorded: `services.recordings.Recordings`."""

    @property
    def running(self) -> Mapping[str, Running]: ...

    async def split(self, channel_id: str) -> None: ...


class Roots(Protocol):
    """Where media go: `services.storage.Storage`."""

    async def views(self) -> Sequence[RootView]: ...


class Tasks(Protocol):
    """What runs: `services.supervisor.Supervisor`."""

    def snapshot(self) -> list[TaskView]: ...


@dataclass(slots=True, kw_only=True)
class Services:
    db: Db
    secrets: Secrets
    auth: Auth
    users: Users
    audit: Audit
    events: EventBus
    labels: ChannelLabels
    health: Health
    metrics: Metrics
    channels: Channels
    roster: Roster
    revisions: Revisions
    broadcasts: Broadcasts
    recordings: Recorders
    library: Library
    videos: Videos
    imports: VideoImports
    uploads: Uploads
    watching: Watchers
    jobs: SqliteJobQueue
    downloads: Downloads
    notices: Notices
    storage: Roots
    policies: Policies
    pipelines: Pipelines
    afterwards: Afterwards
    targets: Targets
    routes: Routes
    messages: Messages
    remotes: Remotes
    tasks: Tasks
    overviews: Overviews
    retention: Retention
    rules: ApiRules = field(default_factory=ApiRules)


def services_of(request: Request) -> Services:
    return request.app.state.services


Served: TypeAlias = Annotated[Services, Depends(services_of)]
"""The services, as a parameter of a route."""
