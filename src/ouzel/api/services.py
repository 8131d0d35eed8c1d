"""What routes work with. Made by `daemon.build` alone; each room adds the field of its service."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from ouzel.services.audit import Audit
from ouzel.services.auth import Auth
from ouzel.services.events import EventBus
from ouzel.services.health import Health
from ouzel.services.labels import ChannelLabels
from ouzel.services.metrics import Metrics
from ouzel.services.secrets import Secrets
from ouzel.services.users import Users
from ouzel.store.db import Db

Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ApiRules:
    """What the configuration says of the API."""

    public_url: str = ""
    """As browsers reach us: `https://…`, without a path. Empty: as each request says."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    metrics_open: bool = False
    body_bytes: int = 1024 * 1024
    """Of a request, at most."""
    heartbeat_s: float = 15.0
    """Between signs of life on an event stream on which nothing happens."""
    send_s: float = 30.0
    """That a listener may take for one event before its connection is cut."""


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
    rules: ApiRules = field(default_factory=ApiRules)


def services_of(request: Request) -> Services:
    return request.app.state.services


Served: TypeAlias = Annotated[Services, Depends(services_of)]
"""The services, as a parameter of a route."""
